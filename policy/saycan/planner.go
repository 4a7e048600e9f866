package saycan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/robot"
)

// Affordance judges skills.
type Affordance interface {
	// Can gives p(success) of s from what is observed, 0 to 1.
	Can(o *robot.Observation, s robot.Skill) float64
}

// Config is what a Planner is made of; every field but Prompt, Best and Undo is
// required.
type Config struct {
	Catalogue  *skill.Catalogue
	Affordance Affordance
	Language   Language
	// Clock times the decisions.
	Clock robot.Clock
	// Prompt that is empty is DefaultPrompt.
	Prompt Prompt
	// Best is how many candidates a Decision holds; 0 is 5.
	Best int
	// Undo multiplies can of an option that promises only what was so before the
	// last step, such as putting down on the table what was picked up from there:
	// people rarely mean it and a small model often prefers it. 0 is 0.1; 1
	// leaves can as it is.
	Undo float64
}

// Request is what to decide about.
type Request struct {
	Instruction string
	// Done are the phrases of the steps that succeeded, in order.
	Done []string
	// Barred skills are left out: the caller knows that they lead nowhere.
	Barred []robot.Skill
	// Only are the skills that come into question, because a goal is known that
	// they lead to; nil: all do. The end of the plan is none of them.
	Only []robot.Skill
	// Before is the scene from which the last of them began, Start that from which
	// the first did; nil: there is none.
	Before, Start *robot.Scene
}

// Scored is an option and its scores.
type Scored struct {
	Candidate
	Skill  robot.Skill
	Phrase string
}

// Decision is the option to take and why.
type Decision struct {
	Chosen skill.Option
	// Candidates are Chosen and then the best others, best first. Where Leading is
	// not 0 a product may be above that of Chosen.
	Candidates []Scored
	// Options counts all, Possible those with can above 0.
	Options, Possible int
	// Leading counts those of Request.Only that are possible; 0: it was nil.
	Leading int
	// Visited of Total inner nodes of the trie were asked for until Chosen was
	// certain, VisitedAll until all Candidates were.
	Visited, VisitedAll, Total int
	// Took is how long deciding took.
	Took time.Duration
	// Why says in one sentence how the scores led to Chosen.
	Why string
}

// Planner decides one step at a time.
type Planner struct {
	config Config
	cache  trieCache
}

// NewPlanner checks c and gives a planner.
func NewPlanner(c Config) (*Planner, error) {
	if c.Catalogue == nil || c.Affordance == nil || c.Language == nil || c.Clock == nil {
		return nil, errors.New("saycan: a planner needs a catalogue, an affordance, a language model and a clock")
	}
	if c.Prompt == (Prompt{}) {
		c.Prompt = DefaultPrompt()
	}
	if c.Best <= 0 {
		c.Best = 5
	}
	if c.Undo == 0 {
		c.Undo = 0.1
	}
	if !(c.Undo > 0 && c.Undo <= 1) {
		return nil, fmt.Errorf("saycan: undo is %g, not in (0, 1]", c.Undo)
	}
	return &Planner{config: c, cache: trieCache{language: c.Language}}, nil
}

// Warm builds the trie of what is in scene and reads the part of the prompt
// that is the same for each instruction, so that the first decision takes no
// longer than the next.
func (p *Planner) Warm(ctx context.Context, scene *robot.Scene) error {
	options, err := p.config.Catalogue.Options(scene)
	if err != nil {
		return err
	}
	_, scorer, err := p.cache.of(options)
	opening := p.config.Prompt.Opening(scene)
	if err != nil || opening == "" {
		return err
	}
	return scorer.Prompt(ctx, p.config.Language.Encode(opening))
}

// Decide gives the option with the largest say·can. The observation must hold a
// scene. Errors: ErrNoOption, an affordance outside of [0, 1], whatever the
// language model fails with, and ctx's error soon after ctx ends.
func (p *Planner) Decide(ctx context.Context, o *robot.Observation, r Request) (Decision, error) {
	start := p.config.Clock.Now()
	if o.Scene == nil {
		return Decision{}, errors.New("saycan: the observation has no scene: nothing perceives the objects")
	}
	options, err := p.config.Catalogue.Options(o.Scene)
	if err != nil {
		return Decision{}, err
	}
	can := p.can(o, options, &r)
	trie, scorer, err := p.cache.of(options)
	if err != nil {
		return Decision{}, err
	}
	scene := o.Scene
	if r.Start != nil {
		scene = r.Start // the steps that follow in the prompt begin there
	}
	tokens := p.config.Language.Encode(p.config.Prompt.Build(scene, r.Instruction, r.Done))
	if err := scorer.Prompt(ctx, tokens); err != nil {
		return Decision{}, fmt.Errorf("saycan: read the prompt of %d tokens: %w", len(tokens), err)
	}
	leads := leading(options, can, r.Only)
	found, err := p.search(ctx, trie, scorer, can, leads)
	if err != nil {
		return Decision{}, err
	}
	d := decision(options, can, &found)
	d.Leading = possible(leads)
	d.Why = why(&d)
	d.Took = p.config.Clock.Now().Sub(start)
	return d, nil
}

// search gives the best option of those that lead, nil meaning all, and then the
// best of the others. What the model was asked for the first it is not asked
// again for the rest.
func (p *Planner) search(ctx context.Context, trie Trie, scorer Scorer, can, leads []float64) (Result, error) {
	o := Options{Best: p.config.Best, Within: p.config.Prompt.Within}
	all := func(can []float64, o Options) (Result, error) {
		r, err := Search(ctx, trie, scorer, can, o)
		if err == nil && len(r.Candidates) == 0 {
			err = errors.New("saycan: the language model gives every possible option the probability 0")
		}
		return r, err
	}
	if leads == nil {
		return all(can, o)
	}
	first, err := all(leads, Options{Best: 1, Within: o.Within})
	if err != nil {
		return first, err
	}
	rest, err := all(can, o)
	for _, c := range rest.Candidates {
		if c.Option != first.Candidates[0].Option && len(first.Candidates) < o.Best {
			first.Candidates = append(first.Candidates, c)
		}
	}
	first.VisitedAll = max(first.VisitedAll, rest.VisitedAll)
	return first, err
}

// leading gives can where an option is one of only, else 0; nil where only is.
func leading(options []skill.Option, can []float64, only []robot.Skill) []float64 {
	if only == nil {
		return nil
	}
	leads := make([]float64, len(can))
	for i := range options {
		if slices.ContainsFunc(only, options[i].Skill.Equal) {
			leads[i] = can[i]
		}
	}
	return leads
}

func possible(can []float64) int {
	n := 0
	for _, c := range can {
		if c > 0 {
			n++
		}
	}
	return n
}

// can gives each option's affordance: 0 where a precondition fails or the
// caller bars it, so that the model is not asked; 1 for the end of the plan,
// which moves nothing; less than the affordance says where it undoes a step.
func (p *Planner) can(o *robot.Observation, options []skill.Option, r *Request) []float64 {
	can := make([]float64, len(options))
	for i := range options {
		option := &options[i]
		switch {
		case option.Ends:
			can[i] = 1
		case !option.Possible(o.Scene), slices.ContainsFunc(r.Barred, option.Skill.Equal):
		default:
			can[i] = p.config.Affordance.Can(o, option.Skill)
			if undoes(option, r.Before) {
				can[i] *= p.config.Undo
			}
		}
	}
	return can
}

func decision(options []skill.Option, can []float64, found *Result) Decision {
	d := Decision{
		Chosen:  options[found.Candidates[0].Option],
		Options: len(options),
		Visited: found.Visited, VisitedAll: found.VisitedAll, Total: found.Total,
	}
	d.Possible = possible(can)
	for _, c := range found.Candidates {
		d.Candidates = append(d.Candidates, Scored{Candidate: c, Skill: options[c.Option].Skill, Phrase: options[c.Option].Phrase})
	}
	return d
}

func why(d *Decision) string {
	best := d.Candidates[0]
	of := fmt.Sprintf("%d options that are possible now", d.Possible)
	if d.Leading > 0 {
		of = fmt.Sprintf("the %d that lead to what is asked, of %s", d.Leading, of)
	}
	text := fmt.Sprintf("%s has say %.2g and can %.2g, together %.2g: the most of %s", best.Skill, best.Say, best.Can, best.Product, of)
	if len(d.Candidates) == 1 {
		return text
	}
	next := d.Candidates[1]
	return fmt.Sprintf("%s; next is %s with %.2g", text, next.Skill, next.Product)
}

// undoes says whether option promises what was so before the last step.
func undoes(option *skill.Option, before *robot.Scene) bool {
	if before == nil || len(option.Success) == 0 {
		return false
	}
	_, held := robot.HoldAll(option.Success, nil, before)
	return held
}
