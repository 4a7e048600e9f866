package speech_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/kuai-robot/kuai/fusion/speech"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
)

// TestSound: where the backend computes the spectrogram the same is heard, but for the
// rounding of f32, also beside products of bytes; the silence behind the speech is the
// one that is remembered of a spectrogram.
func TestSound(t *testing.T) {
	for _, o := range []speech.Options{
		{Tail: 20, Tokens: 6, Plain: true}, {Tail: 20, Tokens: 6}, {Tail: 20, Tokens: 6, Compile: kernels.Options{Precision: kernels.Int8}},
	} {
		plain := newSession(t, fixtures+"/whisper", cpu.New(cpu.Options{}), o)
		o.Sound = true
		direct := newSession(t, fixtures+"/whisper", cpu.New(cpu.Options{}), o)
		for i, seconds := range []float64{0.5, 0.01, 0.23} {
			clip := sound(seconds, uint32(i))
			want, err := plain.Transcribe(context.Background(), clip, "en")
			if err != nil {
				t.Fatal(err)
			}
			got, err := direct.Transcribe(context.Background(), clip, "en")
			if err != nil {
				t.Fatal(err)
			}
			if worst := farthest(direct.Hidden(), plain.Hidden()); !(worst < 0.05) {
				t.Errorf("%v, plain %v, %g s: an embedding is %g off", o.Compile.Precision, o.Plain, seconds, worst)
			}
			if o.Compile.Precision != kernels.Int8 && !slices.EqualFunc(got.Tokens, want.Tokens, func(a, b speech.Token) bool { return a.ID == b.ID }) {
				t.Errorf("plain %v, %g s: heard %v, want %v", o.Plain, seconds, got.Tokens, want.Tokens)
			}
			want2, err := plain.Listen(context.Background(), clip)
			if err != nil {
				t.Fatal(err)
			}
			got2, err := direct.Listen(context.Background(), clip)
			if err != nil {
				t.Fatal(err)
			}
			if worst := farthest(got2, want2); !(worst < 0.05) {
				t.Errorf("%v, %g s: listening, an embedding is %g off", o.Compile.Precision, seconds, worst)
			}
		}
	}
}

// farthest is the largest difference, not a number where lengths differ.
func farthest(got, want []float32) (worst float64) {
	if len(got) != len(want) || len(got) == 0 {
		return math.NaN()
	}
	for i := range want {
		worst = max(worst, math.Abs(float64(got[i]-want[i])))
	}
	return worst
}
