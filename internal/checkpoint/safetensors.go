package checkpoint

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// safetensorsMaxHeader is the limit that the reference implementation sets.
const safetensorsMaxHeader = 100 << 20

var safetensorsTypes = map[string]DType{
	"F32": F32, "F64": F64, "F16": F16, "BF16": BF16,
	"I8": I8, "I16": I16, "I32": I32, "I64": I64, "U8": U8, "BOOL": Bool,
}

// safetensorsEntry is one tensor of the header.
type safetensorsEntry struct {
	DType   string   `json:"dtype"`
	Shape   []int64  `json:"shape"`
	Offsets []uint64 `json:"data_offsets"`
}

// ParseSafetensors reads a safetensors file (https://github.com/huggingface/safetensors,
// section Format) from data, which the tensors of the result point into. Like
// the reference implementation it wants the tensors to cover the data exactly.
func ParseSafetensors(data []byte) (*File, error) {
	if len(data) < 8 {
		return nil, fmt.Errorf("header length: needs 8 bytes, the file has %d", len(data))
	}
	n := binary.LittleEndian.Uint64(data)
	if n > safetensorsMaxHeader || n > uint64(len(data)-8) {
		return nil, fmt.Errorf("header length: %d bytes in a file of %d (truncated, or not a safetensors file?)", n, len(data))
	}
	header, body := data[8:8+n], data[8+n:]
	tensors, err := parseSafetensorsHeader(header, body)
	if err != nil {
		return nil, err
	}
	return newFile(Metadata{}, tensors)
}

// parseSafetensorsHeader walks the JSON object key by key, because decoding it
// into a map would hide keys that occur twice.
func parseSafetensorsHeader(header, body []byte) ([]Tensor, error) {
	decoder := json.NewDecoder(bytes.NewReader(header))
	decoder.DisallowUnknownFields()
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return nil, errors.New("header: not a JSON object")
	}
	var tensors []Tensor
	var spans []span
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, fmt.Errorf("header: %w", err)
		}
		name, _ := token.(string)
		if name == "__metadata__" {
			var notes map[string]string
			if err := decoder.Decode(&notes); err != nil {
				return nil, fmt.Errorf("header __metadata__: %w", err)
			}
			continue
		}
		var entry safetensorsEntry
		if err := decoder.Decode(&entry); err != nil {
			return nil, fmt.Errorf("tensor %s: %w", name, err)
		}
		t, s, err := entry.place(name, body)
		if err != nil {
			return nil, fmt.Errorf("tensor %s: %w", name, err)
		}
		tensors, spans = append(tensors, t), append(spans, s)
	}
	if _, err := decoder.Token(); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("header: something follows the JSON object")
	}
	if err := checkSpans(spans); err != nil {
		return nil, err
	}
	return tensors, checkCovered(spans, uint64(len(body)))
}

// place checks the entry against body and gives its tensor.
func (e *safetensorsEntry) place(name string, body []byte) (Tensor, span, error) {
	dtype, known := safetensorsTypes[e.DType]
	if !known {
		return Tensor{}, span{}, fmt.Errorf("dtype %q is not one that kuai reads", e.DType)
	}
	shape := make([]int, len(e.Shape))
	for i, dim := range e.Shape {
		if dim < 0 || dim > math.MaxInt {
			return Tensor{}, span{}, fmt.Errorf("shape %v has a dimension below 0", e.Shape)
		}
		shape[i] = int(dim)
	}
	size, err := storedSize(dtype, shape)
	if err != nil {
		return Tensor{}, span{}, err
	}
	if len(e.Offsets) != 2 {
		return Tensor{}, span{}, fmt.Errorf("data_offsets has %d numbers, want 2", len(e.Offsets))
	}
	start, end := e.Offsets[0], e.Offsets[1]
	if start > end || end > uint64(len(body)) {
		return Tensor{}, span{}, fmt.Errorf("data_offsets [%d, %d] lie outside the %d bytes of data (truncated?)", start, end, len(body))
	}
	if end-start != size {
		return Tensor{}, span{}, fmt.Errorf("%s of shape %v takes %d bytes, data_offsets give %d", dtype, shape, size, end-start)
	}
	return Tensor{Name: name, DType: dtype, Shape: shape, Data: body[start:end:end]}, span{name, start, end}, nil
}

// checkCovered fails when bytes before, between or after the sorted spans
// belong to no tensor: somebody could hide something there.
func checkCovered(spans []span, total uint64) error {
	at := uint64(0)
	for _, s := range spans {
		if s.start != at {
			return fmt.Errorf("tensor %s: the %d bytes before it belong to no tensor", s.name, s.start-at)
		}
		at = s.end
	}
	if at != total {
		return fmt.Errorf("data: the last %d bytes belong to no tensor", total-at)
	}
	return nil
}

// openFolder opens the model file of a folder: model.safetensors, its shards
// by model.safetensors.index.json, or CTranslate2's model.bin.
func openFolder(dir string) (*File, error) {
	for _, name := range []string{"model.safetensors", "model.bin"} {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return Open(path)
		}
	}
	index := filepath.Join(dir, "model.safetensors.index.json")
	text, err := os.ReadFile(index)
	if err != nil {
		return nil, fmt.Errorf("%s: holds none of model.safetensors, model.safetensors.index.json, model.bin", dir)
	}
	var shards struct {
		WeightMap map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(text, &shards); err != nil {
		return nil, fmt.Errorf("%s: %w", index, err)
	}
	var names []string
	for tensor, shard := range shards.WeightMap {
		if shard != filepath.Base(shard) || !strings.HasSuffix(shard, ".safetensors") {
			return nil, fmt.Errorf("%s: tensor %s: shard %q is not the name of a file beside the index", index, tensor, shard)
		}
		if !slices.Contains(names, shard) {
			names = append(names, shard)
		}
	}
	slices.Sort(names)
	return openShards(dir, names)
}

func openShards(dir string, names []string) (*File, error) {
	whole := &File{Path: dir}
	fail := func(err error) (*File, error) { return nil, errors.Join(err, whole.Close()) }
	var tensors []Tensor
	for _, name := range names {
		shard, err := Open(filepath.Join(dir, name))
		if err != nil {
			return fail(err)
		}
		tensors = append(tensors, shard.Tensors...)
		whole.mapped = append(whole.mapped, shard.mapped...)
	}
	f, err := newFile(Metadata{}, tensors)
	if err != nil {
		return fail(fmt.Errorf("%s: %w", dir, err))
	}
	f.Path, f.mapped = whole.Path, whole.mapped
	return f, nil
}
