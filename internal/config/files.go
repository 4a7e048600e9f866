package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// resolve makes relative paths count from folder.
func (c *Config) resolve(folder string) error {
	paths := []*string{
		&c.Broker.PasswordFile, &c.Broker.CA, &c.Broker.Certificate, &c.Broker.Key,
		&c.TLS.Certificate, &c.TLS.Key, &c.TLS.ClientCA, &c.Record.Folder, &c.Robot.Pins, &c.Robot.Feetech.Calibration,
		&c.Memory.File, &c.Memory.KeyFile, &c.Planner.Remote.KeyFile,
	}
	if !BuiltInDescription(c.Robot.Description) {
		paths = append(paths, &c.Robot.Description)
	}
	if !BuiltInSkills(c.Planner.Catalogue) {
		paths = append(paths, &c.Planner.Catalogue)
	}
	if c.Policy != Auto {
		paths = append(paths, &c.Policy)
	}
	if c.Planner.Adapter != Auto && c.Planner.Adapter != None {
		paths = append(paths, &c.Planner.Adapter)
	}
	for i := range c.Access.Users {
		paths = append(paths, &c.Access.Users[i].PasswordFile)
	}
	folder, err := filepath.Abs(folder)
	if err != nil {
		return err
	}
	for _, p := range paths {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(folder, *p)
		}
	}
	return nil
}

// Secret gives the password towards the broker of broker.url.
func (b *Broker) Secret() (string, error) {
	return secret("broker", b.Password, b.PasswordFile)
}

// Secret gives the user's password; empty when only a certificate lets the
// user in.
func (u *User) Secret() (string, error) {
	return secret("user "+u.Name, u.Password, u.PasswordFile)
}

func secret(who, password, file string) (string, error) {
	if file == "" {
		return password, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s: password_file: %w", who, err)
	}
	password = strings.TrimRight(string(data), "\r\n")
	if password == "" {
		return "", fmt.Errorf("%s: password_file %s is empty", who, file)
	}
	return password, nil
}

// Dir gives the folder of the recordings.
func (r *Record) Dir() (string, error) {
	if r.Folder != "" {
		return r.Folder, nil
	}
	if data := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(data) {
		return filepath.Join(data, "kuai", "recordings"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("record.folder: %w (set it in the configuration)", err)
	}
	return filepath.Join(home, ".local", "share", "kuai", "recordings"), nil
}

// StateDir gives where a program notes what the next one must know.
func StateDir() (string, error) {
	if state := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(state) {
		return filepath.Join(state, "kuai"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("where to note that the robot runs: %w (set XDG_STATE_HOME)", err)
	}
	return filepath.Join(home, ".local", "state", "kuai"), nil
}
