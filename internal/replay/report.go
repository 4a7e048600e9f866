package replay

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"text/tabwriter"

	"github.com/kuai-robot/kuai/robot"
)

// Report says how a replay differs from the recording.
type Report struct {
	Files []string `json:"files"`
	// References is the file that commands were held against, empty for the
	// recording itself.
	References string `json:"references,omitempty"`
	// Ticks of the control loop were done again; DifferentTicks gave another
	// command or another verdict.
	Ticks          uint64 `json:"ticks"`
	DifferentTicks uint64 `json:"different_ticks"`
	// First is where that began.
	First    *Difference     `json:"first,omitempty"`
	Joints   []JointReport   `json:"joints"`
	Episodes []EpisodeReport `json:"episodes,omitempty"`
	// Incomplete says why the replay did not reach the end of the recording.
	Incomplete string   `json:"incomplete,omitempty"`
	Notes      []string `json:"notes,omitempty"`
}

// Difference is one tick that is not as it was.
type Difference struct {
	Tick uint64     `json:"tick"`
	At   robot.Time `json:"at"`
	What string     `json:"what"`
}

// JointReport says how far the commands of one joint are from what they were;
// rad or m, and rad/s or m/s.
type JointReport struct {
	Name        string  `json:"name"`
	Ticks       uint64  `json:"ticks"`
	MaxPosition float64 `json:"max_position"`
	MaxVelocity float64 `json:"max_velocity"`
}

// EpisodeReport is one instruction or skill as it ends now and as it ended.
type EpisodeReport struct {
	ID          string     `json:"id"`
	Instruction string     `json:"instruction"`
	At          robot.Time `json:"at"`
	Status      string     `json:"status"`
	Reason      string     `json:"reason,omitempty"`
	WasStatus   string     `json:"was_status"`
	WasReason   string     `json:"was_reason,omitempty"`
	// Diverged says what the agent did first that it did not do then.
	Diverged   string     `json:"diverged,omitempty"`
	DivergedAt robot.Time `json:"diverged_at,omitempty"`
	// Chunks were compared, DifferentChunks are not the same to the bit.
	// MissingChunks were recorded and are not given now; AddedChunks are new.
	Chunks          int `json:"chunks"`
	DifferentChunks int `json:"different_chunks"`
	MissingChunks   int `json:"missing_chunks"`
	AddedChunks     int `json:"added_chunks"`
}

func newReport(files, joints []string) *Report {
	r := &Report{Files: files, Joints: make([]JointReport, len(joints))}
	for i := range joints {
		r.Joints[i].Name = joints[i]
	}
	return r
}

func (r *Report) note(text string)        { r.Notes = append(r.Notes, text) }
func (r *Report) episode(e EpisodeReport) { r.Episodes = append(r.Episodes, e) }

// Same says whether the whole recording was replayed, all commands are the same
// bits for the same reasons, and every episode went as it went.
func (r *Report) Same() bool {
	for i := range r.Episodes {
		if !r.Episodes[i].same() && r.References == "" {
			return false
		}
	}
	return r.DifferentTicks == 0 && r.Incomplete == ""
}

// same leaves a recording that was cut off unjudged beyond its end.
func (e *EpisodeReport) same() bool {
	if e.WasStatus == "cut off" {
		return e.Diverged == "" && e.DifferentChunks == 0
	}
	return e.Diverged == "" && e.Status == e.WasStatus && e.Reason == e.WasReason && e.DifferentChunks+e.MissingChunks+e.AddedChunks == 0
}

// tick compares one command.
func (r *Report) tick(was, is *Command) {
	r.Ticks++
	if was.same(is) {
		return
	}
	r.DifferentTicks++
	if r.First == nil {
		r.First = &Difference{Tick: is.Number, At: is.At, What: r.difference(was, is)}
	}
	for i := range r.Joints {
		if i >= len(was.Position) || i >= len(is.Position) || i >= len(was.Velocity) || i >= len(is.Velocity) {
			continue
		}
		j := &r.Joints[i]
		position, velocity := math.Abs(was.Position[i]-is.Position[i]), math.Abs(was.Velocity[i]-is.Velocity[i])
		if !(position == 0 && velocity == 0) {
			j.Ticks++
		}
		j.MaxPosition, j.MaxVelocity = max(j.MaxPosition, position), max(j.MaxVelocity, velocity)
	}
}

// difference says in words what is not the same.
func (r *Report) difference(was, is *Command) string {
	switch {
	case len(was.Position) != len(is.Position) || len(was.Velocity) != len(is.Velocity):
		return fmt.Sprintf("%d joints are commanded, %d were", len(is.Position), len(was.Position))
	case was.Mode != is.Mode || was.Reason != is.Reason:
		return fmt.Sprintf("%s (%s), was %s (%s)", is.Mode, is.Reason, was.Mode, was.Reason)
	case was.Enable != is.Enable:
		return fmt.Sprintf("torque %v, was %v", is.Enable, was.Enable)
	}
	for i := range r.Joints {
		if math.Float64bits(was.Position[i]) != math.Float64bits(is.Position[i]) {
			return fmt.Sprintf("%s to %v, was %v", r.Joints[i].Name, is.Position[i], was.Position[i])
		}
		if math.Float64bits(was.Velocity[i]) != math.Float64bits(is.Velocity[i]) {
			return fmt.Sprintf("%s at velocity %v, was %v", r.Joints[i].Name, is.Velocity[i], was.Velocity[i])
		}
	}
	return fmt.Sprintf("source %s, limits %d, joint %d; was %s, %d, %d", is.Source, is.Limited, is.Joint, was.Source, was.Limited, was.Joint)
}

// WriteJSON writes the report as one line.
func (r *Report) WriteJSON(w io.Writer) error {
	return json.NewEncoder(w).Encode(struct {
		Same bool `json:"same"`
		*Report
	}{r.Same(), r})
}

// WriteTable writes the report for a person.
func (r *Report) WriteTable(w io.Writer) error {
	out := &printer{w: w}
	for i := range r.Episodes {
		r.Episodes[i].write(out)
	}
	against := "the recording"
	if r.References != "" {
		against = r.References
	}
	switch {
	case r.DifferentTicks == 0:
		out.line("%d ticks: every command is the same to the bit as in %s", r.Ticks, against)
	default:
		out.line("%d of %d ticks are not as in %s", r.DifferentTicks, r.Ticks, against)
		out.line("first at %v, tick %d: %s", r.First.At, r.First.Tick, r.First.What)
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "joint\tticks\tmax position\tmax velocity")
		for _, j := range r.Joints {
			fmt.Fprintf(table, "%s\t%d\t%.3g\t%.3g\n", j.Name, j.Ticks, j.MaxPosition, j.MaxVelocity)
		}
		out.fail(table.Flush())
	}
	if r.Incomplete != "" {
		out.line("not to the end: %s", r.Incomplete)
	}
	for _, n := range r.Notes {
		out.line("note: %s", n)
	}
	return out.err
}

func (e *EpisodeReport) write(out *printer) {
	if e.same() {
		out.line("%s %q: %s as before, %d chunks the same", e.ID, e.Instruction, e.Status, e.Chunks)
		return
	}
	out.line("%s %q: %s %s, was %s %s", e.ID, e.Instruction, e.Status, e.Reason, e.WasStatus, e.WasReason)
	if e.Diverged != "" {
		out.line("  from %v on it went another way: %s", e.DivergedAt, e.Diverged)
	}
	out.line("  of %d chunks %d differ, %d are missing, %d are new", e.Chunks, e.DifferentChunks, e.MissingChunks, e.AddedChunks)
}

// printer keeps the first error.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	_, err := fmt.Fprintf(p.w, format+"\n", args...)
	p.fail(err)
}

func (p *printer) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}
