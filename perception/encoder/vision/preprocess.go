package vision

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Preprocess is what happens to a picture before the tower sees it.
type Preprocess struct {
	// Filter of the resize.
	Filter Filter
	// Width and Height of the resized picture; where Shortest is set, the
	// shorter side gets that length and the other keeps the proportion.
	Width, Height, Shortest int
	// Crop is the side of the square cut from the middle; 0: none is.
	Crop int
	// Scale and Shift make a byte the number that the tower sees, for each of R,
	// G and B: (byte·rescale − mean)/std.
	Scale, Shift [3]float32
}

// hfSize is a number, {"shortest_edge"} or {"height", "width"}.
type hfSize struct {
	Shortest int `json:"shortest_edge"`
	Height   int `json:"height"`
	Width    int `json:"width"`
}

func (s *hfSize) UnmarshalJSON(data []byte) error {
	var n int
	if json.Unmarshal(data, &n) == nil {
		*s = hfSize{Shortest: n}
		return nil
	}
	type plain hfSize
	return json.Unmarshal(data, (*plain)(s))
}

type hfPreprocess struct {
	Resize    bool      `json:"do_resize"`
	Size      hfSize    `json:"-"` // a default is replaced whole, not member by member
	Filter    int       `json:"resample"`
	Crop      bool      `json:"do_center_crop"`
	CropSize  hfSize    `json:"-"`
	Rescale   bool      `json:"do_rescale"`
	Factor    float64   `json:"rescale_factor"`
	Normalise bool      `json:"do_normalize"`
	Mean      []float64 `json:"image_mean"`
	Std       []float64 `json:"image_std"`
}

func parsePreprocess(data []byte, family Family, size int) (Preprocess, error) {
	h := hfPreprocess{
		Resize: true, Filter: int(Bicubic), Rescale: true, Factor: 1.0 / 255, Normalise: true,
		Size: hfSize{Shortest: size}, Crop: true, CropSize: hfSize{Shortest: size},
		Mean: []float64{0.48145466, 0.4578275, 0.40821073}, Std: []float64{0.26862954, 0.26130258, 0.27577711},
	}
	if family == SigLIP {
		h.Crop, h.Size = false, hfSize{Height: size, Width: size}
		h.Mean, h.Std = []float64{0.5, 0.5, 0.5}, []float64{0.5, 0.5, 0.5}
	}
	var given struct {
		Size *hfSize `json:"size"`
		Crop *hfSize `json:"crop_size"`
	}
	if len(data) > 0 {
		if err := errors.Join(json.Unmarshal(data, &h), json.Unmarshal(data, &given)); err != nil {
			return Preprocess{}, fmt.Errorf("preprocessor_config.json: %w", err)
		}
	}
	if given.Size != nil {
		h.Size = *given.Size
	}
	if given.Crop != nil {
		h.CropSize = *given.Crop
	}
	p, err := h.convert(size)
	if err != nil {
		return p, fmt.Errorf("preprocessor_config.json: %w", err)
	}
	return p, nil
}

func (h *hfPreprocess) convert(size int) (Preprocess, error) {
	p := Preprocess{Filter: Filter(h.Filter), Width: h.Size.Width, Height: h.Size.Height, Shortest: h.Size.Shortest}
	side := func(s hfSize) int { return max(s.Shortest, s.Height) }
	switch {
	case !h.Resize || !h.Rescale || !h.Normalise:
		return p, errors.New("do_resize, do_rescale and do_normalize must be true")
	case p.Filter != Bicubic && p.Filter != Bilinear:
		return p, fmt.Errorf("resample: %d, kuai knows 2 (bilinear) and 3 (bicubic)", h.Filter)
	case len(h.Mean) != 3 || len(h.Std) != 3:
		return p, fmt.Errorf("image_mean and image_std: %d and %d numbers, want 3", len(h.Mean), len(h.Std))
	case h.Crop && (h.CropSize.Width != h.CropSize.Height || side(h.CropSize) != size):
		return p, fmt.Errorf("crop_size: %+v, the tower sees squares of %d", h.CropSize, size)
	case h.Crop && (max(p.Shortest, p.Width) < size || max(p.Shortest, p.Height) < size):
		return p, fmt.Errorf("size: %+v, less than the %d that are cut out of it", h.Size, size)
	case !h.Crop && (p.Width != size || p.Height != size):
		return p, fmt.Errorf("size: %+v, the tower sees squares of %d", h.Size, size)
	case max(p.Width, p.Height, p.Shortest) > maxSize:
		return p, fmt.Errorf("size: %+v, want at most %d", h.Size, maxSize)
	}
	if h.Crop {
		p.Crop = size
	}
	for i := range p.Scale {
		if !(h.Std[i] > 0) || !(h.Factor > 0) {
			return p, fmt.Errorf("image_std[%d] and rescale_factor: %g and %g, want positive numbers", i, h.Std[i], h.Factor)
		}
		p.Scale[i], p.Shift[i] = float32(h.Factor/h.Std[i]), float32(-h.Mean[i]/h.Std[i])
	}
	return p, nil
}

// resized gives the size of a picture after the resize, and the window of it
// that the tower sees.
func (p *Preprocess) resized(width, height int) (w, h int, seen window) {
	w, h = p.Width, p.Height
	if p.Shortest > 0 {
		w, h = p.Shortest, p.Shortest
		// The longer side is cut down to a whole number, as Python's int does.
		if width > height {
			w = p.Shortest * width / height
		} else {
			h = p.Shortest * height / width
		}
	}
	if p.Crop == 0 {
		return w, h, window{0, 0, w, h}
	}
	return w, h, window{(w - p.Crop) / 2, (h - p.Crop) / 2, p.Crop, p.Crop}
}
