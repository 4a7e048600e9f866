package broker

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A server's folder in memory outlives a program that is killed, and the memory
// with it, so the next one clears it away. The lock in it tells whether its
// program lives: the system lets go of it however that ends.
const (
	folderPrefix = "kuai-broker-"
	folderLock   = "lock"
)

// claim makes a new folder in parent and holds its lock. Until the lock is held
// the folder has another name, which sweep passes over.
func claim(parent string) (folder string, lock *os.File, err error) {
	hidden, err := os.MkdirTemp(parent, "."+folderPrefix)
	if err != nil {
		return "", nil, err
	}
	lock, err = holdLock(hidden)
	if err == nil {
		folder = filepath.Join(parent, strings.TrimPrefix(filepath.Base(hidden), "."))
		err = os.Rename(hidden, folder)
	}
	if err != nil {
		if lock != nil {
			err = errors.Join(err, lock.Close())
		}
		return "", nil, errors.Join(fmt.Errorf("broker: folder in %s: %w", parent, err), os.RemoveAll(hidden))
	}
	return folder, lock, nil
}

// holdLock gives the lock of a folder, or an error while another holds it.
func holdLock(folder string) (*os.File, error) {
	lock, err := os.OpenFile(filepath.Join(folder, folderLock), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

// withoutLockFor is how long a folder without a lock is left alone: programs of
// before there were locks made such, and may still run.
const withoutLockFor = 24 * time.Hour

// sweep removes from parent the folders whose programs are gone: whose lock
// nobody holds, or that have none and in which nothing was written for a day. What
// belongs to others, or cannot be removed, stays: it is in nobody's way.
func sweep(parent string, now time.Time) {
	folders, err := filepath.Glob(filepath.Join(parent, folderPrefix+"*"))
	if err != nil {
		return
	}
	for _, folder := range folders {
		if _, err := os.Stat(filepath.Join(folder, folderLock)); err != nil && now.Sub(lastWritten(folder)) < withoutLockFor {
			continue
		}
		lock, err := holdLock(folder)
		if err != nil {
			continue
		}
		_ = os.RemoveAll(folder)
		_ = lock.Close()
	}
}

// lastWritten gives when something below folder was written last; what cannot be
// looked at was written in the far future.
func lastWritten(folder string) (last time.Time) {
	err := filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.ModTime().After(last) {
			last = info.ModTime()
		}
		return err
	})
	if err != nil {
		return time.Unix(1<<40, 0)
	}
	return last
}
