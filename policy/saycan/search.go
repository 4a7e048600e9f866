package saycan

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Trie is the set of options as token sequences; the root is node 0 and every
// leaf is one option.
type Trie interface {
	// Nodes counts all nodes; they are numbered from 0.
	Nodes() int
	// Children gives the tokens that may follow node and the nodes they lead to.
	Children(node int) (tokens []int32, nodes []int)
	// Option gives the option that a leaf stands for, -1 for an inner node.
	Option(node int) int
}

// Scorer asks a language model about the trie that it was made for.
type Scorer interface {
	// Prompt sets what the model has read before the root.
	Prompt(ctx context.Context, tokens []int32) error
	// Expand writes log p(child | prompt, path to node), of the softmax over the
	// whole vocabulary, one for each child of node in the order of Children.
	Expand(ctx context.Context, node int, logp []float64) error
}

// Expecter is a Scorer that works ahead: told what each option's probability is
// multiplied with, it leaves out what cannot be chosen. It changes no score.
type Expecter interface {
	Expect(can []float64)
}

// Candidate is an option with its exact scores.
type Candidate struct {
	// Option is the index among the options searched.
	Option int
	// Say is p(option | prompt), as Options.Within says, LogSay its logarithm; Can is p(success); Product
	// is what is maximised.
	Say, LogSay, Can, Product float64
}

// Options of a search.
type Options struct {
	// Best is how many candidates to find.
	Best int
	// Within says what Say is: 0 the model's own p(option | prompt), of which
	// most may lie on words that are no option; 1 the p of constrained decoding,
	// for which the model chooses at each token among the options that can be
	// alone; between, their geometric mean with Within as the weight of the latter.
	Within float64
}

// Result of one search.
type Result struct {
	// Candidates are the best options, best first; fewer than asked for when
	// fewer are possible.
	Candidates []Candidate
	// Visited counts the nodes at which the model was asked until the best option
	// was certain, VisitedAll until all Candidates were; Total is how many asking
	// everywhere would have been.
	Visited, VisitedAll, Total int
}

// ErrNoOption says that can is 0 for every option.
var ErrNoOption = errors.New("saycan: no option is possible")

// Search finds the options with the largest say·can, exactly. A prefix's
// log-probability only falls as it grows and can is at most 1, so log p(prefix)
// plus the logarithm of the largest can below bounds everything under a node:
// the first leaf that comes out of a queue ordered by that bound is the
// maximum, the second the runner-up, and what can rules out is never asked for.
// A log-probability above 0 by rounding counts as 0.
//
// can holds one number in [0, 1] for each option. Errors: ErrNoOption, a can or
// Within outside of [0, 1], a NaN from the model, whatever the scorer returns,
// and ctx's error, checked before each question to the model.
func Search(ctx context.Context, trie Trie, scorer Scorer, can []float64, o Options) (Result, error) {
	if !(o.Within >= 0 && o.Within <= 1) {
		return Result{}, fmt.Errorf("saycan: within is %g, not in [0, 1]", o.Within)
	}
	for i, c := range can {
		if !(c >= 0 && c <= 1) {
			return Result{}, fmt.Errorf("saycan: can of option %d is %g, not in [0, 1]", i, c)
		}
	}
	s := search{trie: trie, scorer: scorer, can: can, within: o.Within, bound: make([]float64, trie.Nodes())}
	if err := s.bounds(0); err != nil {
		return Result{}, err
	}
	if math.IsInf(s.bound[0], -1) {
		return Result{}, ErrNoOption
	}
	if ahead, ok := scorer.(Expecter); ok {
		ahead.Expect(can)
	}
	heap.Push(&s.queue, entry{node: 0, value: s.bound[0]})
	for len(s.queue) > 0 && len(s.result.Candidates) < o.Best {
		e := heap.Pop(&s.queue).(entry)
		if option := trie.Option(e.node); option >= 0 {
			s.found(option, e.logp)
			continue
		}
		if err := s.expand(ctx, e); err != nil {
			return Result{}, err
		}
	}
	return s.result, nil
}

type search struct {
	trie   Trie
	scorer Scorer
	can    []float64
	within float64
	// bound is log of the largest can under each node.
	bound  []float64
	queue  queue
	logp   []float64
	result Result
}

// bounds fills bound for node and all below, and counts the inner ones.
func (s *search) bounds(node int) error {
	if option := s.trie.Option(node); option >= 0 {
		if option >= len(s.can) {
			return fmt.Errorf("saycan: the trie has option %d, can only %d numbers", option, len(s.can))
		}
		s.bound[node] = math.Log(s.can[option])
		return nil
	}
	s.result.Total++
	s.bound[node] = math.Inf(-1)
	_, children := s.trie.Children(node)
	for _, child := range children {
		if err := s.bounds(child); err != nil {
			return err
		}
		s.bound[node] = max(s.bound[node], s.bound[child])
	}
	return nil
}

func (s *search) expand(ctx context.Context, e entry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	_, children := s.trie.Children(e.node)
	s.logp = slices.Grow(s.logp[:0], len(children))[:len(children)]
	if err := s.scorer.Expand(ctx, e.node, s.logp); err != nil {
		return fmt.Errorf("saycan: score node %d: %w", e.node, err)
	}
	s.result.VisitedAll++
	if len(s.result.Candidates) == 0 {
		s.result.Visited++
	}
	if i := slices.IndexFunc(s.logp, math.IsNaN); i >= 0 {
		return fmt.Errorf("saycan: the model gave NaN at node %d", children[i])
	}
	among := s.among(children)
	for i, child := range children {
		logp := e.logp + min(s.logp[i]-among, 0)
		if value := logp + s.bound[child]; !math.IsInf(value, -1) {
			heap.Push(&s.queue, entry{node: child, logp: logp, value: value})
		}
	}
	return nil
}

// among gives what to subtract from the log-probabilities of children: within
// times the logarithm of what the model gives to those that can be.
func (s *search) among(children []int) float64 {
	sum := 0.0
	for i, child := range children {
		if !math.IsInf(s.bound[child], -1) {
			sum += math.Exp(s.logp[i])
		}
	}
	if s.within == 0 || sum == 0 {
		return 0
	}
	return s.within * math.Log(sum)
}

func (s *search) found(option int, logp float64) {
	say := math.Exp(logp)
	s.result.Candidates = append(s.result.Candidates, Candidate{
		Option: option, Say: say, LogSay: logp, Can: s.can[option], Product: say * s.can[option],
	})
}

type entry struct {
	node        int
	logp, value float64
}

// queue is a heap.Interface, largest value first, then the lower node so that a
// tie breaks the same way each time.
type queue []entry

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	if q[i].value != q[j].value {
		return q[i].value > q[j].value
	}
	return q[i].node < q[j].node
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(entry)) }
func (q *queue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	*q = (*q)[:last]
	return e
}
