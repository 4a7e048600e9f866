package daemon

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/kuai-robot/kuai/fusion/embed"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/eval"
	"github.com/kuai-robot/kuai/sim/scenes"
	"github.com/kuai-robot/kuai/sim/world"
)

// QuestionOptions say what zero-shot questions to measure a pair of towers with.
type QuestionOptions struct {
	// Pictures is how many are taken, of the seeds Seed, Seed+1, …
	Pictures int
	Seed     uint64
	// Each is how many questions of each relation and answer are asked at most.
	Each int
	// Renderer as world.Options has it.
	Renderer string
	// Progress is told how many pictures were seen.
	Progress func(pictures int)
}

// QuestionReport is how many questions about pictures were answered right, those
// about combinations that training never had and the others. Of each relation as many
// are true as are not, and what is not true names only what is in the picture, so that
// guessing answers half.
type QuestionReport struct {
	Unseen, Seen QuestionRates
}

// QuestionRates are those of each relation, and of all.
type QuestionRates struct {
	All       eval.Rate
	Relations map[scenes.Relation]eval.Rate
}

// asked is a question about a picture, and how much better the affirming sentence
// fits it.
type asked struct {
	statement scenes.Statement
	true      bool
	better    float64
}

// Questions takes pictures and asks.
func Questions(ctx context.Context, p *embed.Pair, o QuestionOptions) (r QuestionReport, err error) {
	g, err := scenes.New(world.Options{Renderer: o.Renderer}, true)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	q, err := newAsker(ctx, p)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, q.vision.Close()) }()
	for seed := o.Seed; q.pictures < o.Pictures; seed++ {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		err := g.Take(seed, func(picture *scenes.Picture) error {
			if q.pictures == o.Pictures {
				return nil
			}
			q.pictures++
			o.Progress(q.pictures)
			return q.see(ctx, picture)
		})
		if err != nil {
			return r, err
		}
	}
	random := rand.New(rand.NewPCG(o.Seed, 0x61736b))
	r.Unseen, r.Seen = rates(random, q.unseen, o.Each), rates(random, q.seen, o.Each)
	return r, nil
}

// asker compares pictures with all statements.
type asker struct {
	vision interface {
		Encode(context.Context, *robot.Frame) ([]float32, error)
		Close() error
	}
	statements []scenes.Statement
	// better of each statement is what its affirming sentence has and its denying one
	// has not.
	better       [][]float32
	pictures     int
	unseen, seen []asked
}

func newAsker(ctx context.Context, p *embed.Pair) (*asker, error) {
	q := &asker{statements: scenes.All()}
	text, err := p.Text.NewSession()
	if err != nil {
		return nil, err
	}
	for _, s := range q.statements {
		yes, err := text.Encode(ctx, s.Affirm()[0])
		if err != nil {
			return nil, errors.Join(err, text.Close())
		}
		better := slices.Clone(yes)
		no, err := text.Encode(ctx, s.Deny()[0])
		if err != nil {
			return nil, errors.Join(err, text.Close())
		}
		for i := range better {
			better[i] -= no[i]
		}
		q.better = append(q.better, better)
	}
	if err := text.Close(); err != nil {
		return nil, err
	}
	q.vision, err = p.Vision.NewSession()
	return q, err
}

// see asks about everything that can be asked of a picture.
func (q *asker) see(ctx context.Context, p *scenes.Picture) error {
	f := &robot.Frame{Camera: "front", Width: scenes.Width, Height: scenes.Height, Pixels: p.Pixels}
	seen, err := q.vision.Encode(ctx, f)
	if err != nil {
		return fmt.Errorf("picture of seed %d: %w", p.Seed, err)
	}
	for i, s := range q.statements {
		truth := p.View.Judge(s)
		if truth == scenes.Unknown || truth == scenes.False && !p.View.Names(s) {
			continue
		}
		a := asked{statement: s, true: truth == scenes.True, better: embed.Cosine(seen, q.better[i])}
		if s.HeldOut() {
			q.unseen = append(q.unseen, a)
		} else {
			q.seen = append(q.seen, a)
		}
	}
	return nil
}

// rates draws questions evenly and counts the right answers.
func rates(random *rand.Rand, all []asked, each int) QuestionRates {
	r := QuestionRates{Relations: map[scenes.Relation]eval.Rate{}}
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, relation := range scenes.Relations() {
		var yes, no []asked
		for _, a := range all {
			switch {
			case a.statement.Relation != relation:
			case a.true:
				yes = append(yes, a)
			default:
				no = append(no, a)
			}
		}
		n := min(len(yes), len(no), each)
		if n == 0 {
			continue
		}
		rate := eval.Rate{Of: 2 * n}
		for _, a := range append(yes[:n:n], no[:n]...) {
			if (a.better > 0) == a.true {
				rate.Hits++
			}
		}
		r.Relations[relation] = rate
		r.All.Hits, r.All.Of = r.All.Hits+rate.Hits, r.All.Of+rate.Of
	}
	return r
}
