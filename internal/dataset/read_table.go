package dataset

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/parquet-go/parquet-go"
)

// What a Parquet file that is read may hold.
const (
	maxTableBytes = 1 << 30
	maxRows       = 1 << 26
)

// values are those of one row by the name of their column; a list has several.
type values map[string][]parquet.Value

// readTable calls each with the rows of the file at path. Only columns that are
// wanted are given; those that are not in the file are an error.
func readTable(path string, wanted []string, each func(values) error) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if info.Size() > maxTableBytes {
		return fmt.Errorf("%s: %d bytes, at most %d are read", path, info.Size(), maxTableBytes)
	}
	defer func() {
		// The library trusts some lengths of the file that it should not.
		if p := recover(); p != nil {
			err = fmt.Errorf("%s: not a table: %v", path, p)
		}
	}()
	if err := readRows(file, info.Size(), wanted, each); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func readRows(from io.ReaderAt, size int64, wanted []string, each func(values) error) error {
	if err := checkFooter(from, size); err != nil {
		return err
	}
	file, err := parquet.OpenFile(from, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return err
	}
	if n := file.NumRows(); n < 0 || n > maxRows {
		return fmt.Errorf("%d rows, at most %d are read", n, maxRows)
	}
	names := map[int]string{}
	found := map[string]bool{}
	for i, path := range file.Schema().Columns() {
		for _, name := range wanted {
			if path[0] == name && !found[name] {
				names[i], found[name] = name, true
			}
		}
	}
	for _, name := range wanted {
		if !found[name] {
			return fmt.Errorf("there is no column %s", name)
		}
	}
	if err := checkPages(from, size, file, names); err != nil {
		return err
	}
	for _, group := range file.RowGroups() {
		if err := readGroup(group, names, each); err != nil {
			return err
		}
	}
	return nil
}

func readGroup(group parquet.RowGroup, names map[int]string, each func(values) error) error {
	rows := group.Rows()
	defer rows.Close()
	buffer := make([]parquet.Row, 64)
	for {
		n, err := rows.ReadRows(buffer)
		for _, row := range buffer[:n] {
			v := values{}
			for _, value := range row {
				if name, ok := names[value.Column()]; ok && !value.IsNull() {
					v[name] = append(v[name], value)
				}
			}
			if err := each(v); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if n == 0 {
			return io.ErrNoProgress
		}
	}
}

// number gives the whole number of a column.
func (v values) number(name string) (int64, error) {
	if len(v[name]) == 1 {
		switch value := v[name][0]; value.Kind() {
		case parquet.Int64:
			return value.Int64(), nil
		case parquet.Int32:
			return int64(value.Int32()), nil
		}
	}
	return 0, fmt.Errorf("column %s holds no whole number", name)
}

// floats gives the numbers of a column, which must be so many.
func (v values) floats(name string, count int) ([]float64, error) {
	if len(v[name]) != count {
		return nil, fmt.Errorf("column %s holds %d numbers, want %d", name, len(v[name]), count)
	}
	out := make([]float64, count)
	for i, value := range v[name] {
		switch value.Kind() {
		case parquet.Float:
			out[i] = float64(value.Float())
		case parquet.Double:
			out[i] = value.Double()
		default:
			return nil, fmt.Errorf("column %s holds no numbers", name)
		}
	}
	return out, nil
}

// text gives the text of a column, the first of a list.
func (v values) text(name string) (string, error) {
	if len(v[name]) == 0 || v[name][0].Kind() != parquet.ByteArray {
		return "", fmt.Errorf("column %s holds no text", name)
	}
	return string(v[name][0].ByteArray()), nil
}
