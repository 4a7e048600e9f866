package hear

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/fusion/embed"
	"github.com/kuai-robot/kuai/internal/models"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/perception/audio"
)

var options = []string{
	"pick up the red block", "pick up the blue block", "place the red block in the blue bowl",
	"push the green block to the left", "move the arm home",
}

func newListener(t *testing.T, options []string) *Listener {
	t.Helper()
	store, err := models.NewStore()
	if err != nil {
		t.Skip(err)
	}
	whisper, err := store.Find("whisper-base")
	if err != nil {
		t.Skip(err)
	}
	miniLM, err := store.Find("all-minilm-l6-v2")
	if err != nil {
		t.Skip(err)
	}
	sound, err := Open(embed.SoundFolders{Sound: whisper, Text: miniLM}, cpu.New(cpu.Options{}), embed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := New(context.Background(), sound, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(l.Close(), sound.Close()); err != nil {
			t.Error(err)
		}
	})
	return l
}

func readClip(t *testing.T, path string) []float32 {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	clip, err := audio.ReadWAV(file)
	if err != nil {
		t.Fatal(err)
	}
	return clip.Samples
}

// A command by a voice that was not trained on is that option; sounds are sounds.
func TestHear(t *testing.T) {
	l, ctx := newListener(t, options), context.Background()
	h, err := l.Hear(ctx, readClip(t, "testdata/home.wav"))
	if err != nil {
		t.Fatal(err)
	}
	if h.Option != 4 || h.Probability < 0.5 || h.Speech < h.Probability {
		t.Errorf("heard %+v, want option 4, %q", h, options[4])
	}
	draw := rand.New(rand.NewPCG(1, 1))
	for want, f := range map[string]func(i int) float64{
		"silence": func(int) float64 { return 1e-4 * draw.NormFloat64() },
		"beep": func(i int) float64 {
			return 0.3 * math.Sin(2*math.Pi*1200*float64(i)/audio.Rate) * float64(1-i/3200%2)
		},
	} {
		x := make([]float32, 2*audio.Rate)
		for i := range x {
			x[i] = float32(f(i))
		}
		h, err := l.Hear(ctx, x)
		if err != nil {
			t.Fatal(err)
		}
		if h.Sound != want || h.SoundProbability < h.Probability {
			t.Errorf("heard %+v, want %s", h, want)
		}
	}
}

// Without options a clip is still a sound.
func TestHearWithoutOptions(t *testing.T) {
	h, err := newListener(t, nil).Hear(context.Background(), make([]float32, audio.Rate))
	if err != nil {
		t.Fatal(err)
	}
	if h.Option != -1 || h.Probability != 0 || h.Speech != 0 || !slices.Contains(Sounds(), h.Sound) {
		t.Errorf("heard %+v", h)
	}
}

func TestHearErrors(t *testing.T) {
	l := newListener(t, options)
	for want, x := range map[string][]float32{
		"the clip is empty":           nil,
		"sample 3 is NaN or infinite": {0, 0, 0, float32(math.NaN())},
		"30.0 s at most":              make([]float32, 31*audio.Rate),
	} {
		if _, err := l.Hear(context.Background(), x); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
}
