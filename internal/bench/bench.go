package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/kuai-robot/kuai/robot"
)

// Row is one figure.
type Row struct {
	// Name is dotted, "loop.jitter_p99".
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	// Unit is ms, MB, /s, or empty for a count or a fraction of 1.
	Unit string `json:"unit"`
	// Bar is "<5", ">=0.97" or empty where there is none.
	Bar string `json:"bar"`
	// Peer names what Ratio compares with on the same input in the same run:
	// our time over the peer's, or the peer's rate over ours, so that below 1
	// is ahead.
	Peer  string  `json:"peer"`
	Ratio float64 `json:"ratio"`
}

// Met says whether the value is within the bar; known is false without one.
func (r Row) Met() (met, known bool) {
	for _, op := range []string{"<=", ">=", "<", ">"} {
		text, ok := strings.CutPrefix(r.Bar, op)
		if !ok {
			continue
		}
		bar, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return false, false
		}
		switch op {
		case "<=":
			return r.Value <= bar, true
		case ">=":
			return r.Value >= bar, true
		case "<":
			return r.Value < bar, true
		}
		return r.Value > bar, true
	}
	return false, false
}

// Group is a set of figures that are measured together.
type Group struct {
	Name string
	// About is one line for a person.
	About string
	Run   func(ctx context.Context) ([]Row, error)
}

// Select gives the groups called names, all of them when there are no names.
func Select(groups []Group, names []string) ([]Group, error) {
	if len(names) == 0 {
		return groups, nil
	}
	known := make([]string, len(groups))
	for i := range groups {
		known[i] = groups[i].Name
	}
	var chosen []Group
	for _, name := range names {
		i := slices.Index(known, name)
		if i < 0 {
			return nil, fmt.Errorf("bench group %q is not known (did you mean %q? there is %s)",
				name, robot.Nearest(name, known), strings.Join(known, ", "))
		}
		chosen = append(chosen, groups[i])
	}
	return chosen, nil
}

// Printer writes rows as they come.
type Printer struct {
	out  io.Writer
	json bool
}

// NewPrinter gives a printer to out, of a table or of JSON lines.
func NewPrinter(out io.Writer, asJSON bool) *Printer { return &Printer{out: out, json: asJSON} }

// Print writes the rows of one group.
func (p *Printer) Print(rows []Row) error {
	if p.json {
		encoder := json.NewEncoder(p.out)
		for _, r := range rows {
			if err := encoder.Encode(r); err != nil {
				return fmt.Errorf("figure %s: %w", r.Name, err)
			}
		}
		return nil
	}
	table := tabwriter.NewWriter(p.out, 0, 4, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintf(table, "%-34s\t%s\t%s\t%s\n", r.Name, strings.TrimSpace(number(r.Value)+" "+r.Unit), r.bar(), r.peer())
	}
	return table.Flush()
}

func (r Row) bar() string {
	met, known := r.Met()
	switch {
	case !known:
		return ""
	case met:
		return "bar " + r.Bar + ", met"
	}
	return "bar " + r.Bar + ", MISSED"
}

func (r Row) peer() string {
	if r.Peer == "" {
		return ""
	}
	return fmt.Sprintf("%s× %s", number(r.Ratio), r.Peer)
}

// number writes v with three significant digits, whole numbers in full.
func number(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e9 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	if math.Abs(v) >= 100 {
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// Percentile gives the smallest value that at least share (0 to 1) of values
// do not exceed; NaN when there are none. values are sorted in place.
func Percentile(values []float64, share float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	slices.Sort(values)
	i := int(math.Ceil(share*float64(len(values)))) - 1
	return values[min(max(i, 0), len(values)-1)]
}
