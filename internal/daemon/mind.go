package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/kuai-robot/kuai/fusion/generate"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/models"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/kernels/ref"
	"github.com/kuai-robot/kuai/policy/agent"
	"github.com/kuai-robot/kuai/policy/memory"
	"github.com/kuai-robot/kuai/policy/saycan"
	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/robot"
)

// errNoRunner says what a configuration without skills can do.
var errNoRunner = errors.New("this robot runs no skills (runner: none): it can only be steered")

// mind is what is loaded once and shared by everything that plans: the
// language model and the catalogue.
type mind struct {
	config    *config.Config
	catalogue *skill.Catalogue
	model     *generate.Model
	// prompt is the form that the model, with its adapter if there is one, knows.
	prompt saycan.Prompt
	// compute is what the backend has to say: why a GPU is not used.
	compute *notices
	// memory is nil where it is off.
	memory *memory.Store
	// needs is nil where the sentence encoder is not installed.
	needs *lazyNeeds
}

// newMind loads what c.Planner names.
func newMind(c *config.Config) (*mind, error) {
	catalogue, err := readCatalogue(c.Planner.Catalogue)
	if err != nil {
		return nil, err
	}
	return loadMind(c, catalogue)
}

// loadMind loads the model that c names, for skills of catalogue.
func loadMind(c *config.Config, catalogue *skill.Catalogue) (*mind, error) {
	store, err := models.NewStore()
	if err != nil {
		return nil, err
	}
	path, err := store.FindFile(c.Planner.Model)
	if err != nil {
		return nil, err
	}
	adapter, prompt := adapterOf(&c.Planner)
	compute := &notices{}
	model, err := generate.Open(path, newBackend(&c.Planner, compute.add), generate.Options{Context: planContext, Adapter: adapter, Draw: c.Planner.Backend == config.BackendCUDA})
	if errors.Is(err, generate.ErrAdapter) {
		return nil, fmt.Errorf("planner.adapter: %w (set it to %s to plan without one)", err, config.None)
	}
	if err != nil {
		return nil, fmt.Errorf("model %s: %w (run: kuai models verify %s)", c.Planner.Model, err, c.Planner.Model)
	}
	return &mind{config: c, catalogue: catalogue, model: model, prompt: prompt, compute: compute, needs: newNeeds(c.Planner.Threads)}, nil
}

// adapterOf gives the adapter that c asks for, nil for none, and the prompt
// that goes with it.
func adapterOf(c *config.Planner) (fs.FS, saycan.Prompt) {
	prompt := saycan.AdapterPrompt()
	if c.Catalogue == config.Kitchen {
		prompt = saycan.HouseholdPrompt()
	}
	switch c.Adapter {
	case config.None:
		return nil, saycan.DefaultPrompt()
	case config.Auto:
		// It was trained with the tabletop's; of the workbench's it plans what it knows
		// of there better than the examples do, and in the kitchen as much from a
		// prompt of a fifth of their length.
		if c.Model != config.BuiltInModel || !config.BuiltInSkills(c.Catalogue) {
			return nil, saycan.DefaultPrompt()
		}
		return saycan.Adapter(), prompt
	}
	return os.DirFS(c.Adapter), prompt
}

// planContext is how many tokens the examples, an instruction and the steps
// done may have together.
const planContext = 2048

func readCatalogue(name string) (*skill.Catalogue, error) {
	switch name {
	case config.Tabletop:
		return skill.Tabletop(), nil
	case config.Workbench:
		return skill.Workbench(), nil
	case config.Kitchen:
		return skill.Kitchen(), nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("planner.catalogue: %w (want %s, %s, %s or a YAML file)", err, config.Tabletop, config.Workbench, config.Kitchen)
	}
	defer file.Close()
	return skill.Read(name, file)
}

// newBackend gives what computes; tell is given the reason where a GPU is not used.
func newBackend(c *config.Planner, tell func(error)) kernels.Backend {
	if c.Backend == config.BackendRef {
		return ref.New()
	}
	processor := cpu.New(cpu.Options{Threads: c.Threads})
	if c.Backend == config.BackendCUDA {
		return OnGPU(processor, tell)
	}
	return processor
}

// Close frees the weights.
func (m *mind) Close() error { return errors.Join(m.model.Close(), m.needs.Close()) }

// planner gives a planner with a cache of its own. close frees the cache.
func (m *mind) planner(clock robot.Clock, affordance saycan.Affordance) (p *saycan.Planner, close func() error, err error) {
	language, err := saycan.NewModel(m.model)
	if err != nil {
		return nil, nil, err
	}
	p, err = saycan.NewPlanner(saycan.Config{
		Catalogue: m.catalogue, Affordance: affordance, Language: language, Clock: clock, Best: m.config.Planner.Candidates,
		Prompt: m.prompt,
	})
	if err != nil {
		return nil, nil, errors.Join(err, language.Close())
	}
	return p, language.Close, nil
}

// newAgent gives the agent of one robot.
func (m *mind) newAgent(planner agent.Planner, runner agent.Runner, body body, clock robot.Clock, report func(agent.Update)) (*agent.Agent, error) {
	interpreter, err := m.newInterpreter()
	if err != nil {
		return nil, err
	}
	return agent.New(agent.Config{
		Interpreter: interpreter,
		Catalogue:   m.catalogue, Planner: planner, Runner: runner, Body: body, Brake: body, Clock: clock, Report: report,
		Bounds: agent.Bounds{
			Steps: m.config.Planner.MaxSteps, Time: time.Duration(m.config.Planner.MaxSeconds * float64(time.Second)),
			Failures: m.config.Planner.Retries + 1,
		},
	})
}

// body is a robot as an agent needs it: what it can do and whether it may.
type body interface {
	agent.Body
	agent.Brake
}
