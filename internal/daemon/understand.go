package daemon

import (
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/policy/agent"
	"github.com/kuai-robot/kuai/policy/task"
)

// newInterpreter gives what takes texts apart, with a context of its own.
func (m *mind) newInterpreter() (agent.Interpreter, error) {
	return task.New(task.Config{Catalogue: m.catalogue, Language: m.config.Voice.Language, Name: m.config.Robot.Name})
}

// answered publishes what the robot says to who asked, in words.
func (d *Daemon) answered(u *agent.Update) {
	if u.Kind != agent.PlanSucceeded || u.Plan.Said == "" {
		return
	}
	kind := topics.SaidAnswer
	if u.Plan.Asks {
		kind = topics.SaidQuestion
	}
	d.out.say(topics.NameConversation, topics.Said{
		At: unix(d.clock, u.Plan.At), Who: "robot", Kind: kind, Text: u.Plan.Said, ID: u.Plan.ID,
	})
}
