package inspect

import (
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strings"
	"time"

	"github.com/kuai-robot/kuai/internal/record"
	"github.com/kuai-robot/kuai/internal/replay"
	"github.com/kuai-robot/kuai/robot"
)

// Summary is what a recording holds.
type Summary struct {
	File    string    `json:"file"`
	Bytes   int64     `json:"bytes"`
	Begins  time.Time `json:"begins"`
	Seconds float64   `json:"seconds"`
	// Truncated says that the file ends in the middle, as after a crash.
	Truncated bool   `json:"truncated,omitempty"`
	Messages  uint64 `json:"messages"`
	// Robot, Version and Model are of the header.
	Robot   string `json:"robot,omitempty"`
	Version string `json:"version,omitempty"`
	Model   string `json:"model,omitempty"`

	Topics   []Topic          `json:"topics"`
	Episodes []replay.Episode `json:"episodes,omitempty"`
	Loop     *Loop            `json:"loop,omitempty"`
	Verdicts []Verdict        `json:"verdicts,omitempty"`
	Drops    Drops            `json:"drops"`

	plots plots
}

// Topic is one channel of the recording.
type Topic struct {
	Name   string `json:"name"`
	Schema string `json:"schema"`
	Count  uint64 `json:"count"`
	Bytes  int64  `json:"bytes"`
	// Rate is messages a second from the first to the last; Gap the longest
	// time between two, s.
	Rate float64 `json:"rate"`
	Gap  float64 `json:"gap"`
	// LateMS is how long after it was captured a sample was written down: half
	// of them and 99 of 100 at most.
	LateMS    float64 `json:"late_ms"`
	LateP99MS float64 `json:"late_p99_ms"`

	first, last robot.Time
	late        series
}

// Loop is the control loop.
type Loop struct {
	Ticks uint64 `json:"ticks"`
	// PeriodMS between two ticks: half and 99 of 100 at most.
	PeriodMS    float64 `json:"period_ms"`
	PeriodP99MS float64 `json:"period_p99_ms"`
	// StateAgeMS is how old the joints' state was that a tick decided on.
	StateAgeMS    float64 `json:"state_age_ms"`
	StateAgeP99MS float64 `json:"state_age_p99_ms"`
}

// Verdict is how long the safety core was in a mode for a reason.
type Verdict struct {
	Mode    string  `json:"mode"`
	Reason  string  `json:"reason"`
	Seconds float64 `json:"seconds"`
}

// Drops are what is not in the recording.
type Drops struct {
	// Samples found the recorder's queue full or the disk failing; Ticks of the
	// control loop are missing between those that are there.
	Samples uint64 `json:"samples"`
	Ticks   uint64 `json:"ticks"`
}

// reader builds a Summary.
type reader struct {
	s        *Summary
	topics   map[string]*Topic
	episodes map[string]int
	verdicts map[[2]string]float64

	begins, ends robot.Time
	tick         *replay.Command
	period, age  series
}

// File reads the recording at path. A file that is cut off is told up to the
// cut; one that is damaged is an error. tell is told how far it is, and may be nil.
func File(path string, tell record.Progress) (*Summary, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	r := &reader{s: &Summary{File: path, Bytes: info.Size()}, topics: map[string]*Topic{}, episodes: map[string]int{}, verdicts: map[[2]string]float64{}}
	read, err := record.ReadTelling(path, tell, r.take)
	if err != nil {
		return nil, err
	}
	r.s.Messages, r.s.Truncated = read.Messages, read.Truncated
	r.finish()
	return r.s, nil
}

func (r *reader) take(rec *record.Record) error {
	if r.s.Begins.IsZero() {
		h := rec.Header()
		r.s.Robot, r.s.Version, r.s.Model = h[replay.HeaderRobot], h[replay.HeaderVersion], h[replay.HeaderModel]
		r.s.Begins, r.begins = rec.Wall(rec.At), rec.At
	}
	r.ends = max(r.ends, rec.At)
	t := r.topics[rec.Topic]
	if t == nil {
		t = &Topic{Name: rec.Topic, Schema: rec.Schema, first: rec.At, last: rec.At}
		r.topics[rec.Topic] = t
	}
	t.Count++
	t.Bytes += int64(len(rec.Data))
	t.Gap = max(t.Gap, rec.At.Sub(t.last).Seconds())
	t.last = max(t.last, rec.At)
	late := rec.LoggedAt.Sub(rec.At).Seconds() * 1e3
	t.late.add(rec.At, late)
	if strings.HasPrefix(rec.Topic, "camera/") {
		r.s.plots.late(rec.Topic, rec.At, late)
	}
	switch rec.Topic {
	case replay.TopicCommand:
		return r.command(rec)
	case replay.TopicEpisode:
		return r.episode(rec)
	case replay.TopicRecorder:
		return r.counts(rec)
	case "joints":
		return r.joints(rec)
	}
	return nil
}

func (r *reader) decode(rec *record.Record, into any) error {
	if err := json.Unmarshal(rec.Data, into); err != nil {
		return fmt.Errorf("%s: topic %s at %v: %w", r.s.File, rec.Topic, rec.At, err)
	}
	return nil
}

func (r *reader) command(rec *record.Record) error {
	var c replay.Command
	if err := r.decode(rec, &c); err != nil {
		return err
	}
	if r.s.Loop == nil {
		r.s.Loop = &Loop{}
	}
	r.s.Loop.Ticks++
	age := c.At.Sub(c.State.At).Seconds() * 1e3
	if c.State.At != 0 {
		r.age.add(c.At, age)
	}
	if was := r.tick; was != nil {
		took := c.At.Sub(was.At).Seconds()
		r.verdicts[[2]string{was.Mode, was.Reason}] += took
		r.period.add(c.At, took*1e3)
		if c.Number > was.Number+1 {
			r.s.Drops.Ticks += c.Number - was.Number - 1
		}
	}
	r.tick = &c
	r.s.plots.command(&c, age, r.s.Drops.Ticks)
	return nil
}

func (r *reader) episode(rec *record.Record) error {
	var e replay.Episode
	if err := r.decode(rec, &e); err != nil {
		return err
	}
	key := fmt.Sprint(e.ID, e.Started)
	if i, ok := r.episodes[key]; ok {
		r.s.Episodes[i] = e
		return nil
	}
	r.episodes[key] = len(r.s.Episodes)
	r.s.Episodes = append(r.s.Episodes, e)
	return nil
}

func (r *reader) counts(rec *record.Record) error {
	var c replay.Counts
	if err := r.decode(rec, &c); err != nil {
		return err
	}
	r.s.Drops.Samples = c.Dropped + c.DroppedTicks
	r.s.plots.dropped(rec.At, r.s.Drops.Samples)
	return nil
}

func (r *reader) joints(rec *record.Record) error {
	names, s, err := rec.JointState()
	if err != nil {
		return fmt.Errorf("%s: %w", r.s.File, err)
	}
	r.s.plots.measured(names, &s)
	return nil
}

func (r *reader) finish() {
	s := r.s
	s.Seconds = r.ends.Sub(r.begins).Seconds()
	for _, t := range r.topics {
		if span := t.last.Sub(t.first).Seconds(); span > 0 {
			t.Rate = float64(t.Count-1) / span
		}
		t.LateMS, t.LateP99MS = t.late.quantile(0.5), t.late.quantile(0.99)
		s.Topics = append(s.Topics, *t)
	}
	sort.Slice(s.Topics, func(i, k int) bool { return s.Topics[i].Name < s.Topics[k].Name })
	if l := s.Loop; l != nil {
		l.PeriodMS, l.PeriodP99MS = r.period.quantile(0.5), r.period.quantile(0.99)
		l.StateAgeMS, l.StateAgeP99MS = r.age.quantile(0.5), r.age.quantile(0.99)
	}
	for key, seconds := range r.verdicts {
		s.Verdicts = append(s.Verdicts, Verdict{key[0], key[1], seconds})
	}
	sort.Slice(s.Verdicts, func(i, k int) bool {
		a, b := &s.Verdicts[i], &s.Verdicts[k]
		return a.Seconds > b.Seconds || a.Seconds == b.Seconds && a.Mode+a.Reason < b.Mode+b.Reason
	})
	s.plots.begins = r.begins
}
