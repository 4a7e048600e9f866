package daemon

import (
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/policy/agent"
	"github.com/kuai-robot/kuai/policy/saycan"
	"github.com/kuai-robot/kuai/robot"
)

// unix gives t as topics write instants: seconds since the Unix epoch.
func unix(clock robot.Clock, t robot.Time) float64 {
	return float64(clock.Epoch().UnixNano()+int64(t)) / 1e9
}

// planTopic gives a plan as the topic has it. by names who carries it out and
// judges it.
func planTopic(p *agent.Plan, runner, affordance string) topics.Plan {
	out := topics.Plan{
		ID: p.ID, Instruction: p.Instruction, Status: planStatus(p.Status), Reason: p.Reason, Answer: p.Said,
		Step: len(p.Steps), History: make([]topics.Step, len(p.Steps)), Seconds: p.Took().Seconds(),
		Runner: runner, Affordance: affordance,
	}
	for i := range p.Steps {
		out.History[i] = stepTopic(&p.Steps[i], p.At)
	}
	return out
}

func planStatus(s robot.Status) topics.PlanStatus {
	switch s {
	case robot.Succeeded:
		return topics.PlanSucceeded
	case robot.Failed:
		return topics.PlanFailed
	}
	return topics.PlanRunning
}

func stepTopic(s *agent.Step, now robot.Time) topics.Step {
	d := &s.Decision
	return topics.Step{
		Number: s.Number, Candidates: candidateTopics(d.Candidates),
		Skill: s.Skill.String(), Phrase: s.Phrase,
		Outcome: s.Outcome.Status.String(), Reason: s.Outcome.Reason, Seconds: s.Seconds(now),
		ScoreMS: float64(d.Took) / 1e6, Visited: d.VisitedAll, Nodes: d.Total,
	}
}

func candidateTopics(scored []saycan.Scored) []topics.Candidate {
	out := make([]topics.Candidate, len(scored))
	for i, c := range scored {
		out[i] = topics.Candidate{Skill: c.Skill.String(), Phrase: c.Phrase, Say: c.Say, Can: c.Can, Product: c.Product}
	}
	return out
}

// eventTopic gives an update as the event topic has it. topic is where the
// request came from.
func eventTopic(u *agent.Update, topic string, at float64) topics.Event {
	return topics.Event{
		At: at, Kind: topics.EventKind(u.Kind), ID: u.Plan.ID, Topic: topic,
		Step: u.Step, Skill: u.Skill, Reason: u.Reason,
	}
}
