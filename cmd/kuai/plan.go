package main

import (
	"fmt"
	"strconv"

	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/robot"
)

// planPrinter prints a plan as it grows: each step once when it is decided and
// once when it has ended.
type planPrinter struct {
	out   *terminal
	clock robot.Clock
	// shown says that something was printed.
	shown          bool
	decided, ended int // steps printed so far
	// running is the step that has not ended, as the newest plan has it; heard
	// is when that came.
	running *topics.Step
	heard   robot.Time
}

const barCells = 12

func (p *planPrinter) show(plan *topics.Plan) {
	if !p.shown {
		p.out.line("%s", p.out.bold(first(plan.Instruction, "one skill")))
		p.out.line("%s", p.out.dim(fmt.Sprintf("skills: %s, can: %s", plan.Runner, plan.Affordance)))
		p.shown = true
	}
	p.running, p.heard = nil, p.clock.Now()
	for i := range plan.History {
		step := &plan.History[i]
		if i == p.decided {
			p.step(step)
			p.decided++
		}
		if i == p.ended && step.Outcome != "running" {
			p.outcome(step)
			p.ended++
		}
		if i >= p.ended {
			p.running = step
		}
	}
	p.count()
}

// count shows how long the step that runs has been running.
func (p *planPrinter) count() {
	if p.running != nil {
		took := p.running.Seconds + p.clock.Now().Sub(p.heard).Seconds()
		p.out.move(fmt.Sprintf("   running for %.1fs", took))
	}
}

// step prints what was decided.
func (p *planPrinter) step(step *topics.Step) {
	title := fmt.Sprintf("%d. %s", step.Number, first(step.Phrase, step.Skill))
	detail := ""
	if step.ScoreMS > 0 {
		detail = fmt.Sprintf("  decided in %.0f ms", step.ScoreMS)
		if step.Nodes > 0 {
			detail += fmt.Sprintf(", %d of %d nodes", step.Visited, step.Nodes)
		}
	}
	p.out.line("%s%s", p.out.bold(title), p.out.dim(detail))
	if len(step.Candidates) == 0 {
		return
	}
	p.out.line("%s", p.out.dim("       say      can  product"))
	best := step.Candidates[0].Product
	for _, c := range step.Candidates {
		best = max(best, c.Product)
	}
	for _, c := range step.Candidates {
		row := fmt.Sprintf("   %7s  %7s  %7s  ", score(c.Say), score(c.Can), score(c.Product))
		if p.out.width > 0 && best > 0 {
			row += bar(c.Product/best, barCells) + "  "
		}
		row += first(c.Phrase, c.Skill)
		if c.Skill == step.Skill {
			row = p.out.bold(row + "  <")
		}
		p.out.line("%s", row)
	}
}

func (p *planPrinter) outcome(step *topics.Step) {
	switch {
	case step.Skill == "done()":
		p.out.line("   ends the plan")
	case step.Outcome == "succeeded":
		p.out.line("   %s in %s", p.out.green("succeeded"), duration(step.Seconds))
	default:
		p.out.line("   %s after %s: %s", p.out.red(step.Outcome), duration(step.Seconds), first(step.Reason, "no reason given"))
	}
}

// score writes a probability in at most seven characters.
func score(p float64) string {
	if p >= 0.001 || p == 0 {
		return strconv.FormatFloat(p, 'f', 3, 64)
	}
	return strconv.FormatFloat(p, 'e', 1, 64)
}
