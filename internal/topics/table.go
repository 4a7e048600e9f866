package topics

import (
	"fmt"
	"strings"
)

// Root is what every topic starts with; the robot's name follows.
const Root = "kuai/v1/"

// Names of the topics below Root + robot.
const (
	NameInstruction = "instruction"
	NameStop        = "stop"
	NameReset       = "reset"
	NameRelease     = "release"
	NameSkill       = "skill"
	NameTeleop      = "teleop"
	NameState       = "state"
	NamePlan        = "plan"
	NameEvent       = "event"
	NameHealth      = "health"
	// NameConversation is what people and the robot say to each other, NameTalk a
	// button that somebody holds while they speak.
	NameConversation = "conversation"
	NameTalk         = "talk"
	// NameActuatorCommand and NameActuatorState hold the joint's name in the
	// place of "+".
	NameActuatorCommand = "actuator/+/command"
	NameActuatorState   = "actuator/+/state"
	// NameActuatorDescription is retained by the joint.
	NameActuatorDescription = "actuator/+/description"
)

// Direction says who publishes a topic.
type Direction string

// In is published by whoever steers the robot, Out by the daemon.
const (
	In  Direction = "in"
	Out Direction = "out"
)

// Topic is one row of the table.
type Topic struct {
	// Name below kuai/v1/<robot>/; "+" stands for a joint's name.
	Name      string
	Direction Direction
	// QoS is the quality of service the daemon publishes or subscribes with.
	QoS byte
	// Retained: the broker hands the newest message to whoever subscribes later.
	Retained bool
	// Will: the broker publishes an "offline" here when the daemon is gone.
	Will bool
	// Payload is an example of the message; nil: any bytes.
	Payload any
	// Doc is one sentence for a person.
	Doc string
}

// Table gives the topics in the order in which a person reads them.
func Table() []Topic {
	example, on := 1.5, true
	return []Topic{
		{NameInstruction, In, 1, false, false, Instruction{ID: "1", Text: "put the red block in the blue bowl"}, "say what to do"},
		{NameStop, In, 1, false, false, nil, "stop at once; the robot stays stopped until a reset"},
		{NameReset, In, 1, false, false, Reset{ID: "2"}, "leave the stopped state"},
		{NameRelease, In, 1, false, false, Release{ID: "4", On: &on}, "cut the torque, so that the joints can be moved by hand, or hold again"},
		{NameSkill, In, 1, false, false, Skill{ID: "3", Name: "pick", Args: []string{"red block"}}, "run one skill, without the language model"},
		{NameTeleop, In, 0, false, false, Teleop{At: example, Velocity: []float64{0.1, 0, 0, 0, 0, 0}}, "steer the joints; at least 10 Hz or the robot stops"},
		{NameTalk, In, 1, false, false, Talk{ID: "5", On: &on}, "listen until further notice, or no longer: a button that is held while somebody speaks"},
		{NameState, Out, 0, false, false, State{At: example, Mode: "held", Joints: []JointState{{Name: "elbow_flex", Position: 0.5}}}, "the joints and the mode, 20 Hz"},
		{NamePlan, Out, 1, true, false, Plan{ID: "1", Instruction: "put the red block in the blue bowl", Status: PlanRunning, Step: 1}, "the step, each candidate's say, can and product, and the history"},
		{NameEvent, Out, 1, false, false, Event{At: example, Kind: EventRefused, ID: "1", Reason: "text is empty"}, "what happened, with the id of what was asked and the reason"},
		{NameHealth, Out, 1, true, true, Health{At: example, Status: Online, Robot: "so101"}, "online, degraded and why, or offline"},
		{NameConversation, Out, 1, false, false, Said{At: example, Who: "person", Kind: SaidHeard, Text: "put the red block in the blue bowl", Confidence: 0.9, ID: "voice-1", MS: 110}, "what people say to the robot and what it answers"},
		{NameActuatorCommand, Out, 0, false, false, ActuatorCommand{Seq: 7, At: example, Enable: true, Position: 0.5}, "the target of a joint that is itself an MQTT device"},
		{NameActuatorState, In, 0, false, false, ActuatorState{Seq: 7, At: example, Position: 0.5}, "what such a joint reports"},
		{NameActuatorDescription, In, 1, true, false, ActuatorDescription{Joint: "elbow", Kind: "revolute", MinPosition: -1.5, MaxPosition: 1.5, MaxVelocity: 3, RateHz: 100, TimeoutMS: 300}, "what such a joint says of itself; without it, it does not move"},
	}
}

// Path gives the full topic of name for a robot, kuai/v1/<robot>/<name>.
func Path(robot, name string) string { return Root + robot + "/" + name }

// Name gives the part of a full topic after kuai/v1/<robot>/; ok is false for
// the topics of another robot.
func Name(robot, path string) (name string, ok bool) {
	return strings.CutPrefix(path, Root+robot+"/")
}

// ValidRobot says whether name can stand in a topic: 1 to 64 of a–z, A–Z, 0–9,
// "-" and "_".
func ValidRobot(name string) error {
	if name == "" || len(name) > 64 {
		return fmt.Errorf("robot name %q: needs 1 to 64 characters", clip(name))
	}
	for _, r := range name {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_') {
			return fmt.Errorf("robot name %q: %q is not a letter, a digit, - or _", clip(name), r)
		}
	}
	return nil
}
