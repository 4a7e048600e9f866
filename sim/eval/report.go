package eval

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
)

// Rate is how often something was so.
type Rate struct {
	Hits, Of int
}

func (r *Rate) add(hit bool) {
	r.Of++
	if hit {
		r.Hits++
	}
}

// Value is Hits / Of, 0 when nothing was counted.
func (r Rate) Value() float64 {
	if r.Of == 0 {
		return 0
	}
	return float64(r.Hits) / float64(r.Of)
}

// z95 is the 97.5th percentile of the standard normal distribution.
const z95 = 1.959963984540054

// Wilson gives the score interval at 95 % (E. B. Wilson, 1927), 0 to 1 when
// nothing was counted.
func (r Rate) Wilson() (low, high float64) {
	if r.Of == 0 {
		return 0, 1
	}
	n, p := float64(r.Of), r.Value()
	scale := 1 / (1 + z95*z95/n)
	middle := scale * (p + z95*z95/(2*n))
	half := scale * z95 * math.Sqrt(p*(1-p)/n+z95*z95/(4*n*n))
	low, high = max(0, middle-half), min(1, middle+half)
	// At the ends the formula gives 0 and 1 but for rounding.
	if r.Hits == 0 {
		low = 0
	}
	if r.Hits == r.Of {
		high = 1
	}
	return low, high
}

// Tally is the figures of one family, or of all.
type Tally struct {
	Family string
	// Success counts goals reached, Plan right plans, Execute right executions.
	Success, Plan, Execute Rate
	// First counts right first decisions, Untouched what the goal does not name left
	// as it was; both in the household alone.
	First, Untouched Rate
	// Seconds is the sum over the episodes of Success.
	Seconds float64
	Places  map[Place]int
}

// MeanSeconds an episode.
func (t *Tally) MeanSeconds() float64 {
	if t.Success.Of == 0 {
		return 0
	}
	return t.Seconds / float64(t.Success.Of)
}

// Report is the figures of a run.
type Report struct {
	Suite string
	Given bool
	// Skills names what carried them out.
	Skills string
	// Families in the order of the suite; those that did not run are left out.
	Families []*Tally
	All      Tally
	// Can names what judged the skills, where it is not scripted.
	Can string
	// Seams of a learned policy; nil: nobody counted them.
	Seams *Seams
	// Household counts what it refused and asked; nil in other worlds.
	Household *Manners
}

func newReport(s *Suite, o Options) *Report {
	r := &Report{Suite: s.Name, Given: o.Given, Skills: o.Skills, Can: o.Can, All: Tally{Family: "all", Places: map[Place]int{}}}
	for _, f := range s.Families() {
		r.Families = append(r.Families, &Tally{Family: f, Places: map[Place]int{}})
	}
	return r
}

func (r *Report) add(out *Outcome) {
	if out.Untouched != nil && !r.Given {
		if r.Household == nil {
			r.Household = &Manners{}
		}
		r.Household.add(out)
	}
	i := slices.IndexFunc(r.Families, func(t *Tally) bool { return t.Family == out.Episode.Family })
	for _, t := range []*Tally{r.Families[i], &r.All} {
		t.Success.add(out.Reached)
		if out.PlanRight != nil {
			t.Plan.add(*out.PlanRight)
		}
		if out.ExecutedRight != nil {
			t.Execute.add(*out.ExecutedRight)
		}
		if out.FirstRight != nil {
			t.First.add(*out.FirstRight)
		}
		if out.Untouched != nil {
			t.Untouched.add(*out.Untouched)
		}
		t.Seconds += out.Seconds
		if out.Place != Nowhere {
			t.Places[out.Place]++
		}
	}
}

// ran gives the tallies that counted anything, all of them last.
func (r *Report) ran() []*Tally {
	ran := slices.DeleteFunc(slices.Clone(r.Families), func(t *Tally) bool { return t.Success.Of == 0 })
	return append(ran, &r.All)
}

// places gives the places of t's failures, the commonest first.
func (t *Tally) places() []Place {
	var places []Place
	for p := range t.Places {
		places = append(places, p)
	}
	slices.SortFunc(places, func(a, b Place) int {
		if d := t.Places[b] - t.Places[a]; d != 0 {
			return d
		}
		return slices.Compare([]byte(a), []byte(b))
	})
	return places
}

// WriteTable writes r for a person.
func (r *Report) WriteTable(w io.Writer) error {
	what := "suite " + r.Suite
	if r.Given {
		what += ", given the right skills (no language model)"
	}
	if r.Skills != "" {
		what += ", skills " + r.Skills
	}
	if r.Can != "" {
		what += ", can " + r.Can
	}
	if _, err := fmt.Fprintf(w, "%s: %d episodes; rates with Wilson intervals at 95 %%\n", what, r.All.Success.Of); err != nil {
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	more := r.All.Untouched.Of > 0
	household := func(columns string) string {
		if !more {
			return ""
		}
		return columns
	}
	fmt.Fprintf(table, "family\tepisodes\tgoal reached\tplan right\t%sexecuted right\ts/episode\tfailures\n", household("first right\tuntouched\t"))
	for _, t := range r.ran() {
		failures := ""
		for _, p := range t.places() {
			failures += fmt.Sprintf("%s %d  ", p, t.Places[p])
		}
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s%s\t%.1f\t%s\n", t.Family, t.Success.Of, percent(t.Success), percent(t.Plan),
			household(percent(t.First)+"\t"+percent(t.Untouched)+"\t"), percent(t.Execute), t.MeanSeconds(), failures)
	}
	if err := errors.Join(table.Flush(), r.Seams.write(w)); err != nil || r.Household == nil {
		return err
	}
	return r.Household.write(w)
}

func percent(r Rate) string {
	if r.Of == 0 {
		return "–"
	}
	low, high := r.Wilson()
	return fmt.Sprintf("%d/%d %3.0f %% (%.0f–%.0f)", r.Hits, r.Of, 100*r.Value(), 100*low, 100*high)
}

// Figure is one number in the one form that all figures of kuai have.
type Figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	Bar   string  `json:"bar"`
	Peer  string  `json:"peer"`
	Ratio float64 `json:"ratio"`
	// Low and High are the Wilson interval of a rate over N episodes.
	Low  *float64 `json:"low,omitempty"`
	High *float64 `json:"high,omitempty"`
	N    int      `json:"n,omitempty"`
}

// learnedSkills are told apart in the names of figures.
const learnedSkills = "learned"

// givenBar is what the body alone must reach.
const givenBar = ">=0.97"

// Figures gives eval.<suite>.plan, .execute, .success and .seconds, then the
// same of each family, eval.<suite>.<family>.plan and so on, and where failures
// lay as a fraction of the episodes, eval.<suite>.at.<place>. The household has
// .first and .untouched as well, and .refused, .over_refused, .asked and
// .over_asked in all. With skills that are
// learned the suite's name is followed by -learned, with Options.Given by -given.
func (r *Report) Figures() []Figure {
	root := "eval." + r.Suite
	if r.Skills == learnedSkills {
		root += "-" + learnedSkills
	}
	if r.Given {
		root += "-given"
	}
	figures := r.All.figures(root)
	if r.Given && r.Skills != learnedSkills {
		for i := range figures {
			if figures[i].Name == root+".success" {
				figures[i].Bar = givenBar
			}
		}
	}
	for _, p := range r.All.places() {
		figures = append(figures, Figure{
			Name: root + ".at." + string(p), Value: float64(r.All.Places[p]) / float64(r.All.Success.Of), Unit: "fraction", N: r.All.Success.Of,
		})
	}
	for _, t := range r.ran() {
		if t != &r.All {
			figures = append(figures, t.figures(root+"."+t.Family)...)
		}
	}
	figures = append(figures, r.Seams.figures(root)...)
	if r.Household != nil {
		figures = append(figures, r.Household.figures(root)...)
		r.setBars(root, figures)
	}
	return figures
}

// setBars writes to the figures what the household must reach.
func (r *Report) setBars(root string, figures []Figure) {
	for i := range figures {
		rest, _ := strings.CutPrefix(figures[i].Name, root)
		if bar, ok := householdBars[rest]; ok {
			figures[i].Bar = bar
		} else if strings.HasSuffix(rest, ".success") {
			figures[i].Bar = familyBar
		}
	}
}

func (t *Tally) figures(root string) []Figure {
	var figures []Figure
	for _, rate := range []struct {
		name string
		rate Rate
	}{{".plan", t.Plan}, {".first", t.First}, {".untouched", t.Untouched}, {".execute", t.Execute}, {".success", t.Success}} {
		if rate.rate.Of > 0 {
			low, high := rate.rate.Wilson()
			figures = append(figures, Figure{Name: root + rate.name, Value: rate.rate.Value(), Unit: "fraction", Low: &low, High: &high, N: rate.rate.Of})
		}
	}
	return append(figures, Figure{Name: root + ".seconds", Value: t.MeanSeconds(), Unit: "s", N: t.Success.Of})
}

// WriteJSON writes the figures, one object a line.
func (r *Report) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	for _, f := range r.Figures() {
		if err := encoder.Encode(f); err != nil {
			return err
		}
	}
	return nil
}

// Keep writes out to folder, which it makes, as <number>-<family>.json: the
// episode, each step with its candidates and scores, and the verdicts.
func Keep(folder string, out *Outcome) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	data, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return fmt.Errorf("episode %d: %w", out.Number, err)
	}
	return os.WriteFile(filepath.Join(folder, fmt.Sprintf("%05d-%s.json", out.Number, out.Episode.Family)), append(data, '\n'), 0o644)
}
