package turns

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// TowerName names what WriteTower writes; below are the sizes of CLIP ViT-B/32's
// image tower (arXiv 2103.00020).
const (
	TowerName      = "clip-vit-b32"
	towerWidth     = 768
	towerHidden    = 3072
	towerLayers    = 12
	towerPatch     = 32
	towerSize      = 224
	towerEmbedding = 512
)

// towerTensor is a tensor of the tower's file: numbers about center.
type towerTensor struct {
	name           string
	shape          []int
	center, spread float64
}

func (t *towerTensor) len() int {
	n := 1
	for _, d := range t.shape {
		n *= d
	}
	return n
}

// towerTensors lists the tower as files of Hugging Face name it. The spread of a
// matrix keeps the size of what it multiplies, so that each layer counts.
func towerTensors() []towerTensor {
	const at = "vision_model."
	places := (towerSize / towerPatch) * (towerSize / towerPatch)
	var out []towerTensor
	matrix := func(name string, shape ...int) {
		out = append(out, towerTensor{name, shape, 0, math.Sqrt(float64(shape[0]) / float64((&towerTensor{shape: shape}).len()))})
	}
	vector := func(name string, n int, center float64) { out = append(out, towerTensor{name, []int{n}, center, 0.05}) }
	norm := func(name string) {
		vector(name+".weight", towerWidth, 1)
		vector(name+".bias", towerWidth, 0)
	}
	linear := func(name string, outputs, inputs int) {
		matrix(name+".weight", outputs, inputs)
		vector(name+".bias", outputs, 0)
	}
	vector(at+"embeddings.class_embedding", towerWidth, 0)
	matrix(at+"embeddings.patch_embedding.weight", towerWidth, 3, towerPatch, towerPatch)
	out = append(out, towerTensor{at + "embeddings.position_embedding.weight", []int{places + 1, towerWidth}, 0, 0.05})
	norm(at + "pre_layrnorm")
	for i := range towerLayers {
		layer := fmt.Sprintf("%sencoder.layers.%d.", at, i)
		for _, name := range []string{"q_proj", "k_proj", "v_proj", "out_proj"} {
			linear(layer+"self_attn."+name, towerWidth, towerWidth)
		}
		norm(layer + "layer_norm1")
		linear(layer+"mlp.fc1", towerHidden, towerWidth)
		linear(layer+"mlp.fc2", towerWidth, towerHidden)
		norm(layer + "layer_norm2")
	}
	norm(at + "post_layernorm")
	matrix("visual_projection.weight", towerEmbedding, towerWidth)
	return out
}

// WriteTower writes an image tower of CLIP ViT-B/32's sizes with random weights
// to a folder in the layout of Hugging Face, f32, the same each time: what a
// product takes depends on its sizes, not on its numbers.
func WriteTower(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("random tower: %w", err)
	}
	config := map[string]any{
		"model_type": "clip", "projection_dim": towerEmbedding,
		"vision_config": map[string]any{
			"hidden_size": towerWidth, "intermediate_size": towerHidden, "num_hidden_layers": towerLayers,
			"num_attention_heads": towerWidth / 64, "image_size": towerSize, "patch_size": towerPatch, "hidden_act": "quick_gelu",
		},
	}
	text, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), text, 0o644); err != nil {
		return fmt.Errorf("random tower: %w", err)
	}
	path := filepath.Join(dir, "model.safetensors")
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("random tower: %w", err)
	}
	if err := errors.Join(writeTensors(file, towerTensors()), file.Close()); err != nil {
		return fmt.Errorf("random tower: %s: %w", path, err)
	}
	return nil
}

// writeTensors writes a safetensors file: the length of the header, the header,
// the numbers.
func writeTensors(file *os.File, tensors []towerTensor) error {
	type entry struct {
		Type    string `json:"dtype"`
		Shape   []int  `json:"shape"`
		Offsets [2]int `json:"data_offsets"`
	}
	header, at := map[string]entry{}, 0
	for i := range tensors {
		t := &tensors[i]
		header[t.name] = entry{"F32", t.shape, [2]int{at, at + 4*t.len()}}
		at += 4 * t.len()
	}
	text, err := json.Marshal(header)
	if err != nil {
		return err
	}
	// Numbers lie at multiples of their size.
	for len(text)%8 != 0 {
		text = append(text, ' ')
	}
	out := bufio.NewWriterSize(file, 1<<20)
	out.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(text))))
	out.Write(text)
	random := rand.New(rand.NewPCG(1, 2))
	var number [4]byte
	for i := range tensors {
		t := &tensors[i]
		for range t.len() {
			x := float32(t.center + t.spread*random.NormFloat64())
			binary.LittleEndian.PutUint32(number[:], math.Float32bits(x))
			out.Write(number[:])
		}
	}
	return out.Flush() // gives the first error of all writes
}
