package record

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/foxglove/mcap/go/mcap"
)

const extension = ".mcap"

// recordings lists the files of dir, oldest first: their names sort by time.
func recordings(dir string) ([]string, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*"+extension))
	sort.Strings(names)
	return names, err
}

func newName(dir string, wall time.Time) string {
	return filepath.Join(dir, strings.ReplaceAll(wall.UTC().Format("20060102T150405.000000000Z"), ".", "_")+extension)
}

// makeRoom removes the oldest recordings until all files of dir, and need
// bytes more, fit in budget. keep is never removed.
func makeRoom(dir, keep string, budget, need int64) error {
	names, err := recordings(dir)
	if err != nil {
		return err
	}
	sizes := make([]int64, len(names))
	total := need
	for i, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		sizes[i] = info.Size()
		total += sizes[i]
	}
	for i, name := range names {
		if total <= budget {
			return nil
		}
		if name == keep {
			continue
		}
		if err := os.Remove(name); err != nil {
			return err
		}
		total -= sizes[i]
	}
	return nil
}

// complete says whether the file ends as MCAP ends.
func complete(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	if _, err := f.Seek(-int64(len(mcap.Magic)), io.SeekEnd); err != nil {
		return false, nil // shorter than the magic
	}
	end := make([]byte, len(mcap.Magic))
	if _, err := io.ReadFull(f, end); err != nil {
		return false, err
	}
	return bytes.Equal(end, mcap.Magic), nil
}

// Repair rewrites a recording that was cut off so that it has an index and an
// end; what is readable stays as it was. A complete file is left alone.
func Repair(path string) error {
	if whole, err := complete(path); err != nil || whole {
		return err
	}
	if info, err := os.Stat(path); err != nil {
		return err
	} else if info.Size() < int64(len(mcap.Magic)) {
		return os.Remove(path) // cut off before its first byte was on disk
	}
	part := path + ".part"
	if err := os.Remove(part); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	var out *file
	summary, err := Read(path, func(r *Record) error {
		if out == nil {
			var err error
			if out, err = createFile(part, r.epoch, r.LoggedAt, time.Hour, r.header); err != nil {
				return err
			}
		}
		return out.write(r.Topic, r.schema, r.At, r.LoggedAt, r.Data)
	})
	switch {
	case err != nil:
		if out != nil {
			out.abandon()
		}
		return fmt.Errorf("record: repair %s: %w", path, err)
	case summary.Messages == 0:
		return os.Remove(path) // cut off before its first chunk: nothing to keep
	}
	if err := out.close(); err != nil {
		return fmt.Errorf("record: repair %s: %w", path, err)
	}
	return os.Rename(part, path)
}

// repairAll repairs what an earlier process left cut off.
func repairAll(dir string) error {
	names, err := recordings(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range names {
		errs = append(errs, Repair(name))
	}
	return errors.Join(errs...)
}
