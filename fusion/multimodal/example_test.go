package multimodal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log"

	"github.com/kuai-robot/kuai/fusion/generate"
	"github.com/kuai-robot/kuai/fusion/multimodal"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/perception/encoder/vision"
)

// A picture goes through CLIP's image tower and a projector, joint positions
// through another one, and both stand in the text that a small Llama continues.
// All weights here are random: what it says means nothing.
func Example() {
	if err := answer(); err != nil {
		log.Fatal(err)
	}
	// Output: 24 numbers of the picture, 6 tokens of an answer
}

func answer() (err error) {
	ctx, backend := context.Background(), cpu.New(cpu.Options{Threads: 1})
	tower, err := vision.Open("../../perception/encoder/testdata/clip", backend, vision.Options{})
	if err != nil {
		return err
	}
	eyes, err := tower.NewSession()
	if err != nil {
		return err
	}
	frame, err := vision.Decode(picture())
	if err != nil {
		return err
	}
	seen, err := eyes.Encode(ctx, frame)
	if err != nil {
		return err
	}

	m, err := multimodal.Open("testdata/tiny")
	if err != nil {
		return err
	}
	projectors, err := m.Compile(backend, kernels.Options{})
	if err != nil {
		return err
	}
	image, err := projectors.Project(ctx, "image", seen)
	if err != nil {
		return err
	}
	state, err := projectors.Project(ctx, "state", []float32{0.1, -0.4, 0.9, 0, 0, 1.2, 0.5})
	if err != nil {
		return err
	}

	model, err := generate.Open("../testdata/tiny/llama/model.gguf", backend, generate.Options{Mixed: true})
	if err != nil {
		return err
	}
	session, err := model.NewSession()
	if err != nil {
		return err
	}
	parts, err := multimodal.Interleave(model.Tokenizer(), "The arm is at <state> and sees <image>. It should", multimodal.Fill{
		"<image>": {{Embeddings: image}}, "<state>": {{Embeddings: state}},
	})
	if err != nil {
		return err
	}
	tokens := 0
	err = session.GenerateParts(ctx, parts, generate.Sampling{MaxTokens: 6}, func(token int32, _ string) bool {
		if token >= 0 {
			tokens++
		}
		return true
	})
	fmt.Printf("%d numbers of the picture, %d tokens of an answer\n", len(seen), tokens)
	return errors.Join(err, session.Close(), model.Close(), projectors.Close(), m.Close(), eyes.Close(), tower.Close())
}

// picture is a red one, as a file.
func picture() *bytes.Reader {
	p := image.NewRGBA(image.Rect(0, 0, 40, 30))
	for i := range 40 * 30 {
		p.Set(i%40, i/40, color.RGBA{200, 20, 20, 255})
	}
	var file bytes.Buffer
	if err := png.Encode(&file, p); err != nil {
		log.Fatal(err)
	}
	return bytes.NewReader(file.Bytes())
}
