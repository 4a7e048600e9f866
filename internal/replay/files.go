package replay

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"sort"

	"github.com/kuai-robot/kuai/internal/record"
)

// errEnough ends a reading that has seen what it was for.
var errEnough = errors.New("enough")

// Header gives the header of a recording; empty for one without records.
func Header(path string) (map[string]string, error) {
	var header map[string]string
	_, err := record.Read(path, func(r *record.Record) error {
		header = r.Header()
		return errEnough
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	return header, nil
}

// Run gives the header of the recording at path and the files of the same run
// of the program up to it, oldest first: a run is split where a file is full,
// and only from its begin on can it be replayed.
func Run(path string) (header map[string]string, files []string, err error) {
	if header, err = Header(path); err != nil {
		return nil, nil, err
	}
	if header[HeaderRun] == "" {
		return nil, nil, fmt.Errorf("%s: does not say what made it, so it cannot be replayed (record with kuai run and record.on: true)", path)
	}
	names, err := filepath.Glob(filepath.Join(escaped(filepath.Dir(path)), "*.mcap"))
	if err != nil {
		return nil, nil, err
	}
	sort.Strings(names)
	for _, name := range names {
		if filepath.Base(name) >= filepath.Base(path) {
			break
		}
		// A neighbour that cannot be read is somebody else's.
		if h, err := Header(name); err == nil && h[HeaderRun] == header[HeaderRun] {
			files = append(files, name)
		}
	}
	return header, append(files, path), nil
}

// escaped makes filepath.Glob take a folder's name as it is.
func escaped(folder string) string {
	var out []byte
	for i := range len(folder) {
		if c := folder[i]; c == '*' || c == '?' || c == '[' || c == '\\' {
			out = append(out, '\\')
		}
		out = append(out, folder[i])
	}
	return string(out)
}

// read calls each for every record of the files; tell may be nil.
func read(files []string, tell record.Progress, each func(*record.Record) error) error {
	for _, path := range files {
		if _, err := record.ReadTelling(path, tell, each); err != nil {
			return err
		}
	}
	return nil
}

// decode reads the JSON of a record.
func decode(r *record.Record, into any) error {
	if err := json.Unmarshal(r.Data, into); err != nil {
		return fmt.Errorf("topic %s at %v: %w", r.Topic, r.At, err)
	}
	return nil
}
