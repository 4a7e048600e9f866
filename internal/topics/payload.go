package topics

import (
	"strings"
	"unicode"
)

// Instruction asks for something in words.
type Instruction struct {
	// ID is chosen by the sender and comes back in every event about it.
	ID   string `json:"id"`
	Text string `json:"text"`
}

// Reset asks to leave the stopped state.
type Reset struct {
	ID string `json:"id"`
}

// Release asks for joints without torque, or for torque again.
type Release struct {
	ID string `json:"id"`
	// On: true cuts the torque, so that the joints can be moved by hand; false
	// makes them hold where they are. It must be given.
	On *bool `json:"on"`
}

// Skill asks for one skill of the catalogue, without the language model.
type Skill struct {
	ID   string   `json:"id"`
	Name string   `json:"name"`
	Args []string `json:"args,omitempty"`
}

// Teleop steers every joint, in the order of the robot's description, by
// position or by velocity. A message is good for a moment: a sender that falls
// silent stops the robot.
type Teleop struct {
	// At is the sender's clock; it must grow from message to message, and a
	// message that was held up on the way is refused by it.
	At       float64   `json:"at"`
	Position []float64 `json:"position,omitempty"`
	Velocity []float64 `json:"velocity,omitempty"`
}

// JointState is one joint in State.
type JointState struct {
	Name        string  `json:"name"`
	Position    float64 `json:"position"`
	Velocity    float64 `json:"velocity"`
	Effort      float64 `json:"effort"`
	Temperature float64 `json:"temperature"`
}

// State is what the joints report.
type State struct {
	// At is when the joints were read.
	At float64 `json:"at"`
	// Mode is the safety core's: off, held, moving, stopped, fault. Reason
	// says why, when the robot may not move.
	Mode   string `json:"mode"`
	Reason string `json:"reason,omitempty"`
	// Source is who the joints follow: policy, skill or teleop.
	Source string       `json:"source,omitempty"`
	Joints []JointState `json:"joints"`
	// Marks are what the running step is about, in the pictures of cameras whose
	// pose is known: those of the simulator.
	Marks []Mark `json:"marks,omitempty"`
}

// Mark is where an object shows in a camera's picture.
type Mark struct {
	Camera string `json:"camera"`
	Name   string `json:"name"`
	// X is a share of the picture's width, from the left; Y of its height, from
	// the top; Size, across the object, of its height.
	X    float64 `json:"x"`
	Y    float64 `json:"y"`
	Size float64 `json:"size"`
}

// PlanStatus is how far an instruction has come.
type PlanStatus string

// The statuses of a plan.
const (
	PlanRunning   PlanStatus = "running"
	PlanSucceeded PlanStatus = "succeeded"
	PlanFailed    PlanStatus = "failed"
)

// Candidate is one option with its scores (arXiv 2204.01691, section 3):
// Product = Say · Can.
type Candidate struct {
	// Skill is the call, "pick(red block)"; Phrase is what the language model
	// was asked about.
	Skill   string  `json:"skill"`
	Phrase  string  `json:"phrase,omitempty"`
	Say     float64 `json:"say"`
	Can     float64 `json:"can"`
	Product float64 `json:"product"`
}

// Step is one step that was decided: its best candidates, which one ran and
// how it ended.
type Step struct {
	// Number counts from 1.
	Number     int         `json:"number"`
	Candidates []Candidate `json:"candidates,omitempty"`
	// Skill is what runs or ran; "done" ends the plan.
	Skill  string `json:"skill"`
	Phrase string `json:"phrase,omitempty"`
	// Outcome is running, succeeded or failed; Reason says why it failed.
	Outcome string  `json:"outcome"`
	Reason  string  `json:"reason,omitempty"`
	Seconds float64 `json:"seconds"`
	// ScoreMS is how long deciding took; Visited of Nodes trie nodes were expanded.
	ScoreMS float64 `json:"score_ms,omitempty"`
	Visited int     `json:"visited,omitempty"`
	Nodes   int     `json:"nodes,omitempty"`
}

// Plan is an instruction and what has been done about it so far.
type Plan struct {
	ID          string     `json:"id"`
	Instruction string     `json:"instruction"`
	Status      PlanStatus `json:"status"`
	// Reason says why the plan failed.
	Reason string `json:"reason,omitempty"`
	// Answer is what the robot says to who asked: the answer to a question, or a
	// question back.
	Answer string `json:"answer,omitempty"`
	// Step counts from 1; 0 before the first decision.
	Step    int    `json:"step"`
	History []Step `json:"history"`
	// Seconds since the instruction was accepted.
	Seconds float64 `json:"seconds"`
	// Runner and Affordance name what carried the skills out and what judged
	// them: "scripted" reads the simulator's state and is not perception.
	Runner     string `json:"runner"`
	Affordance string `json:"affordance"`
	// Heat says where in the cameras' pictures the affordance model sees the
	// running step; not there unless the model can tell.
	Heat []Heat `json:"heat,omitempty"`
}

// Heat is a coarse grid over the picture of a camera.
type Heat struct {
	Camera string `json:"camera"`
	// Columns and Rows are how the picture is divided.
	Columns int `json:"columns"`
	Rows    int `json:"rows"`
	// Cells are 0 to 100, row by row from the top left.
	Cells []int `json:"cells"`
}

// EventKind says what happened.
type EventKind string

// The kinds of events.
const (
	EventAccepted      EventKind = "accepted"
	EventRefused       EventKind = "refused"
	EventStepStarted   EventKind = "step_started"
	EventStepSucceeded EventKind = "step_succeeded"
	EventStepFailed    EventKind = "step_failed"
	EventSucceeded     EventKind = "succeeded"
	EventFailed        EventKind = "failed"
	EventStopped       EventKind = "stopped"
	EventReset         EventKind = "reset"
	EventFault         EventKind = "fault"
	EventWarning       EventKind = "warning"
	// EventSound is a sound event: a clap, a knock, glass that breaks.
	EventSound EventKind = "sound"
)

// Final says whether nothing more will follow about the event's id.
func (k EventKind) Final() bool {
	return k == EventRefused || k == EventSucceeded || k == EventFailed || k == EventReset
}

// Event is one thing that happened.
type Event struct {
	At   float64   `json:"at"`
	Kind EventKind `json:"kind"`
	// ID is that of the instruction, skill or reset it is about; empty: of none.
	ID string `json:"id,omitempty"`
	// Topic is where the message came from that the event is about.
	Topic  string `json:"topic,omitempty"`
	Step   int    `json:"step,omitempty"`
	Skill  string `json:"skill,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// HealthStatus says whether the daemon can be relied on.
type HealthStatus string

// The statuses of the daemon; Offline is also its last will.
const (
	Online   HealthStatus = "online"
	Degraded HealthStatus = "degraded"
	Offline  HealthStatus = "offline"
)

// CameraHealth is one camera in Health.
type CameraHealth struct {
	Name string `json:"name"`
	// Rate in frames a second over the last seconds; Age in seconds of the newest frame.
	Rate float64 `json:"rate"`
	Age  float64 `json:"age"`
}

// LoopHealth is the control loop in Health.
type LoopHealth struct {
	RateHz   float64 `json:"rate_hz"`
	Ticks    uint64  `json:"ticks"`
	Overruns uint64  `json:"overruns"`
	// JitterP99MS is how late the tick is that is later than 99 of 100.
	JitterP99MS float64 `json:"jitter_p99_ms"`
	// ReadP99MS, DecideP99MS and WriteP99MS are how long 99 of 100 ticks take at
	// most for reading the joints, deciding, and writing the command.
	ReadP99MS   float64 `json:"read_p99_ms"`
	DecideP99MS float64 `json:"decide_p99_ms"`
	WriteP99MS  float64 `json:"write_p99_ms"`
}

// StageHealth is one stage between a picture and the command that follows from
// it, each beginning where the one before ended.
type StageHealth struct {
	// Name: capture is how old the oldest picture is when the policy looks at
	// it; score, choosing a step's skill, once a step; chunk, from the look or
	// the choice to a chunk of motion; command, from a chunk to the driver's
	// first command after it; hear is from the last word of a command to its text.
	Name string `json:"name"`
	// MS is the newest; half, and 99 of 100, since the start took at most P50MS
	// and P99MS.
	MS    float64 `json:"ms"`
	P50MS float64 `json:"p50_ms"`
	P99MS float64 `json:"p99_ms"`
}

// Health says whether the daemon can be relied on and, when degraded, why not.
type Health struct {
	At      float64        `json:"at"`
	Status  HealthStatus   `json:"status"`
	Reasons []string       `json:"reasons,omitempty"`
	Robot   string         `json:"robot"`
	Version string         `json:"version,omitempty"`
	Mode    string         `json:"mode,omitempty"`
	Driver  string         `json:"driver,omitempty"`
	Runner  string         `json:"runner,omitempty"`
	Model   string         `json:"model,omitempty"`
	Cameras []CameraHealth `json:"cameras,omitempty"`
	// Microphones are those that listen, without the page's.
	Microphones []MicrophoneHealth `json:"microphones,omitempty"`
	Loop        *LoopHealth        `json:"loop,omitempty"`
	// Stages holds those that have been passed since the start.
	Stages []StageHealth `json:"stages,omitempty"`
	// Dropped counts messages that a queue had no room for.
	Dropped uint64 `json:"dropped"`
	// MemoryMB is the resident set.
	MemoryMB float64 `json:"memory_mb,omitempty"`
}

// ActuatorCommand is the target of one joint that is itself an MQTT device.
type ActuatorCommand struct {
	Seq      uint64  `json:"seq"`
	At       float64 `json:"at"`
	Enable   bool    `json:"enable"`
	Position float64 `json:"position"`
	Velocity float64 `json:"velocity"`
}

// ActuatorDescription is what such a joint says of itself, retained, so that
// kuai hears it whenever it starts. A joint that has not said it does not move.
type ActuatorDescription struct {
	// Joint is the joint's name, that of the topic.
	Joint string `json:"joint"`
	// Kind is revolute, prismatic or wheel: rad, m, or rad without end.
	Kind string `json:"kind"`
	// MinPosition and MaxPosition are between what it can go; a wheel has none.
	MinPosition float64 `json:"min_position"`
	MaxPosition float64 `json:"max_position"`
	// MaxVelocity is the most that it can do, per second.
	MaxVelocity float64 `json:"max_velocity"`
	// MaxEffort is the most that it exerts, N·m or N; 0: it does not know.
	MaxEffort float64 `json:"max_effort"`
	// RateHz is how often it reports its state.
	RateHz float64 `json:"rate_hz"`
	// TimeoutMS is after how long without a command it stops by itself.
	TimeoutMS float64 `json:"timeout_ms"`
}

// ActuatorState is what such a joint reports.
type ActuatorState struct {
	Seq         uint64  `json:"seq"`
	At          float64 `json:"at"`
	Position    float64 `json:"position"`
	Velocity    float64 `json:"velocity"`
	Effort      float64 `json:"effort"`
	Temperature float64 `json:"temperature"`
}

// Talk is a button that is held while somebody speaks to the robot's own
// microphones.
type Talk struct {
	ID string `json:"id"`
	// On: the button is pressed; false: it is let go.
	On *bool `json:"on"`
}

// SaidKind says what a Said is.
type SaidKind string

// The kinds of what is said.
const (
	SaidHearing       SaidKind = "hearing"        // somebody speaks; Text is what of it is understood
	SaidHeard         SaidKind = "heard"          // a command, or an answer to the robot
	SaidNotUnderstood SaidKind = "not_understood" // it was said to the robot, which does nothing for it
	SaidIgnored       SaidKind = "ignored"        // it was not said to the robot
	SaidStop          SaidKind = "stop"           // a word that stops the robot
	SaidQuestion      SaidKind = "question"       // the robot asks back and waits for an answer
	SaidAnswer        SaidKind = "answer"         // the robot answers
)

// Said is something that a person or the robot said.
type Said struct {
	At float64 `json:"at"`
	// Who is person or robot.
	Who  string   `json:"who"`
	Kind SaidKind `json:"kind"`
	Text string   `json:"text,omitempty"`
	// Microphone heard it.
	Microphone string `json:"microphone,omitempty"`
	// Confidence is the recogniser's, 0 to 1.
	Confidence float64 `json:"confidence,omitempty"`
	// ID is that of the instruction that follows from it.
	ID string `json:"id,omitempty"`
	// Instruction is what was made of Text.
	Instruction string `json:"instruction,omitempty"`
	// Reason says why it was not understood.
	Reason string `json:"reason,omitempty"`
	// MS is how long after the last word the text was there, DecidedMS how long
	// after the silence that showed it to be the last.
	MS        float64 `json:"ms,omitempty"`
	DecidedMS float64 `json:"decided_ms,omitempty"`
}

// MicrophoneHealth is one microphone in Health.
type MicrophoneHealth struct {
	Name string `json:"name"`
	// State is live, lost or ended.
	State string `json:"state"`
	// Age in seconds of the newest sound; LevelDB is its loudness, dB of full scale.
	Age     float64 `json:"age"`
	LevelDB float64 `json:"level_db"`
	// Clipped counts samples at full scale, Overrun those that nobody heard in time.
	Clipped uint64 `json:"clipped,omitempty"`
	Overrun uint64 `json:"overrun,omitempty"`
}

// StopReason gives what a stop message says about itself, on one line and from
// at most its first 80 bytes. It never fails: any bytes stop the robot.
func StopReason(payload []byte) string {
	text := strings.ToValidUTF8(string(payload[:min(len(payload), 80)]), "?")
	text = strings.TrimSpace(strings.Map(plain, text))
	if text == "" {
		return "stop message"
	}
	return "stop message: " + text
}

// plain keeps what a sender wrote from breaking the line it is printed on.
func plain(r rune) rune {
	switch {
	case unicode.IsSpace(r) || unicode.IsControl(r):
		return ' '
	case unicode.Is(unicode.Cf, r): // turns the direction of writing, among others
		return -1
	}
	return r
}
