package checkpoint

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Tensor is one named array of a model file.
type Tensor struct {
	Name  string
	DType DType
	// Shape has the slowest dimension first: a weight matrix that maps in to
	// out features is [out, in], whatever order the file writes. A scalar has
	// the empty shape.
	Shape []int
	// Data holds the elements in row-major order, little-endian, as stored.
	// It lies in the mapped file: read it, never write it.
	Data []byte
	// Scales and Range belong to int8 weights (quantised.go): an element is its
	// byte times the scale of its row. Range is the largest magnitude of the input
	// of the weight's product as a calibration found it, 0 where none did.
	Scales []float32
	Range  float32

	mapped *mapping // that Data lies in; nil where it is in the program's memory
}

// Len gives the number of elements.
func (t *Tensor) Len() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// File is an open model file.
type File struct {
	Path string
	// Meta is the metadata of a GGUF file; empty for the other formats.
	Meta Metadata
	// Tensors are in the order of the file.
	Tensors []Tensor

	index  map[string]int
	mapped []*mapping
}

// Tensor gives the tensor called name. An error names the file and, where one
// is close, the name that may be meant.
func (f *File) Tensor(name string) (*Tensor, error) {
	if i, ok := f.index[name]; ok {
		return &f.Tensors[i], nil
	}
	return nil, fmt.Errorf("%s: no tensor %s among its %d", f.Path, name, len(f.Tensors))
}

// Has says whether there is a tensor called name.
func (f *File) Has(name string) bool { _, ok := f.index[name]; return ok }

// Shaped gives the tensor called name and fails unless it has that shape.
func (f *File) Shaped(name string, shape ...int) (*Tensor, error) {
	t, err := f.Tensor(name)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(t.Shape, shape) {
		return nil, fmt.Errorf("%s: tensor %s has shape %v, the configuration asks for %v", f.Path, name, t.Shape, shape)
	}
	return t, nil
}

// Close unmaps the file, or lets the last of those who hold a weight of it do so; no
// other Tensor.Data of it may be touched after.
func (f *File) Close() error {
	var errs []error
	for _, m := range f.mapped {
		errs = append(errs, m.release())
	}
	f.mapped, f.Tensors, f.index = nil, nil, nil
	return errors.Join(errs...)
}

// Open maps the file at path and reads it by what it holds: GGUF by its magic,
// CTranslate2 by the name model.bin, safetensors otherwise. A folder stands for
// the model.safetensors (or its shards) or the model.bin in it.
func Open(path string) (*File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("model file: %w", err)
	}
	if info.IsDir() {
		return openFolder(path)
	}
	m, err := mapFile(path)
	if err != nil {
		return nil, err
	}
	var f *File
	switch data := m.data; {
	case len(data) >= 4 && string(data[:4]) == ggufMagic:
		f, err = ParseGGUF(data)
	case filepath.Ext(path) == ".bin":
		f, err = ParseCTranslate2(data)
	default:
		f, err = ParseSafetensors(data)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), m.release())
	}
	f.Path, f.mapped = path, []*mapping{m}
	for i := range f.Tensors {
		f.Tensors[i].mapped = m
	}
	return f, nil
}

// span is where the bytes of a tensor lie.
type span struct {
	name       string
	start, end uint64
}

// checkSpans fails when two tensors share bytes.
func checkSpans(spans []span) error {
	slices.SortFunc(spans, func(a, b span) int {
		switch {
		case a.start < b.start:
			return -1
		case a.start > b.start:
			return 1
		}
		return strings.Compare(a.name, b.name)
	})
	for i := 1; i < len(spans); i++ {
		if spans[i].start < spans[i-1].end {
			return fmt.Errorf("tensor %s: its bytes overlap those of tensor %s", spans[i].name, spans[i-1].name)
		}
	}
	return nil
}

// storedSize gives the bytes that shape takes as d, or an error when the sizes
// overflow or a row is not a whole number of blocks.
func storedSize(d DType, shape []int) (uint64, error) {
	n := uint64(1)
	for _, dim := range shape {
		if dim <= 0 {
			return 0, fmt.Errorf("shape %v has a dimension below 1", shape)
		}
		if uint64(dim) > maxElements/n {
			return 0, fmt.Errorf("shape %v has too many elements", shape)
		}
		n *= uint64(dim)
	}
	if block := d.BlockLen(); block > 1 && (len(shape) == 0 || shape[len(shape)-1]%block != 0) {
		return 0, fmt.Errorf("rows of shape %v are not whole blocks of %d %s elements", shape, block, d)
	}
	return n / uint64(d.BlockLen()) * uint64(d.BlockSize()), nil
}

// maxElements keeps element counts and sizes in bytes far from overflow.
const maxElements = 1 << 48

// newFile indexes tensors by name.
func newFile(meta Metadata, tensors []Tensor) (*File, error) {
	f := &File{Meta: meta, Tensors: tensors, index: make(map[string]int, len(tensors))}
	for i := range tensors {
		if _, twice := f.index[tensors[i].Name]; twice {
			return nil, fmt.Errorf("tensor %s: there are two of that name", tensors[i].Name)
		}
		f.index[tensors[i].Name] = i
	}
	return f, f.joinScales()
}
