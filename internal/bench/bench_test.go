package bench_test

import (
	"context"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/internal/bench"
)

func TestRowKnowsWhetherItMeetsItsBar(t *testing.T) {
	for _, c := range []struct {
		value float64
		bar   string
		met   bool
		known bool
	}{
		{4.9, "<5", true, true}, {5, "<5", false, true}, {5, "<=5", true, true},
		{0.97, ">=0.97", true, true}, {0.96, ">=0.97", false, true}, {2, ">1", true, true},
		{1, "", false, false}, {1, "<fast", false, false},
	} {
		if met, known := (bench.Row{Value: c.value, Bar: c.bar}).Met(); met != c.met || known != c.known {
			t.Errorf("%g against %q: met %v, known %v", c.value, c.bar, met, known)
		}
	}
}

func TestPrinterWritesTheDocumentedForms(t *testing.T) {
	rows := []bench.Row{
		{Name: "loop.jitter_p99", Value: 0.4126, Unit: "ms", Bar: "<1"},
		{Name: "lm.x.decode", Value: 170, Unit: "/s", Peer: "llama.cpp", Ratio: 0.9},
	}
	var text strings.Builder
	if err := bench.NewPrinter(&text, false).Print(rows); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"0.413 ms", "bar <1, met", "170 /s", "0.9× llama.cpp"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, &text)
		}
	}
	text.Reset()
	if err := bench.NewPrinter(&text, true).Print(rows); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(text.String()), "\n")
	var row bench.Row
	if err := json.Unmarshal([]byte(lines[1]), &row); err != nil || len(lines) != 2 || row != rows[1] {
		t.Errorf("JSON lines %q: %v", lines, err)
	}
}

func TestSelectNamesTheNearest(t *testing.T) {
	groups := []bench.Group{{Name: "loop"}, {Name: "stop", Run: func(context.Context) ([]bench.Row, error) { return nil, nil }}}
	if _, err := bench.Select(groups, []string{"lop"}); err == nil || !strings.Contains(err.Error(), `"loop"`) {
		t.Errorf("error %v", err)
	}
	chosen, err := bench.Select(groups, []string{"stop"})
	if err != nil || len(chosen) != 1 || chosen[0].Name != "stop" {
		t.Errorf("chose %v, %v", chosen, err)
	}
}

func TestPercentile(t *testing.T) {
	values := []float64{3, 1, 2, 4}
	for share, want := range map[float64]float64{0: 1, 0.5: 2, 0.99: 4, 1: 4} {
		if got := bench.Percentile(values, share); got != want {
			t.Errorf("percentile %g = %g, want %g", share, got, want)
		}
	}
	if !math.IsNaN(bench.Percentile(nil, 0.5)) {
		t.Error("of nothing there is a percentile")
	}
}
