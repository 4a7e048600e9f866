package dataset

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/parquet-go/parquet-go"
)

// column is one of a table: a scalar, a list, or a list of lists of lists,
// which is how statistics of pictures are kept, a channel each.
type column struct {
	name  string
	leaf  parquet.Node
	depth int
}

func int64s(name string) column   { return column{name, parquet.Leaf(parquet.Int64Type), 0} }
func float32s(name string) column { return column{name, parquet.Leaf(parquet.FloatType), 0} }
func float64s(name string) column { return column{name, parquet.Leaf(parquet.DoubleType), 0} }
func texts(name string) column    { return column{name, parquet.String(), 0} }

// listed makes a column of lists; depth is how far they are nested.
func (c column) listed(depth int) column { return column{c.name, c.leaf, depth} }

// path leads to the values in the schema.
func (c column) path() []string {
	p := []string{c.name}
	for range c.depth {
		p = append(p, "list", "element")
	}
	return p
}

func (c column) node() parquet.Node {
	n := c.leaf
	for range c.depth {
		n = parquet.List(n)
	}
	return n
}

// table writes rows into one Parquet file.
type table struct {
	file   *os.File
	out    *parquet.GenericWriter[any]
	schema *parquet.Schema
	leaves []int // of each column
	cols   []column
}

func createTable(path string, cols []column, metadata map[string]string) (*table, error) {
	group := parquet.Group{}
	for _, c := range cols {
		group[c.name] = c.node()
	}
	t := &table{schema: parquet.NewSchema("schema", group), cols: cols}
	for _, c := range cols {
		leaf, ok := t.schema.Lookup(c.path()...)
		if !ok {
			return nil, fmt.Errorf("table %s: no column %s", path, c.name)
		}
		t.leaves = append(t.leaves, leaf.ColumnIndex)
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	options := []parquet.WriterOption{t.schema, parquet.Compression(&parquet.Snappy)}
	for key, value := range metadata {
		options = append(options, parquet.KeyValueMetadata(key, value))
	}
	t.file, t.out = file, parquet.NewGenericWriter[any](file, options...)
	return t, nil
}

// add writes one row: a value, or a slice of values, for each column.
func (t *table) add(values ...any) error {
	if len(values) != len(t.cols) {
		return fmt.Errorf("a row of %d values for %d columns", len(values), len(t.cols))
	}
	var row parquet.Row
	for i, v := range values {
		row = t.append(row, i, v)
	}
	slices.SortStableFunc(row, func(a, b parquet.Value) int { return a.Column() - b.Column() })
	_, err := t.out.WriteRows([]parquet.Row{row})
	return err
}

// append adds the values of column i. Each element of a nested list begins a
// list of its own in the outermost one.
func (t *table) append(row parquet.Row, i int, v any) parquet.Row {
	depth, leaf := t.cols[i].depth, t.leaves[i]
	if depth == 0 {
		return append(row, parquet.ValueOf(v).Level(0, 0, leaf))
	}
	var elements []any
	switch v := v.(type) {
	case []float32:
		elements = boxed(v)
	case []float64:
		elements = boxed(v)
	case []int64:
		elements = boxed(v)
	case []string:
		elements = boxed(v)
	}
	if len(elements) == 0 {
		return append(row, parquet.NullValue().Level(0, 0, leaf))
	}
	for k, e := range elements {
		repetition := 1
		if k == 0 {
			repetition = 0
		}
		row = append(row, parquet.ValueOf(e).Level(repetition, depth, leaf))
	}
	return row
}

func boxed[T any](values []T) []any {
	out := make([]any, len(values))
	for i := range values {
		out[i] = values[i]
	}
	return out
}

// close ends the file and brings it to the disk.
func (t *table) close() error {
	return errors.Join(t.out.Close(), t.file.Sync(), t.file.Close())
}

// abandon closes the file as it is.
func (t *table) abandon() { t.file.Close() }
