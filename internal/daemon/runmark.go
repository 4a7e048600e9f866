package daemon

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/kuai-robot/kuai/internal/config"
)

// runMark is a file that is there while a robot of real joints runs. Whoever
// finds it at the start knows that the program before did not end by itself:
// it was killed, it panicked, the power failed. Nobody can tell then what the
// joints are doing or what holds them, so the robot comes up stopped.
type runMark struct {
	path string
	// unclean says that the file was there, or that nobody can tell.
	unclean bool
	// begun says that the joints may have been commanded, clean that this
	// program ended as it should.
	begun, clean bool
}

// newRunMark looks for the mark of a robot, and puts it there.
func newRunMark(robot string) (*runMark, error) {
	dir, err := config.StateDir()
	if err != nil {
		return &runMark{unclean: true}, err
	}
	m := &runMark{path: filepath.Join(dir, robot+".running")}
	_, err = os.Lstat(m.path)
	m.unclean = !os.IsNotExist(err)
	if m.unclean {
		return m, nil
	}
	if err := m.put(dir); err != nil {
		// What cannot be noted now would be missed at the next start.
		m.unclean = true
		return m, fmt.Errorf("run mark: %w (without it kuai cannot know whether it was killed, so it starts stopped)", err)
	}
	return m, nil
}

// put makes the file so that it outlasts a power failure.
func (m *runMark) put(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(m.path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}

// close removes the mark if the robot never ran or ended as it should. One
// that was found stays until then.
func (m *runMark) close() error {
	if m.path == "" || m.begun && !m.clean || !m.begun && m.unclean {
		return nil
	}
	if err := os.Remove(m.path); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("run mark: %w (the next start will be a stopped one)", err)
	}
	return nil
}
