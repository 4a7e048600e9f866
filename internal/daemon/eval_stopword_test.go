package daemon

import (
	"testing"

	"github.com/kuai-robot/kuai/internal/bench"
	"github.com/kuai-robot/kuai/perception/keyword"
	"github.com/kuai-robot/kuai/perception/keyword/trial"
)

// The rows of a report say what it counted; what was not measured has no row.
func TestStopwordRows(t *testing.T) {
	r := &trial.Report{
		BySNR:  map[float64]*trial.Tally{20: {Said: 200, Missed: 1}, 10: {Said: 100, Missed: 5}, 5: {Said: 50, Missed: 10}},
		ByWord: map[string]*trial.Tally{},
		Quiet: map[string]*trial.Stretch{
			"en": {Hours: 2, Stops: 3}, "zh": {Hours: 1, Stops: 1}, "music": {Hours: 1}, trial.People: {Hours: 0.5, Stops: 4},
		},
		Late: []float64{10, 20, 30}, Near: trial.Tally{Said: 10, Missed: 4}, Load: 0.005, TooLate: 7,
	}
	for _, w := range keyword.Stop().Words {
		r.ByWord[w] = &trial.Tally{Said: 10}
	}
	byName := func() map[string]bench.Row {
		all := map[string]bench.Row{}
		for _, row := range stopwordRows(r) {
			if _, twice := all[row.Name]; twice {
				t.Errorf("two rows are called %s", row.Name)
			}
			all[row.Name] = row
		}
		return all
	}
	rows := byName()
	for name, want := range map[string]float64{
		"missed_20db": 0.005, "missed_10db": 0.05, "missed_5db": 0.2, "utterances": 350, "missed_by_time": 0.02, "late_p50": 20, "near_words_heard": 0.4,
		"hours": 4, "false_per_hour": 1, "false_per_hour.en": 1.5, "false_per_hour.zh": 1, "people_hours": 0.5, "people_false_per_hour": 8, "load": 0.005,
	} {
		if got, ok := rows["eval.stopword."+name]; !ok || got.Value != want {
			t.Errorf("%s is %g, want %g", name, got.Value, want)
		}
	}
	for _, name := range []string{"missed_flite", "refused", "asked_per_hour"} {
		if _, ok := rows["eval.stopword."+name]; ok {
			t.Errorf("%s was not measured and has a row", name)
		}
	}
	r.OtherEngine = trial.Tally{Said: 4, Missed: 3}
	r.Asked, r.AskedQuiet, r.Refused, r.Thinking = 20, 9, 5, []float64{30}
	delete(r.Quiet, trial.People)
	rows = byName()
	for name, want := range map[string]float64{"missed_flite": 0.75, "refused": 0.25, "asked_per_hour": 2.25, "second_opinion_p50": 30} {
		if got := rows["eval.stopword."+name].Value; got != want {
			t.Errorf("%s is %g, want %g", name, got, want)
		}
	}
	if _, ok := rows["eval.stopword.people_hours"]; ok {
		t.Error("no people were heard and have a row")
	}
}
