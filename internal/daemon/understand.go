package daemon

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/models"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/policy/agent"
	"github.com/kuai-robot/kuai/policy/memory"
	chat "github.com/kuai-robot/kuai/policy/remote"
	"github.com/kuai-robot/kuai/policy/saycan"
	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/policy/task"
	"github.com/kuai-robot/kuai/robot"
)

// newInterpreter gives what takes texts apart, with a context of its own.
func (m *mind) newInterpreter() (agent.Interpreter, error) {
	c := task.Config{Catalogue: m.catalogue, Language: m.config.Voice.Language, Name: m.config.Robot.Name, Persona: m.config.Planner.Persona}
	if m.memory != nil {
		c.Memory = m.memory
	}
	if m.needs != nil {
		c.Needs = m.needs
	}
	return task.New(c)
}

// understander says what the dialogue may hand on although its own words do not
// tell.
func understander(c *skill.Catalogue) func(string, *robot.Scene) bool {
	in, err := task.New(task.Config{Catalogue: c})
	if err != nil {
		return nil // the agent tells what is wrong with the catalogue
	}
	return in.Understands
}

// answered publishes what the robot says to who asked, in words, and notes where
// things are.
func (d *Daemon) answered(u *agent.Update) {
	if d.mind.memory != nil && u.Step == 0 && d.sim != nil {
		d.mind.memory.Look(d.sim.world.Scene())
	}
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

// MemoryFiles gives where the memory of c and its key lie.
func MemoryFiles(c *config.Memory) (file, key string, err error) {
	file, key = c.File, c.KeyFile
	if file == "" {
		dir, err := models.DefaultDir()
		if err != nil {
			return "", "", err
		}
		file = filepath.Join(filepath.Dir(dir), "memory")
	}
	if key == "" {
		key = file + ".key"
	}
	return file, key, nil
}

// OpenMemory opens the memory of c, whether or not it is on.
func OpenMemory(c *config.Memory, clock robot.Clock, problem func(error)) (*memory.Store, error) {
	file, key, err := MemoryFiles(c)
	if err != nil {
		return nil, err
	}
	return memory.Open(memory.Config{File: file, Key: key, Clock: clock, Problem: problem})
}

// remember opens the memory when it is on.
func (m *mind) remember(clock robot.Clock, problem func(error)) (err error) {
	if m.config.Memory.On {
		m.memory, err = OpenMemory(&m.config.Memory, clock, problem)
	}
	return err
}

// elsewhere puts a model elsewhere before the planner, where the configuration
// names one.
func (m *mind) elsewhere(local *saycan.Planner, affordance saycan.Affordance, clock robot.Clock, problem func(error)) (agent.Planner, error) {
	c := &m.config.Planner.Remote
	if c.URL == "" {
		return local, nil
	}
	key, err := remoteKey(c)
	if err != nil {
		return nil, err
	}
	return chat.New(chat.Config{
		URL: c.URL, Model: c.Model, Key: key, Timeout: c.Timeout, Catalogue: m.catalogue, Affordance: affordance, Local: local,
		Clock: clock, Problem: problem, Grammar: c.Grammar,
	})
}

// remoteKey reads the key from its file, or from the environment.
func remoteKey(c *config.Remote) (string, error) {
	if c.KeyFile == "" {
		return os.Getenv("KUAI_PLANNER_KEY"), nil
	}
	data, err := os.ReadFile(c.KeyFile)
	if err != nil {
		return "", fmt.Errorf("planner.remote.key_file: %w", err)
	}
	key := strings.TrimSpace(string(data))
	if key == "" || strings.ContainsAny(key, "\r\n") {
		return "", errors.New("planner.remote.key_file: want one line with the key")
	}
	return key, nil
}
