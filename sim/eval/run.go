package eval

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/eval/symbolic"
	"github.com/kuai-robot/kuai/sim/world"
)

// Robot is what is evaluated: a robot with its policy, in a world that can be
// set up and looked at.
type Robot interface {
	// Begin sets up a new episode and gives the true scene at its start.
	Begin(ctx context.Context, seed uint64, spec world.Spec) (*robot.Scene, error)
	// Say gives the robot one turn of words and returns when it has ended with
	// it. An error is a fault of the harness; a robot that fails says so in the
	// Answer.
	Say(ctx context.Context, text string) (Answer, error)
	// Do runs one skill by name, without a language model.
	Do(ctx context.Context, s robot.Skill) (Answer, error)
}

// Disturber is a Robot in whose world somebody can move an object; episodes that
// have one moved need it.
type Disturber interface {
	Disturb(d *Disturbance)
}

// Answer is what the robot made of one turn.
type Answer struct {
	// Succeeded is the robot's own word; Cause names the stage that it blames
	// otherwise ("guard", "execution", "timeout", …) and Reason says why.
	Succeeded bool   `json:"succeeded"`
	Cause     string `json:"cause,omitempty"`
	Reason    string `json:"reason,omitempty"`
	// Said are the texts that the robot gave, in order.
	Said  []string `json:"said,omitempty"`
	Steps []Step   `json:"steps,omitempty"`
	// Seconds on the robot's clock.
	Seconds float64 `json:"seconds"`
	// Scene is the true one at the end.
	Scene *robot.Scene `json:"scene"`
}

// Candidate is one option and its scores.
type Candidate struct {
	Skill   string  `json:"skill"`
	Say     float64 `json:"say"`
	Can     float64 `json:"can"`
	Product float64 `json:"product"`
}

// Step is one decision and what became of it.
type Step struct {
	Skill      robot.Skill `json:"skill"`
	Phrase     string      `json:"phrase,omitempty"`
	Ends       bool        `json:"ends,omitempty"`
	Candidates []Candidate `json:"candidates,omitempty"`
	// Succeeded and Reason are the robot's own word.
	Succeeded bool    `json:"succeeded"`
	Reason    string  `json:"reason,omitempty"`
	Seconds   float64 `json:"seconds"`
	// ScoreMS is how long deciding took; Visited of Nodes were asked for.
	ScoreMS float64 `json:"score_ms,omitempty"`
	Visited int     `json:"visited,omitempty"`
	Nodes   int     `json:"nodes,omitempty"`
	// Success is what the skill promises, Before and After the true scenes that
	// it is judged by.
	Success       []robot.Predicate `json:"success,omitempty"`
	Before, After *robot.Scene      `json:"-"`
}

// Options say what to run.
type Options struct {
	// Episodes to run; the suite is gone through again and again, each time with
	// other seeds. 0: each once.
	Episodes int
	Seed     uint64
	// Given runs the first plan of each episode without the language model, which
	// measures the body alone; episodes whose first plan is missing or empty are
	// left out, and nothing needs to be said.
	Given bool
	// Skills says what carries them out, "scripted" or "learned", for the report.
	Skills string
	// Can says what judges them, where it is not scripted.
	Can string
	// Done is called after each episode, for progress and for keeping it.
	Done func(*Outcome) error
}

// Run runs episodes of s on r and gives the report. It ends early with ctx's
// error, an error of the harness, or one of Done.
func Run(ctx context.Context, s *Suite, r Robot, o Options) (*Report, error) {
	episodes := order(s, o)
	if len(episodes) == 0 {
		return nil, fmt.Errorf("suite %s: no episode has plans, so there is nothing to run without the language model", s.Name)
	}
	if o.Episodes <= 0 {
		o.Episodes = len(episodes)
	}
	report := newReport(s, o)
	for i := range o.Episodes {
		out := &Outcome{Number: i + 1, Seed: o.Seed + uint64(i), Episode: episodes[i%len(episodes)]}
		if err := out.run(ctx, r, o.Given); err != nil {
			return nil, fmt.Errorf("suite %s: episode %d (line %d, seed %d): %w", s.Name, out.Number, out.Episode.Line, out.Seed, err)
		}
		out.judge(o.Given)
		report.add(out)
		if o.Done == nil {
			continue
		}
		if err := o.Done(out); err != nil {
			return nil, fmt.Errorf("suite %s: episode %d: %w", s.Name, out.Number, err)
		}
	}
	if seamed, ok := r.(Seamed); ok {
		if seams := seamed.Seams(); seams.Count > 0 {
			report.Seams = &seams
		}
	}
	return report, nil
}

// order shuffles the episodes by the seed, so that a part of a suite is a
// sample of it.
func order(s *Suite, o Options) []*Episode {
	// A suite without any plans is one by goals, from which plans can be made.
	byGoal := !slices.ContainsFunc(s.Episodes, func(e Episode) bool { return len(e.Plans) > 0 })
	var episodes []*Episode
	for i := range s.Episodes {
		if e := &s.Episodes[i]; !o.Given || e.canBeGiven(byGoal) {
			episodes = append(episodes, e)
		}
	}
	random := rand.New(rand.NewPCG(o.Seed, 0))
	random.Shuffle(len(episodes), func(i, j int) { episodes[i], episodes[j] = episodes[j], episodes[i] })
	return episodes
}

func (out *Outcome) run(ctx context.Context, r Robot, given bool) error {
	start, err := r.Begin(ctx, out.Seed, out.Episode.Scene)
	if err != nil {
		return fmt.Errorf("set up: %w", err)
	}
	if start == nil {
		return errors.New("set up: no scene")
	}
	out.Start = start
	if m := out.Episode.Moved; m != nil {
		d, ok := r.(Disturber)
		if !ok {
			return errors.New("set up: nobody can move an object in this robot's world")
		}
		d.Disturb(m)
	}
	if given {
		return out.do(ctx, r)
	}
	for i, text := range out.Episode.Instruction {
		answer, err := r.Say(ctx, text)
		if err := out.took(answer, err); err != nil {
			return fmt.Errorf("turn %d: %w", i+1, err)
		}
	}
	return nil
}

// canBeGiven says that there is a plan that moves something or, in a suite by
// goals, a goal that one can be made for.
func (e *Episode) canBeGiven(byGoal bool) bool {
	if len(e.Plans) > 0 {
		return len(e.Plans[0]) > 0
	}
	return byGoal && len(symbolic.Facts(e.Goal)) > 0
}

// do runs the first plan as far as it works; where there is none, one that is
// made for the goal.
func (out *Outcome) do(ctx context.Context, r Robot) error {
	var plan []Call
	if len(out.Episode.Plans) > 0 {
		plan = out.Episode.Plans[0]
	} else if symbolic.Household(out.Start) {
		made, err := out.plan()
		if err != nil {
			return err
		}
		plan = made
	} else {
		return errors.New("the episode has no plan, and of this world none can be made")
	}
	for _, call := range plan {
		answer, err := r.Do(ctx, robot.Skill(call))
		if err := out.took(answer, err); err != nil {
			return fmt.Errorf("%s: %w", robot.Skill(call), err)
		}
		if !answer.Succeeded {
			break
		}
	}
	return nil
}

func (out *Outcome) took(a Answer, err error) error {
	if err != nil {
		return err
	}
	if a.Scene == nil {
		return errors.New("the robot's answer has no scene")
	}
	out.Answers = append(out.Answers, a)
	return nil
}
