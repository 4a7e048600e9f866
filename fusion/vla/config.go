package vla

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"

	"github.com/kuai-robot/kuai/robot/hand"
)

// Format is what config.json must call itself.
const Format = "kuai-vla-2"

// Config is config.json: the shape of the network, and what its numbers mean.
type Config struct {
	Format string `json:"model_type"`
	// Robot is the name of the description that the policy was trained with.
	Robot string `json:"robot"`
	// Width of a token, Layers and Heads of the latents, Hidden of their MLP.
	Width  int `json:"width"`
	Layers int `json:"layers"`
	Heads  int `json:"heads"`
	Hidden int `json:"hidden"`
	// Stem are the channels of a stem's convolutions but for the last; Kernels and
	// Strides are of all of them.
	Stem    []int `json:"stem"`
	Kernels []int `json:"kernels"`
	Strides []int `json:"strides"`
	// Front and Wrist are height and width of the pictures.
	Front [2]int `json:"front"`
	Wrist [2]int `json:"wrist"`
	// Features, Horizon and Action count what goes in and comes out; Group is how
	// many steps of the horizon come from one latent.
	Features int `json:"features"`
	Horizon  int `json:"horizon"`
	Group    int `json:"group"`
	Action   int `json:"action"`
	// Flow: the actions come from noise by flow matching.
	Flow       bool     `json:"flow"`
	Vocabulary []string `json:"vocabulary"`
	// Slots is how many words a phrase has at most.
	Slots int `json:"slots"`
	// Scale is what 1 of each action means: m, rad; MiddleGrip the gripper's 0, m;
	// PlaceScale what 1 of a place means, m.
	Scale      []float64 `json:"scale"`
	MiddleGrip float64   `json:"middle_grip"`
	PlaceScale float64   `json:"place_scale"`
	// Skills are those that were taught.
	Skills []string `json:"skills"`
	// Judge is how wide the layer of the network is that says how likely a skill is
	// to succeed and whether what it is for is so; 0: there is none.
	Judge int `json:"judge,omitempty"`
	// Doubt is the judge's probability that what a skill is for is so, below which it
	// did not work; 0: nobody measured it.
	Doubt float64 `json:"doubt,omitempty"`
	// Look tells the pictures of each camera, front and wrist, from others; a camera
	// that is missing is not watched.
	Look map[string]*Look `json:"look,omitempty"`
	// Training says how the weights came about; nothing depends on it.
	Training json.RawMessage `json:"training,omitempty"`
}

// maxConfig bounds config.json, bytes.
const maxConfig = 1 << 20

// ReadConfig reads and checks config.json of a folder.
func ReadConfig(folder fs.FS) (*Config, error) {
	data, err := readFile(folder, "config.json", maxConfig)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	c, err := parseConfig(data)
	if err != nil {
		return nil, fmt.Errorf("policy: config.json: %w", err)
	}
	return c, nil
}

// readFile reads a file of at most so many bytes.
func readFile(folder fs.FS, name string, most int64) ([]byte, error) {
	info, err := fs.Stat(folder, name)
	if err != nil {
		return nil, err
	}
	if info.Size() > most {
		return nil, fmt.Errorf("%s: longer than %d bytes", name, most)
	}
	return fs.ReadFile(folder, name)
}

func parseConfig(data []byte) (*Config, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var c Config
	if err := decoder.Decode(&c); err != nil {
		return nil, err
	}
	return &c, c.check()
}

func (c *Config) check() error {
	if c.Format != Format {
		return fmt.Errorf("model_type %q, want %q", c.Format, Format)
	}
	for _, f := range []struct {
		name           string
		is, least, top int
	}{
		{"width", c.Width, 8, 2048}, {"layers", c.Layers, 1, 64}, {"heads", c.Heads, 1, 64}, {"hidden", c.Hidden, 1, 8192},
		{"stem", len(c.Stem), 1, 6}, {"front[0]", c.Front[0], 16, 512}, {"front[1]", c.Front[1], 16, 512},
		{"wrist[0]", c.Wrist[0], 16, 512}, {"wrist[1]", c.Wrist[1], 16, 512}, {"features", c.Features, hand.Features, hand.Features},
		{"horizon", c.Horizon, 2, 100}, {"group", c.Group, 1, c.Horizon}, {"action", c.Action, hand.Size, hand.Size}, {"vocabulary", len(c.Vocabulary), 2, 4096},
		{"slots", c.Slots, 1, 64}, {"judge", c.Judge, 0, 2048}, {"kernels", len(c.Kernels), len(c.Stem) + 1, len(c.Stem) + 1}, {"strides", len(c.Strides), len(c.Stem) + 1, len(c.Stem) + 1}, {"scale", len(c.Scale), hand.Size, hand.Size}, {"skills", len(c.Skills), 1, 256},
	} {
		if f.is < f.least || f.is > f.top {
			return fmt.Errorf("%s: %d, want %d to %d", f.name, f.is, f.least, f.top)
		}
	}
	if c.Width%c.Heads != 0 {
		return fmt.Errorf("width %d is not a multiple of heads %d", c.Width, c.Heads)
	}
	if c.Horizon%c.Group != 0 {
		return fmt.Errorf("horizon %d is not a multiple of group %d", c.Horizon, c.Group)
	}
	if err := c.checkStem(); err != nil {
		return err
	}
	for camera, l := range c.Look {
		if camera != "front" && camera != "wrist" || l == nil {
			return errLook
		}
		if err := l.check(camera); err != nil {
			return err
		}
	}
	if !(c.Doubt >= 0 && c.Doubt < 1) {
		return fmt.Errorf("doubt: %g is not a probability below 1", c.Doubt)
	}
	if c.Robot == "" {
		return errors.New("robot: is missing")
	}
	good := func(v float64) bool { return v > 0 && !math.IsInf(v, 0) }
	if slices.ContainsFunc(c.Scale, func(v float64) bool { return !good(v) }) || !good(c.PlaceScale) || !good(c.MiddleGrip) {
		return errors.New("scale, place_scale and middle_grip must be finite and above 0")
	}
	return nil
}

func (c *Config) checkStem() error {
	for _, n := range c.Stem {
		if n < 1 || n > 2048 {
			return fmt.Errorf("stem: %d channels", n)
		}
	}
	for i, k := range c.Kernels {
		if s := c.Strides[i]; k < 1 || k > 16 || s < 1 || s > 16 {
			return fmt.Errorf("kernels, strides: convolution %d has kernel %d and stride %d, want 1 to 16", i, k, s)
		}
	}
	for _, size := range [][2]int{c.Front, c.Wrist} {
		if h, w := c.grid(size, len(c.Kernels)); h < 1 || w < 1 {
			return fmt.Errorf("kernels, strides: nothing is left of a picture of %d × %d", size[0], size[1])
		}
	}
	return nil
}

// Knows says whether the policy was taught a skill of that name.
func (c *Config) Knows(skill string) bool { return slices.Contains(c.Skills, skill) }

// unknown is the number of a word that the vocabulary does not have.
const unknown = 1

// Encode gives the numbers of the words of a phrase, filled up with 0.
func (c *Config) Encode(phrase string, out []int32) {
	clear(out)
	words := strings.FieldsFunc(strings.ToLower(phrase), func(r rune) bool { return r < 'a' || r > 'z' })
	for i, word := range words[:min(len(words), len(out))] {
		out[i] = unknown
		if at := slices.Index(c.Vocabulary, word); at > unknown {
			out[i] = int32(at)
		}
	}
}

// tokens counts those of a picture of height and width.
func (c *Config) tokens(size [2]int) int {
	h, w := c.grid(size, len(c.Kernels))
	return h * w
}

// Cells gives the rows and columns of the front picture that a gaze looks at: those
// before the last convolution.
func (c *Config) Cells() (rows, columns int) { return c.grid(c.Front, len(c.Stem)) }

// grid gives how many rows and columns a picture has after so many convolutions.
func (c *Config) grid(size [2]int, convs int) (h, w int) {
	h, w = size[0], size[1]
	for i := range convs {
		k, s := c.Kernels[i], c.Strides[i]
		if h+2*padding < k || w+2*padding < k {
			return 0, 0
		}
		h, w = (h+2*padding-k)/s+1, (w+2*padding-k)/s+1
	}
	return h, w
}
