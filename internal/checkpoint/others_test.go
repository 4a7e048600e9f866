package checkpoint

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// safetensorsFile gives a file with the header and n bytes of data.
func safetensorsFile(header string, n int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, n)...)
}

const soundHeader = `{"__metadata__":{"format":"pt"},"b":{"dtype":"F16","shape":[2,2],"data_offsets":[4,12]},"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}`

var hostileSafetensors = []struct {
	name string
	file []byte
	want string
}{
	{"empty", nil, "header length"},
	{"header beyond the end", binary.LittleEndian.AppendUint64(nil, 1<<40), "header length"},
	{"not JSON", safetensorsFile("pickle", 0), "header"},
	{"cut JSON", safetensorsFile(`{"a":{"dtype":"F32","shape":[1],`, 4), "tensor a"},
	{"trailing JSON", safetensorsFile(`{}{}`, 0), "header"},
	{"unknown dtype", safetensorsFile(`{"a":{"dtype":"F8","shape":[1],"data_offsets":[0,1]}}`, 1), `tensor a: dtype "F8"`},
	{"unknown field", safetensorsFile(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}`, 4), "tensor a"},
	{"negative dimension", safetensorsFile(`{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, 4), "tensor a: shape"},
	{"overflow", safetensorsFile(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}`, 4), "tensor a: shape"},
	{"size mismatch", safetensorsFile(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, 4), "tensor a: F32 of shape [2] takes 8 bytes"},
	{"backwards", safetensorsFile(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}`, 4), "tensor a: data_offsets"},
	{"truncated", safetensorsFile(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 3), "tensor a: data_offsets"},
	{"overlap", safetensorsFile(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}`, 6), "overlap"},
	{"hole", safetensorsFile(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), "tensor a: the 4 bytes before it"},
	{"tail", safetensorsFile(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 8), "the last 4 bytes"},
	{"twice", safetensorsFile(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), "tensor a: there are two"},
}

func TestSafetensors(t *testing.T) {
	for _, c := range hostileSafetensors {
		if _, err := ParseSafetensors(c.file); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that says %q", c.name, err, c.want)
		}
	}
	f, err := ParseSafetensors(safetensorsFile(soundHeader, 12))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := f.Shaped("b", 2, 2); err != nil || b.DType != F16 || len(b.Data) != 8 {
		t.Errorf("tensor b = %+v, %v", b, err)
	}
	if _, err := f.Shaped("b", 4); err == nil || !strings.Contains(err.Error(), "tensor b has shape [2 2]") {
		t.Errorf("asking b for another shape: %v", err)
	}
}

func TestShards(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, content []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	shard := func(name string) []byte {
		return safetensorsFile(fmt.Sprintf(`{%q:{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, name), 4)
	}
	write("x-1.safetensors", shard("a"))
	write("x-2.safetensors", shard("b"))
	write("model.safetensors.index.json", []byte(`{"weight_map":{"a":"x-1.safetensors","b":"x-2.safetensors"}}`))
	f, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !f.Has("a") || !f.Has("b") {
		t.Errorf("tensors %v, want a and b", f.Tensors)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	write("model.safetensors.index.json", []byte(`{"weight_map":{"a":"../x-1.safetensors"}}`))
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "tensor a: shard") {
		t.Errorf("a shard outside the folder: %v", err)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.gguf")
	if err := os.WriteFile(empty, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{empty, filepath.Join(dir, "none.gguf"), dir} {
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v does not name the file", path, err)
		}
	}
}

func FuzzSafetensors(f *testing.F) {
	f.Add(safetensorsFile(soundHeader, 12))
	for _, c := range hostileSafetensors {
		f.Add(c.file)
	}
	quantised, err := safetensorsHeader([]Tensor{
		{Name: "a.weight", DType: I8, Shape: []int{2, 4}, Data: make([]byte, 8)}, floats("a.weight_scale", []float32{1, 2}, 2, 1),
		floats("a.input_scale", []float32{3}, 1),
	}, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append(quantised, make([]byte, 8+8+4)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		if file, err := ParseSafetensors(data); err == nil {
			checkUsable(t, file, len(data))
		}
	})
}

// ct2Text writes a length and a zero-terminated text.
func ct2Text(s string) []byte {
	return append(binary.LittleEndian.AppendUint16(nil, uint16(len(s)+1)), s+"\x00"...)
}

// ct2File gives a file of one float tensor of that shape, size and type, and an alias of it.
func ct2File(name string, shape []uint32, dtype byte, size uint32, target string) []byte {
	var b ggufBuilder
	b.put(uint32(6), ct2Text("Spec"), uint32(3), uint32(1))
	b.put(ct2Text(name), uint8(len(shape)), shape, dtype, size, make([]byte, min(size, 64)))
	b.put(uint32(1), ct2Text("alias"), ct2Text(target))
	return b.Bytes()
}

var hostileCTranslate2 = []struct {
	name string
	file []byte
	want string
}{
	{"version", binary.LittleEndian.AppendUint32(nil, 5), "version: 5"},
	{"cut", []byte{6, 0, 0, 0, 9}, "specification name"},
	{"rank", ct2File("t", make([]uint32, 9), 0, 4, "t"), "tensor t: rank 9"},
	{"type", ct2File("t", []uint32{1}, 6, 4, "t"), "tensor t: type 6"},
	{"size", ct2File("t", []uint32{2}, 0, 4, "t"), "tensor t: F32 of shape [2] takes 8 bytes"},
	{"overflow", ct2File("t", []uint32{1 << 31, 1 << 31, 1 << 31}, 0, 4, "t"), "tensor t: shape"},
	{"truncated", ct2File("t", []uint32{1 << 20}, 0, 4<<20, "t"), "tensor t"},
	{"alias of nothing", ct2File("t", []uint32{1}, 0, 4, "u"), "alias alias: there is no tensor u"},
	{"tail", append(ct2File("t", []uint32{1}, 0, 4, "t"), 0), "end: 1 bytes"},
}

func TestCTranslate2(t *testing.T) {
	for _, c := range hostileCTranslate2 {
		if _, err := ParseCTranslate2(c.file); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that says %q", c.name, err, c.want)
		}
	}
	f, err := ParseCTranslate2(ct2File("t", []uint32{2, 3}, 4, 12, "t"))
	if err != nil {
		t.Fatal(err)
	}
	if a, err := f.Shaped("alias", 2, 3); err != nil || a.DType != F16 {
		t.Errorf("alias = %+v, %v", a, err)
	}
}

func FuzzCTranslate2(f *testing.F) {
	f.Add(ct2File("t", []uint32{2, 3}, 4, 12, "t"))
	for _, c := range hostileCTranslate2 {
		f.Add(c.file)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if file, err := ParseCTranslate2(data); err == nil {
			checkUsable(t, file, len(data))
		}
	})
}
