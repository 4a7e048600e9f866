package inspect

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// WriteJSON writes the summary as one line.
func (s *Summary) WriteJSON(w io.Writer) error { return json.NewEncoder(w).Encode(s) }

// WriteTable writes the summary for a person.
func (s *Summary) WriteTable(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(out, "%s\n", s.File)
	fmt.Fprintf(out, "%s, %.1f s, %.1f MB, %d messages", s.Begins.UTC().Format(time.DateTime+" UTC"), s.Seconds, float64(s.Bytes)/1e6, s.Messages)
	if s.Truncated {
		fmt.Fprint(out, ", cut off at its end")
	}
	fmt.Fprintf(out, "\nrobot %s, kuai %s, model %s\n\n", or(s.Robot), or(s.Version), or(s.Model))
	fmt.Fprintln(out, "topic\tmessages\t/s\tlongest gap\tMB\tlate p50\tp99")
	for i := range s.Topics {
		t := &s.Topics[i]
		fmt.Fprintf(out, "%s\t%d\t%.1f\t%.2f s\t%.2f\t%.1f ms\t%.1f ms\n", t.Name, t.Count, t.Rate, t.Gap, float64(t.Bytes)/1e6, t.LateMS, t.LateP99MS)
	}
	if l := s.Loop; l != nil {
		fmt.Fprintf(out, "\ncontrol loop: %d ticks every %.2f ms (p99 %.2f), on joints %.2f ms old (p99 %.2f)\n", l.Ticks, l.PeriodMS, l.PeriodP99MS, l.StateAgeMS, l.StateAgeP99MS)
	}
	fmt.Fprintf(out, "lost: %d samples, %d ticks\n", s.Drops.Samples, s.Drops.Ticks)
	if len(s.Episodes) > 0 {
		fmt.Fprintln(out, "\nepisode\tinstruction\tended\tafter\treason")
	}
	for i := range s.Episodes {
		e := &s.Episodes[i]
		took := "-"
		if e.Ended != 0 {
			took = fmt.Sprintf("%.1f s", e.Ended.Sub(e.Started).Seconds())
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\n", e.ID, e.Instruction, e.Status, took, e.Reason)
	}
	if len(s.Verdicts) > 0 {
		fmt.Fprintln(out, "\nmode\tseconds\treason")
	}
	for _, v := range s.Verdicts {
		fmt.Fprintf(out, "%s\t%.1f\t%s\n", v.Mode, v.Seconds, v.Reason)
	}
	return out.Flush()
}

func or(text string) string {
	if text == "" {
		return "unknown"
	}
	return text
}
