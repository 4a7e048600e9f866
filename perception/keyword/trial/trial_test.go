package trial

import (
	"context"
	"math"
	"math/rand/v2"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/perception/keyword"
	"github.com/kuai-robot/kuai/robot"
)

// Speech without a stop word holds none, whatever is drawn.
func TestSentencesHoldNoStop(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 1))
	stop := regexp.MustCompile(`\b(stop\w*|halt|freeze|wait|ting2|bie2 dong4)\b`)
	for language, patterns := range sentences() {
		if languages[language] == nil {
			t.Errorf("no voice speaks %s", language)
		}
		for _, p := range patterns {
			for range 200 {
				text := expand(draw, p)
				if stop.MatchString(text) || strings.ContainsAny(text, "[]|") {
					t.Errorf("%q", text)
				}
			}
		}
	}
	for language, text := range near {
		if found := stop.FindString(text); found != "" {
			t.Errorf("%s: %q is no near word, it is one", language, found)
		}
	}
}

func TestNoiseHasPowerOne(t *testing.T) {
	for _, kind := range kinds {
		x := makeNoise(rand.New(rand.NewPCG(2, 2)), kind, 32000)
		if p := power(x); math.Abs(p-1) > 1e-3 {
			t.Errorf("%s: power %g", kind, p)
		}
	}
}

func TestTrim(t *testing.T) {
	x := make([]float32, 4000)
	for i := 1600; i < 2400; i++ {
		x[i] = 0.5
	}
	if got := trim(x); len(got) != 800 || got[0] != 0.5 || got[799] != 0.5 {
		t.Errorf("%d samples, want the 800 that sound", len(got))
	}
	if got := trim(x[:1000]); len(got) != 0 {
		t.Errorf("%d samples of silence", len(got))
	}
}

// A trial counts what it hears: a detector that is deaf misses every word.
func TestCountsMisses(t *testing.T) {
	if _, err := exec.LookPath("espeak-ng"); err != nil {
		t.Skip(err)
	}
	m, err := keyword.Builtin(cpu.New(cpu.Options{Threads: 1}))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	deaf := keyword.Stop()
	deaf.Threshold = 0.9999
	d, err := m.NewDetector(deaf)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	w := &trial{detector: d, draw: rand.New(rand.NewPCG(3, 3)), options: Options{Clock: robot.NewSystemClock()}}
	w.report = Report{BySNR: map[float64]*Tally{20: {}}, ByWord: map[string]*Tally{"stop": {}}}
	said, err := say(context.Background(), espeakVoice(w.draw, "en", "f4"), "stop")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.word(context.Background(), utterance{"stop", "espeak-ng", said}, "white", 20); err != nil {
		t.Fatal(err)
	}
	if got := *w.report.BySNR[20]; got != (Tally{Said: 1, Missed: 1}) {
		t.Errorf("%+v, want one of one missed", got)
	}
	if w.heard < 1 || w.busy <= 0 {
		t.Errorf("heard %g s in %g s", w.heard, w.busy)
	}
}
