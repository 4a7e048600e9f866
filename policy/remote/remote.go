package remote

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kuai-robot/kuai/policy/saycan"
	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/robot"
)

// Local decides when the endpoint does not; saycan.Planner does.
type Local interface {
	Decide(ctx context.Context, o *robot.Observation, r saycan.Request) (saycan.Decision, error)
}

// Config is what a Planner is made of. URL, Model, Catalogue, Affordance, Local and
// Clock are required.
type Config struct {
	// URL is what stands before /chat/completions.
	URL, Model, Key string
	Catalogue       *skill.Catalogue
	Affordance      saycan.Affordance
	Local           Local
	Clock           robot.Clock
	// Timeout of a decision there; 0 is 3 s. Rest is how long a faulty endpoint is
	// left alone; 0 is 30 s.
	Timeout, Rest time.Duration
	// Grammar sends the options as a grammar, which llama.cpp's servers hold a model
	// to; others refuse a request that has one.
	Grammar bool
	// Problem is told each fault.
	Problem func(error)
}

// Planner asks elsewhere first.
type Planner struct {
	config Config
	client *http.Client
	// until is when the endpoint is asked again.
	until robot.Time
}

// New checks c and gives a planner; the endpoint is not asked yet.
func New(c Config) (*Planner, error) {
	if c.URL == "" || c.Model == "" || c.Catalogue == nil || c.Affordance == nil || c.Local == nil || c.Clock == nil {
		return nil, errors.New("remote: needs a URL, a model, a catalogue, an affordance, a local planner and a clock")
	}
	if c.Timeout <= 0 {
		c.Timeout = 3 * time.Second
	}
	if c.Rest <= 0 {
		c.Rest = 30 * time.Second
	}
	if c.Problem == nil {
		c.Problem = func(error) {}
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &Planner{config: c, client: client}, nil
}

// Decide gives the option that the endpoint chooses, or the local planner's.
func (p *Planner) Decide(ctx context.Context, o *robot.Observation, r saycan.Request) (saycan.Decision, error) {
	start := p.config.Clock.Now()
	if start < p.until {
		return p.config.Local.Decide(ctx, o, r)
	}
	d, err := p.ask(ctx, o, &r)
	if err == nil {
		d.Took = p.config.Clock.Now().Sub(start)
		return d, nil
	}
	if ctx.Err() != nil {
		return saycan.Decision{}, ctx.Err()
	}
	p.until = p.config.Clock.Now().Add(p.config.Rest)
	p.config.Problem(fmt.Errorf("planner.remote %s: %w (the robot's own model decides, for %s)", p.config.URL, err, p.config.Rest))
	return p.config.Local.Decide(ctx, o, r)
}

// ask gives the endpoint's decision.
func (p *Planner) ask(ctx context.Context, o *robot.Observation, r *saycan.Request) (saycan.Decision, error) {
	if o.Scene == nil {
		return saycan.Decision{}, errors.New("there is no scene")
	}
	all, err := p.config.Catalogue.Options(o.Scene)
	if err != nil {
		return saycan.Decision{}, err
	}
	var options []skill.Option
	var can []float64
	for i := range all {
		if c := p.can(o, &all[i], r); c > 0 {
			options, can = append(options, all[i]), append(can, c)
		}
	}
	if len(options) == 0 {
		return saycan.Decision{}, saycan.ErrNoOption
	}
	reply, err := p.complete(ctx, messages(o.Scene, r, options), p.grammar(options))
	if err != nil {
		return saycan.Decision{}, err
	}
	i := slices.IndexFunc(options, func(x skill.Option) bool { return x.Phrase == line(reply) })
	if i < 0 {
		return saycan.Decision{}, fmt.Errorf("%q is none of the %d options", clip(reply), len(options))
	}
	chosen := &options[i]
	return saycan.Decision{
		Chosen:     *chosen,
		Candidates: []saycan.Scored{{Candidate: saycan.Candidate{Say: 1, Can: can[i], Product: can[i]}, Skill: chosen.Skill, Phrase: chosen.Phrase}},
		Options:    len(all), Possible: len(options),
		Why: fmt.Sprintf("%s chose %s among the %d options that are possible now", p.config.Model, chosen.Skill, len(options)),
	}, nil
}

// grammar gives the options as GBNF, empty where none is to be sent.
func (p *Planner) grammar(options []skill.Option) string {
	if !p.config.Grammar {
		return ""
	}
	var b strings.Builder
	for i := range options {
		b.WriteString(map[bool]string{true: "root ::= ", false: " | "}[i == 0])
		b.WriteString(strconv.Quote(options[i].Phrase))
	}
	return b.String()
}

// can is 0 for what is not offered.
func (p *Planner) can(o *robot.Observation, x *skill.Option, r *saycan.Request) float64 {
	switch {
	case r.Only != nil && !slices.ContainsFunc(r.Only, x.Skill.Equal):
		return 0
	case x.Ends:
		return 1
	case !x.Possible(o.Scene), slices.ContainsFunc(r.Barred, x.Skill.Equal):
		return 0
	}
	return p.config.Affordance.Can(o, x.Skill)
}

// line gives the reply's one line, without what models put around it.
func line(reply string) string {
	return strings.ToLower(strings.Trim(strings.TrimSpace(reply), "\"'`."))
}

func clip(s string) string {
	const most = 80
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
