package checkpoint

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
)

func openTypes(t *testing.T) *File {
	t.Helper()
	f, err := Open("testdata/types.gguf")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// TestStoredTypes compares every stored type with what the reference
// implementation read from the same bytes.
func TestStoredTypes(t *testing.T) {
	f := openTypes(t)
	compared := 0
	for _, tensor := range f.Tensors {
		name, ok := strings.CutSuffix(tensor.Name, ".stored")
		if !ok {
			continue
		}
		want, err := f.Shaped(name+".values", 2, 512)
		if err != nil {
			t.Fatal(err)
		}
		if tensor.DType.String() != name {
			t.Errorf("%s: dtype %s", tensor.Name, tensor.DType)
		}
		a, b := make([]float32, tensor.Len()), make([]float32, want.Len())
		if err := tensor.Float32(a); err != nil {
			t.Fatal(err)
		}
		if err := want.Float32(b); err != nil {
			t.Fatal(err)
		}
		for i := range a {
			if diff := math.Abs(float64(a[i] - b[i])); diff > 1e-6*math.Abs(float64(b[i]))+1e-7 {
				t.Fatalf("%s: element %d is %g, want %g", name, i, a[i], b[i])
			}
		}
		compared++
	}
	if compared != 11 {
		t.Errorf("compared %d types, want 11", compared)
	}
}

func TestMetadata(t *testing.T) {
	m := openTypes(t).Meta
	if s, err := m.String("general.name"); err != nil || s != "types" {
		t.Errorf("general.name = %q, %v", s, err)
	}
	if n, err := m.Int("test.integer"); err != nil || n != 7 {
		t.Errorf("test.integer = %d, %v", n, err)
	}
	if x, err := m.Float("test.float"); err != nil || x != 0.5 {
		t.Errorf("test.float = %g, %v", x, err)
	}
	if b, err := m.Bool("test.bool"); err != nil || !b {
		t.Errorf("test.bool = %v, %v", b, err)
	}
	if s, err := m.Strings("test.texts"); err != nil || !slices.Equal(s, []string{"a", "b c", "快"}) {
		t.Errorf("test.texts = %q, %v", s, err)
	}
	if n, err := m.Ints("test.integers"); err != nil || !slices.Equal(n, []int64{1, -2, 3}) {
		t.Errorf("test.integers = %v, %v", n, err)
	}
	if n, err := m.Floats("test.integers"); err != nil || !slices.Equal(n, []float64{1, -2, 3}) {
		t.Errorf("test.integers as floats = %v, %v", n, err)
	}
	for what, err := range map[string]error{
		"test.missing":  second(m.Int("test.missing")),
		"test.texts":    second(m.String("test.texts")),
		"test.integer":  second(m.Ints("test.integer")),
		"general.name":  second(m.Int("general.name")),
		"test.float":    second(m.Bool("test.float")),
		"test.bool":     second(m.String("test.bool")),
		"test.integers": second(m.Strings("test.integers")),
	} {
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: error %v does not name it", what, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// ggufBuilder writes GGUF files, hostile ones too.
type ggufBuilder struct {
	bytes.Buffer
}

func (b *ggufBuilder) put(values ...any) *ggufBuilder {
	for _, v := range values {
		if s, ok := v.(string); ok {
			b.put(uint64(len(s)))
			b.WriteString(s)
			continue
		}
		if err := binary.Write(&b.Buffer, binary.LittleEndian, v); err != nil {
			panic(err)
		}
	}
	return b
}

func (b *ggufBuilder) header(tensors, fields uint64) *ggufBuilder {
	b.WriteString(ggufMagic)
	return b.put(uint32(3), tensors, fields)
}

func (b *ggufBuilder) tensor(name string, dtype uint32, offset uint64, shape ...uint64) *ggufBuilder {
	return b.put(name, uint32(len(shape)), shape, dtype, offset)
}

// data pads to the alignment and appends n bytes.
func (b *ggufBuilder) data(n int) *ggufBuilder {
	b.Write(make([]byte, -b.Len()&(ggufAlignment-1)+n))
	return b
}

func ggufFile() *ggufBuilder { return new(ggufBuilder) }

// hostileGGUF are files that must be refused, with what the error must name.
var hostileGGUF = []struct {
	name string
	file *ggufBuilder
	want string
}{
	{"wrong magic", ggufFile().put([]byte("GGML"), make([]byte, 40)), "magic"},
	{"version 1", ggufFile().put([]byte("GGUF"), uint32(1), make([]byte, 16)), "version"},
	{"big-endian", ggufFile().put([]byte("GGUF"), uint32(3<<24), make([]byte, 16)), "big-endian"},
	{"huge field count", ggufFile().header(0, 1<<60), "metadata count"},
	{"huge tensor count", ggufFile().header(1<<60, 0), "tensor count"},
	{"key of 2^63 bytes", ggufFile().header(0, 1).put(uint64(1<<63), make([]byte, 32)), "metadata field 0"},
	{"string beyond the end", ggufFile().header(0, 1).put("k", uint32(kindString), uint64(math.MaxUint64)), "metadata k"},
	{"array beyond the end", ggufFile().header(0, 1).put("k", uint32(kindArray), uint32(kindU64), uint64(1<<61)), "metadata k"},
	{"array in array", ggufFile().header(0, 1).put("k", uint32(kindArray), uint32(kindArray), uint64(1), make([]byte, 32)), "metadata k"},
	{"unknown value", ggufFile().header(0, 1).put("k", uint32(99), uint64(0)), "metadata k"},
	{"key twice", ggufFile().header(0, 2).put("k", uint32(kindU8), uint8(1), "k", uint32(kindU8), uint8(1)), "metadata k: the key occurs twice"},
	{"alignment 3", ggufFile().header(0, 1).put("general.alignment", uint32(kindU32), uint32(3)), "general.alignment"},
	{"alignment 0", ggufFile().header(0, 1).put("general.alignment", uint32(kindU32), uint32(0)), "general.alignment"},
	{"name too long", ggufFile().header(1, 0).tensor(strings.Repeat("n", 65), 0, 0, 32).data(128), "tensor 0"},
	{"name not UTF-8", ggufFile().header(1, 0).tensor("\xff", 0, 0, 32).data(128), "tensor 0"},
	{"five dimensions", ggufFile().header(1, 0).tensor("t", 0, 0, 1, 1, 1, 1, 1).data(128), "tensor t: 5 dimensions"},
	{"no dimensions", ggufFile().header(1, 0).tensor("t", 0, 0).data(128), "tensor t: 0 dimensions"},
	{"dimension 0", ggufFile().header(1, 0).tensor("t", 0, 0, 0).data(128), "tensor t"},
	{"dimension 2^63", ggufFile().header(1, 0).tensor("t", 0, 0, 1<<63).data(128), "tensor t"},
	{"size overflow", ggufFile().header(1, 0).tensor("t", 0, 0, 1<<32, 1<<32).data(128), "tensor t: shape"},
	{"unknown type", ggufFile().header(1, 0).tensor("t", 77, 0, 32).data(128), "tensor t: type 77"},
	{"broken block", ggufFile().header(1, 0).tensor("t", 2, 0, 33).data(128), "tensor t: rows"},
	{"misaligned", ggufFile().header(1, 0).tensor("t", 0, 4, 16).data(128), "tensor t: offset 4"},
	{"beyond the end", ggufFile().header(1, 0).tensor("t", 0, 0, 64).data(128), "tensor t"},
	{"offset beyond the end", ggufFile().header(1, 0).tensor("t", 0, 1<<62, 1).data(128), "tensor t"},
	{"overlap", ggufFile().header(2, 0).tensor("t", 0, 0, 16).tensor("u", 0, 32, 8).data(128), "tensor u: its bytes overlap those of tensor t"},
	{"name twice", ggufFile().header(2, 0).tensor("t", 0, 0, 8).tensor("t", 0, 32, 8).data(128), "tensor t: there are two"},
}

func TestHostileGGUF(t *testing.T) {
	for _, c := range hostileGGUF {
		_, err := ParseGGUF(c.file.Bytes())
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that says %q", c.name, err, c.want)
		}
	}
	good := ggufFile().header(2, 0).tensor("t", 0, 0, 16).tensor("u", 0, 64, 8).data(128)
	if _, err := ParseGGUF(good.Bytes()); err != nil {
		t.Errorf("a sound file is refused: %v", err)
	}
}

// TestTruncatedGGUF cuts a sound file at every length: each cut is an error.
func TestTruncatedGGUF(t *testing.T) {
	whole, err := os.ReadFile("testdata/types.gguf")
	if err != nil {
		t.Fatal(err)
	}
	header := 4096
	for n := range whole {
		if n > header && n%97 != 0 {
			continue
		}
		if _, err := ParseGGUF(whole[:n:n]); err == nil && n < len(whole)-ggufAlignment {
			t.Fatalf("the first %d of %d bytes are accepted", n, len(whole))
		}
	}
}

func FuzzGGUF(f *testing.F) {
	for _, c := range hostileGGUF {
		f.Add(c.file.Bytes())
	}
	f.Add(ggufFile().header(2, 1).put("k", uint32(kindArray), uint32(kindString), uint64(2), "a", "bc").
		tensor("t", 14, 0, 256).tensor("u", 2, 256, 32, 2).data(320).Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := ParseGGUF(data)
		if err != nil {
			return
		}
		checkUsable(t, file, len(data))
		for _, key := range file.Meta.Keys() {
			_ = second(file.Meta.Int(key))
			_ = second(file.Meta.Ints(key))
			_ = second(file.Meta.Float(key))
			_ = second(file.Meta.Floats(key))
			_ = second(file.Meta.Bool(key))
			_ = second(file.Meta.String(key))
			_ = second(file.Meta.Strings(key))
		}
	})
}

// checkUsable reads every tensor of an accepted file.
func checkUsable(t *testing.T, f *File, size int) {
	t.Helper()
	for i := range f.Tensors {
		tensor := &f.Tensors[i]
		if len(tensor.Data) > size || len(tensor.Data) != tensor.Len()/tensor.DType.BlockLen()*tensor.DType.BlockSize() {
			t.Fatalf("tensor %s: %d bytes for shape %v of %s", tensor.Name, len(tensor.Data), tensor.Shape, tensor.DType)
		}
		if err := tensor.Float32(make([]float32, tensor.Len())); err != nil && !strings.Contains(err.Error(), "not a type of weights") {
			t.Fatal(err)
		}
	}
}
