package replay

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// ReferencesOf names the file beside a recording that holds the commands which
// its replay is to give, when those are not the recorded ones any more: a
// Command a line, without the state, gzip.
func ReferencesOf(recording string) string { return recording + ".refs.gz" }

// References writes such a file; it takes the place of an older one when it is
// closed without an error.
type References struct {
	path string
	file *os.File
	zip  *gzip.Writer
	out  *json.Encoder
}

// CreateReferences begins the file at path.
func CreateReferences(path string) (*References, error) {
	file, err := os.Create(path + ".part")
	if err != nil {
		return nil, err
	}
	zip := gzip.NewWriter(file)
	return &References{path: path, file: file, zip: zip, out: json.NewEncoder(zip)}, nil
}

// Add writes c.
func (r *References) Add(c *Command) error {
	kept := *c
	kept.State = State{}
	return r.out.Encode(&kept)
}

// Close ends the file; with keep false what was written is thrown away.
func (r *References) Close(keep bool) error {
	err := errors.Join(r.zip.Close(), r.file.Close())
	if err != nil || !keep {
		return errors.Join(err, os.Remove(r.file.Name()))
	}
	return os.Rename(r.file.Name(), r.path)
}

// maxReferenceLine bounds what a line may hold.
const maxReferenceLine = 1 << 20

// references reads such a file.
type references struct {
	path  string
	file  *os.File
	lines *bufio.Scanner
}

func openReferences(path string) (*references, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	zip, err := gzip.NewReader(file)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), file.Close())
	}
	lines := bufio.NewScanner(zip)
	lines.Buffer(nil, maxReferenceLine)
	return &references{path: path, file: file, lines: lines}, nil
}

// of gives the command of a tick; ticks are asked for in order.
func (r *references) of(number uint64) (*Command, error) {
	for r.lines.Scan() {
		var c Command
		if err := json.Unmarshal(r.lines.Bytes(), &c); err != nil {
			return nil, fmt.Errorf("%s: tick %d: %w", r.path, number, err)
		}
		if c.Number == number {
			return &c, nil
		}
	}
	err := r.lines.Err()
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	return nil, fmt.Errorf("%s: has no tick %d (write it anew with --update-refs): %w", r.path, number, err)
}

func (r *references) close() { r.file.Close() }
