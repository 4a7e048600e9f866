package models

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// fromFolder copies the file from the folder that the user named.
func (p *pull) fromFolder(ctx context.Context) error {
	var err error
	for _, path := range []string{filepath.Join(p.store.From, p.model, p.file.Name), filepath.Join(p.store.From, p.file.Name)} {
		var file *os.File
		if file, err = os.Open(path); err != nil {
			continue
		}
		defer file.Close()
		return p.write(ctx, file, 0, path)
	}
	return fmt.Errorf("folder %s: %w", p.store.From, err)
}

// fromHub fetches the file over HTTP and goes on where an earlier try broke off.
func (p *pull) fromHub(ctx context.Context, source string) error {
	parts := strings.SplitN(source, "/", 3)
	url := fmt.Sprintf("%s/%s/%s/resolve/main/%s", strings.TrimSuffix(p.store.Hub, "/"), parts[0], parts[1], parts[2])
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stall := time.AfterFunc(p.store.Stall, func() { cancel(fmt.Errorf("%s: nothing came for %v", url, p.store.Stall)) })
	defer stall.Stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("hub: %w", err)
	}
	var have int64
	if info, err := os.Stat(p.part()); err == nil && info.Size() < p.file.Size {
		have = info.Size()
	}
	if have > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
	}
	response, err := p.store.Client.Do(request)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	if err != nil {
		return fmt.Errorf("hub: %w", err)
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
		have = 0
	case http.StatusPartialContent:
	default:
		return fmt.Errorf("hub: %s: %s", url, response.Status)
	}
	body := readerFunc(func(b []byte) (int, error) {
		n, err := response.Body.Read(b)
		stall.Reset(p.store.Stall)
		if err != nil && context.Cause(ctx) != nil {
			err = context.Cause(ctx)
		}
		return n, err
	})
	return p.write(ctx, body, have, url)
}

// write appends from to the part after its first have bytes. More bytes than
// the file has are an error before they fill the disk.
func (p *pull) write(ctx context.Context, from io.Reader, have int64, source string) error {
	out, err := os.OpenFile(p.part(), os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	if err := truncate(out, have); err != nil {
		return err
	}
	done := have
	buffer := make([]byte, 1<<20)
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, err := from.Read(buffer)
		if done += int64(n); done > p.file.Size {
			return errors.Join(fmt.Errorf("%s: more than the %d bytes of %s", source, p.file.Size, p.file.Name), out.Truncate(0))
		}
		if _, err := out.Write(buffer[:n]); err != nil {
			return err
		}
		p.tell(source, done)
		if errors.Is(err, io.EOF) {
			return errors.Join(out.Sync(), out.Close())
		}
		if err != nil {
			return fmt.Errorf("%s: %w after %d of %d bytes (run the same command again to go on from there)", source, err, done, p.file.Size)
		}
	}
}

// remove is os.Remove, content when there is nothing.
func remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// truncate cuts a file to n bytes and stands at its end.
func truncate(file *os.File, n int64) error {
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
		if err := file.Truncate(n); err != nil {
			return err
		}
	}
	_, err := file.Seek(n, io.SeekStart)
	return err
}
