package vision_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/kernels/ref"
	"github.com/kuai-robot/kuai/perception/encoder/vision"
	"github.com/kuai-robot/kuai/robot"
)

// spoiled copies the folder of a fixture with one file changed.
func spoiled(t *testing.T, family, file string, change func(data []byte) []byte) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"config.json", "preprocessor_config.json", "model.safetensors"} {
		data, err := os.ReadFile(filepath.Join(fixtures, family, name))
		if err != nil {
			t.Fatal(err)
		}
		if name == file {
			data = change(data)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func replace(from, to string) func([]byte) []byte {
	return func(data []byte) []byte { return bytes.Replace(data, []byte(from), []byte(to), 1) }
}

// A folder that does not hold what it says is an error that names the tensor or
// the field.
func TestOpenErrors(t *testing.T) {
	nan := func(data []byte) []byte {
		copy(data[len(data)-4:], "\xff\xff\xff\xff")
		return data
	}
	const config, prepare, weights = "config.json", "preprocessor_config.json", "model.safetensors"
	for want, c := range map[string]struct {
		family, file string
		change       func([]byte) []byte
	}{
		"is NaN or infinite":                  {"clip", weights, nan},
		"truncated":                           {"clip", weights, func(data []byte) []byte { return data[:len(data)-1] }},
		"no tensor vision_model.pre_layrnorm": {"clip", weights, replace("vision_model.pre_layrnorm.bias", "vision_model.pre_layrnorm.bios")},
		"patch_embedding.weight has shape":    {"clip", config, replace(`"patch_size": 8`, `"patch_size": 4`)},
		"visual_projection.weight has shape":  {"clip", config, replace(`"projection_dim": 24`, `"projection_dim": 25`)},
		"head.mlp.fc1.weight has shape": {"siglip", config, func(d []byte) []byte {
			return bytes.ReplaceAll(d, []byte(`"intermediate_size": 48`), []byte(`"intermediate_size": 40`))
		}},
		"vision_config.patch_size: 0":       {"clip", config, replace(`"patch_size": 8`, `"patch_size": 0`)},
		"vision_config.image_size: 1000000": {"clip", config, replace(`"image_size": 32`, `"image_size": 1000000`)},
		"model_type: \"clap\"": {"clip", config, func(d []byte) []byte {
			return bytes.ReplaceAll(d, []byte(`"model_type": "clip"`), []byte(`"model_type": "clap"`))
		}},
		"num_attention_heads: 5 do not divide": {"siglip", config, func(d []byte) []byte {
			return bytes.ReplaceAll(d, []byte(`"num_attention_heads": 4`), []byte(`"num_attention_heads": 5`))
		}},
		"config.json: invalid character":        {"clip", config, replace("{", "x")},
		"preprocessor_config.json: crop_size":   {"clip", prepare, replace(`"crop_size":32`, `"crop_size":31`)},
		"preprocessor_config.json: size":        {"siglip", prepare, replace(`"height":32`, `"height":30`)},
		"preprocessor_config.json: resample: 1": {"siglip", prepare, replace(`"resample":3`, `"resample":1`)},
		"image_std[0]":                          {"siglip", prepare, replace(`"image_std":[0.5`, `"image_std":[0`)},
		"image_mean and image_std: 2":           {"siglip", prepare, replace(`"image_mean":[0.5,`, `"image_mean":[`)},
	} {
		if _, err := vision.Open(spoiled(t, c.family, c.file, c.change), ref.New(), vision.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
	if _, err := vision.Open(t.TempDir(), ref.New(), vision.Options{}); err == nil || !strings.Contains(err.Error(), "config.json") {
		t.Errorf("empty folder: %v", err)
	}
}

// Pictures that make no sense are errors that name the camera; the smallest and
// the thinnest are pictures.
func TestPictureErrors(t *testing.T) {
	s := open(t, "clip", cpu.New(cpu.Options{}), vision.Options{})
	for want, f := range map[string]robot.Frame{
		"camera front: picture of 0×5 pixels":         {Camera: "front", Height: 5},
		"camera front: picture of 2×2 pixels has 3":   {Camera: "front", Width: 2, Height: 2, Pixels: make([]byte, 3)},
		"picture of 20000×20000 pixels: more than 64": {Width: 20000, Height: 20000},
		"picture of -1×3 pixels":                      {Width: -1, Height: 3},
	} {
		if _, err := s.Encode(context.Background(), &f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
	for _, size := range [][2]int{{1, 1}, {20000, 1}, {1, 20000}} {
		if _, err := s.Encode(context.Background(), noise(size[0], size[1], 1)); err != nil {
			t.Errorf("%d×%d: %v", size[0], size[1], err)
		}
	}
}

// claim makes a PNG whose header says another size than its pixels have.
func claim(t testing.TB, width, height uint32) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 2, 2))); err != nil {
		t.Fatal(err)
	}
	data := b.Bytes()
	binary.BigEndian.PutUint32(data[16:], width)
	binary.BigEndian.PutUint32(data[20:], height)
	binary.BigEndian.PutUint32(data[29:], crc32.ChecksumIEEE(data[12:29]))
	return data
}

func TestDecodeErrors(t *testing.T) {
	for want, data := range map[string][]byte{
		"the header says 20000×20000": claim(t, 20000, 20000),
		"png picture":                 claim(t, 2, 3),
		"unknown format":              []byte("not a picture"),
		"picture: ":                   nil,
	} {
		if _, err := vision.Decode(bytes.NewReader(data)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
	f, err := vision.Decode(bytes.NewReader(claim(t, 2, 2)))
	if err != nil || f.Width != 2 || f.Height != 2 || len(f.Pixels) != 12 {
		t.Errorf("%+v, %v", f, err)
	}
}

// Whatever bytes claim to be a picture, Decode gives one whose size fits its
// pixels, or an error.
func FuzzDecode(f *testing.F) {
	f.Add(claim(f, 2, 2))
	f.Add(claim(f, 20000, 20000))
	f.Add([]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00"))
	f.Add([]byte("\xff\xd8\xff\xe0"))
	f.Fuzz(func(t *testing.T, data []byte) {
		picture, err := vision.Decode(bytes.NewReader(data))
		if err == nil && (picture.Width < 1 || picture.Height < 1 || len(picture.Pixels) != 3*picture.Width*picture.Height) {
			t.Errorf("%d×%d pixels in %d bytes", picture.Width, picture.Height, len(picture.Pixels))
		}
	})
}
