package checkpoint

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
)

// floats makes a tensor of numbers.
func floats(name string, numbers []float32, shape ...int) Tensor {
	t := Tensor{Name: name, DType: F32, Shape: shape, Data: make([]byte, 0, 4*len(numbers))}
	for _, x := range numbers {
		t.Data = binary.LittleEndian.AppendUint32(t.Data, math.Float32bits(x))
	}
	return t
}

// WriteSafetensors writes tensors in their order. notes go into the header; nil
// leaves them out. The types of blocks, which only GGUF has, are an error.
func WriteSafetensors(path string, tensors []Tensor, notes map[string]string) error {
	header, err := safetensorsHeader(tensors, notes)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("model file: %w", err)
	}
	w := bufio.NewWriterSize(file, 1<<20)
	_, err = w.Write(header) // a Writer keeps its first error
	for i := range tensors {
		_, e := w.Write(tensors[i].Data)
		err = errors.Join(err, e)
		tensors[i].Release()
	}
	if err = errors.Join(err, w.Flush(), file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func safetensorsHeader(tensors []Tensor, notes map[string]string) ([]byte, error) {
	names := map[DType]string{}
	for name, t := range safetensorsTypes {
		names[t] = name
	}
	header := map[string]any{}
	if notes != nil {
		header["__metadata__"] = notes
	}
	at := uint64(0)
	for i := range tensors {
		t := &tensors[i]
		if names[t.DType] == "" {
			return nil, fmt.Errorf("tensor %s: safetensors has no type %s", t.Name, t.DType)
		}
		if header[t.Name] != nil {
			return nil, fmt.Errorf("tensor %s: there are two of that name", t.Name)
		}
		entry := safetensorsEntry{DType: names[t.DType], Shape: []int64{}, Offsets: []uint64{at, at + uint64(len(t.Data))}}
		for _, d := range t.Shape {
			entry.Shape = append(entry.Shape, int64(d))
		}
		at += uint64(len(t.Data))
		header[t.Name] = entry
	}
	text, err := json.Marshal(header)
	if err != nil {
		return nil, err
	}
	// Blanks after the object keep the numbers aligned.
	text = append(text, slices.Repeat([]byte{' '}, -len(text)&7)...)
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...), nil
}
