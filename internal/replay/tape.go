package replay

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/kuai-robot/kuai/internal/record"
	"github.com/kuai-robot/kuai/policy/agent"
	"github.com/kuai-robot/kuai/robot"
)

// What an Entry tells.
const (
	doRun       = "run"       // an instruction begins: ID, Text
	doSkill     = "skill"     // a skill asked for by name begins: ID, Skill
	doEnd       = "end"       // it is over: Status, Reason
	doNow       = "now"       // the clock was read: At
	doWait      = "wait"      // the agent waited until At; Error: why that was broken off
	doObserve   = "observe"   // the Observation of the same Seq was given
	doHalted    = "halted"    // whether the robot may move: Halted, Reason
	doCancelled = "cancelled" // the agent found that it is not wanted any more: Error
	doAct       = "act"       // a chunk was handed over: Source, Chunk
	doHold      = "hold"      // Source holds
	doReport    = "report"    // Kind, Step, Call, Reason
)

// Entry is one thing that passed between the agent and the world.
type Entry struct {
	// Seq counts the entries of a run of the program.
	Seq    uint64       `json:"seq"`
	Do     string       `json:"do"`
	At     robot.Time   `json:"at,omitempty"`
	ID     string       `json:"id,omitempty"`
	Text   string       `json:"text,omitempty"`
	Skill  *robot.Skill `json:"skill,omitempty"`
	Status string       `json:"status,omitempty"`
	Reason string       `json:"reason,omitempty"`
	Error  string       `json:"error,omitempty"`
	Halted bool         `json:"halted,omitempty"`
	Source string       `json:"source,omitempty"`
	Chunk  uint64       `json:"chunk,omitempty"`
	Kind   string       `json:"kind,omitempty"`
	Step   int          `json:"step,omitempty"`
	Call   string       `json:"call,omitempty"`
}

// Observation is robot.Observation; its pictures are those of the topics of
// the cameras.
type Observation struct {
	Seq    uint64       `json:"seq"`
	At     robot.Time   `json:"at"`
	State  State        `json:"state"`
	Scene  *robot.Scene `json:"scene"`
	Frames []FrameAt    `json:"frames,omitempty"`
}

// FrameAt names a picture.
type FrameAt struct {
	Camera string     `json:"camera"`
	At     robot.Time `json:"at"`
}

// Body is the robot as the agent needs it.
type Body interface {
	agent.Body
	agent.Brake
}

// Tape stands between an agent and its world and records all that passes. It
// implements Body and robot.Clock; Run wraps one episode.
type Tape struct {
	out    *record.Recorder
	body   Body
	clock  robot.Clock
	joints int

	mu  sync.Mutex
	seq uint64
	// cancelled says that the end of this episode's context is on the tape.
	cancelled bool
}

// NewTape gives a tape around body and clock.
func NewTape(out *record.Recorder, body Body, clock robot.Clock, joints int) *Tape {
	return &Tape{out: out, body: body, clock: clock, joints: joints}
}

func (t *Tape) write(at robot.Time, e Entry) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seq++
	e.Seq = t.seq
	t.out.JSON(TopicPolicy, at, func() ([]byte, error) { return json.Marshal(e) })
	return e.Seq
}

// Run records do, an episode that begins with an instruction, or a skill asked
// for by name.
func (t *Tape) Run(ctx context.Context, id, text string, skill *robot.Skill, do func(context.Context) agent.Plan) agent.Plan {
	t.mu.Lock()
	t.cancelled = false
	t.mu.Unlock()
	begin := Entry{Do: doRun, ID: id, Text: text, Skill: skill}
	if skill != nil {
		begin.Do, text = doSkill, skill.String()
	}
	started := t.clock.Now()
	t.write(started, begin)
	t.mark(Episode{ID: id, Instruction: text, Status: robot.Running.String(), Started: started})
	plan := do(tapedContext{ctx, t})
	ended := t.clock.Now()
	t.write(ended, Entry{Do: doEnd, Status: plan.Status.String(), Reason: plan.Reason})
	t.mark(Episode{ID: id, Instruction: text, Status: plan.Status.String(), Reason: plan.Reason, Started: started, Ended: ended})
	return plan
}

func (t *Tape) mark(e Episode) {
	t.out.JSON(TopicEpisode, max(e.Started, e.Ended), func() ([]byte, error) { return json.Marshal(e) })
}

// Report is what the agent's Config.Report calls before anything else.
func (t *Tape) Report(u *agent.Update) {
	t.write(u.Plan.At, Entry{Do: doReport, Kind: string(u.Kind), Step: u.Step, Call: u.Skill, Reason: u.Reason})
}

// Now implements robot.Clock.
func (t *Tape) Now() robot.Time {
	now := t.clock.Now()
	t.write(now, Entry{Do: doNow, At: now})
	return now
}

// Epoch implements robot.Clock.
func (t *Tape) Epoch() time.Time { return t.clock.Epoch() }

// Wait implements robot.Clock.
func (t *Tape) Wait(ctx context.Context, until robot.Time) error {
	if c, ok := ctx.(tapedContext); ok {
		ctx = c.Context
	}
	err := t.clock.Wait(ctx, until)
	e := Entry{Do: doWait, At: until}
	if err != nil {
		e.Error = context.Cause(ctx).Error()
		t.mu.Lock()
		t.cancelled = true
		t.mu.Unlock()
	}
	t.write(t.clock.Now(), e)
	return err
}

// Observe implements agent.Body.
func (t *Tape) Observe() robot.Observation {
	o := t.body.Observe()
	seq := t.write(o.At, Entry{Do: doObserve})
	t.out.JSON(TopicObservation, o.At, func() ([]byte, error) {
		kept := Observation{Seq: seq, At: o.At, State: stateOf(&o.State, t.joints), Scene: o.Scene}
		for i := range o.Frames {
			kept.Frames = append(kept.Frames, FrameAt{o.Frames[i].Camera, o.Frames[i].At})
		}
		return json.Marshal(kept)
	})
	return o
}

// Act implements agent.Body.
func (t *Tape) Act(c robot.Chunk) {
	t.write(t.clock.Now(), Entry{Do: doAct, Source: c.Source.String(), Chunk: c.ID})
	t.body.Act(c)
}

// Hold implements agent.Body.
func (t *Tape) Hold(s robot.Source) {
	t.write(t.clock.Now(), Entry{Do: doHold, Source: s.String()})
	t.body.Hold(s)
}

// Halted implements agent.Brake.
func (t *Tape) Halted() (reason string, halted bool) {
	reason, halted = t.body.Halted()
	t.write(t.clock.Now(), Entry{Do: doHalted, Halted: halted, Reason: reason})
	return reason, halted
}

// tapedContext records when the agent finds its context ended, since that may
// be long after it ended.
type tapedContext struct {
	context.Context
	tape *Tape
}

// Err implements context.Context.
func (c tapedContext) Err() error {
	err := c.Context.Err()
	if err == nil {
		return nil
	}
	c.tape.mu.Lock()
	told := c.tape.cancelled
	c.tape.cancelled = true
	c.tape.mu.Unlock()
	if !told {
		c.tape.write(c.tape.clock.Now(), Entry{Do: doCancelled, Error: context.Cause(c.Context).Error()})
	}
	return err
}
