package replay

import (
	"github.com/kuai-robot/kuai/internal/record"
	"github.com/kuai-robot/kuai/robot"
)

// Topics of a recording beside those of MQTT and of the sensors.
const (
	TopicCommand     = "command"     // Command: each tick of the control loop
	TopicChunk       = "chunk"       // Chunk: each order to it
	TopicPolicy      = "policy"      // Entry: what the agent asked and did
	TopicObservation = "observation" // Observation: what the agent saw
	TopicEpisode     = "episode"     // Episode: the begin and end of each
	TopicRecorder    = "recorder"    // Counts
)

// Schemas gives the JSON schema of each topic.
func Schemas() map[string][]byte {
	return map[string][]byte{
		TopicCommand: record.SchemaOf(Command{}), TopicChunk: record.SchemaOf(Chunk{}), TopicPolicy: record.SchemaOf(Entry{}),
		TopicObservation: record.SchemaOf(Observation{}), TopicEpisode: record.SchemaOf(Episode{}), TopicRecorder: record.SchemaOf(Counts{}),
	}
}

// Episode is one instruction or skill, from its acceptance to its end.
type Episode struct {
	ID          string `json:"id"`
	Instruction string `json:"instruction"`
	// Status is running at its begin, then succeeded or failed.
	Status  string     `json:"status"`
	Reason  string     `json:"reason,omitempty"`
	Started robot.Time `json:"started"`
	Ended   robot.Time `json:"ended,omitempty"`
}

// Keys of a recording's header.
const (
	HeaderVersion     = "version"     // of kuai
	HeaderBinary      = "binary"      // sha256 of the program
	HeaderRun         = "run"         // the same for all files of one run
	HeaderRobot       = "robot"       // its name
	HeaderConfig      = "config"      // YAML: the sections that decide how it moves
	HeaderDescription = "description" // JSON: the robot's
	HeaderCatalogue   = "catalogue"   // YAML: the skills, unless they are built in
	HeaderModel       = "model"       // the language model's name
)
