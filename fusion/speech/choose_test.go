package speech_test

import (
	"testing"

	"github.com/kuai-robot/kuai/fusion/speech"
	"github.com/kuai-robot/kuai/kernels/cpu"
)

// Of several texts the one that was said is chosen, with the probability that
// decoding it freely gives it.
func TestChoose(t *testing.T) {
	s := newSession(t, whisper(t), cpu.New(cpu.Options{}), speech.Options{Draft: 40})
	free, err := s.Transcribe(t.Context(), recording(t, "goforward.raw"), "en")
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, token := range free.Tokens {
		sum += token.LogP
	}
	texts := []string{"pick up the red block", "go forward 20 meters", "go forward 10 meters", "go", "put the green block in the blue bowl", "go backward 10 meters"}
	best, ok, err := s.Choose(t.Context(), "en", s.Choices(texts))
	if err != nil || !ok || best.Text != "go forward 10 meters" {
		t.Fatalf("%+v, %v, %v; freely %q", best, ok, err, free.Text)
	}
	if d := best.LogP - sum; d > 0.1 || d < -0.5 {
		t.Errorf("log-probability %.2f, freely %.2f", best.LogP, sum)
	}
	if best.Margin < 1 {
		t.Errorf("only %.2f ahead", best.Margin)
	}
	if _, ok, err := s.Choose(t.Context(), "en", s.Choices(nil)); ok || err != nil {
		t.Errorf("a choice of nothing: %v, %v", ok, err)
	}
}
