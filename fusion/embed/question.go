package embed

import (
	"fmt"
	"math"
	"strings"

	"context"

	"github.com/kuai-robot/kuai/robot"
)

// Contrast turns a question that yes or no answers, or a statement, into the
// sentence that affirms it and the one that denies it, which differ in a word or
// two: what fits a picture better answers the question. It knows these forms:
//
//	is there a red block in a bowl?       there is a …             there is no …
//	is something in the blue bowl?        there is something …     there is nothing …
//	is the red block left of the bowl?    the red block is …       the red block is not …
//	does the gripper hold a red block?    the gripper holds a …    the gripper holds no …
//	a red block in a bowl                 a …                      no …
func Contrast(question string) (yes, no string, err error) {
	text := strings.ToLower(strings.Join(strings.Fields(strings.TrimRight(strings.TrimSpace(question), "?!. ")), " "))
	text = strings.ReplaceAll(text, "anything", "something")
	after := func(starts ...string) (rest string, ok bool) {
		for _, start := range starts {
			if rest, ok := strings.CutPrefix(text, start); ok && rest != "" {
				return rest, true
			}
		}
		return "", false
	}
	if rest, ok := after("is there ", "there is ", "can you see ", "do you see "); ok {
		return pair("there is ", rest, question)
	}
	if rest, ok := after("does the gripper hold ", "is the gripper holding ", "the gripper holds "); ok {
		return pair("the gripper holds ", rest, question)
	}
	if rest, ok := after("is the "); ok {
		return predicate(rest, question)
	}
	if rest, ok := after("is "); ok {
		return pair("there is ", rest, question)
	}
	if subject, is, ok := strings.Cut(text, " is "); ok && strings.HasPrefix(subject, "the ") {
		return subject + " is " + is, subject + " is not " + is, nil
	}
	return pair("", text, question)
}

// pair affirms and denies that what is there.
func pair(before, what, question string) (yes, no string, err error) {
	for _, article := range []string{"a ", "an "} {
		if noun, ok := strings.CutPrefix(what, article); ok {
			return before + what, before + "no " + noun, nil
		}
	}
	if rest, ok := strings.CutPrefix(what, "something"); ok {
		return before + what, before + "nothing" + rest, nil
	}
	return "", "", fmt.Errorf("%q: ask about a thing or something (is there a red block in a bowl?), or of the thing whether it is so (is the drawer open?)", question)
}

// starts are words that a predicate begins with.
var starts = []string{"in", "on", "left", "right", "under", "behind", "near", "empty", "open", "closed", "full"}

// predicate splits what follows "is the" into a subject and what is said of it.
func predicate(rest, question string) (yes, no string, err error) {
	words := strings.Fields(rest)
	for i := 1; i < len(words); i++ {
		for _, start := range starts {
			if words[i] == start {
				subject, said := "the "+strings.Join(words[:i], " "), strings.Join(words[i:], " ")
				return subject + " is " + said, subject + " is not " + said, nil
			}
		}
	}
	return "", "", fmt.Errorf("%q: what is asked of it begins with none of %s", question, strings.Join(starts, ", "))
}

// Answer is what a picture says to a question.
type Answer struct {
	Question string `json:"question"`
	// Affirms and Denies are the sentences that were compared.
	Affirms string `json:"affirms"`
	Denies  string `json:"denies"`
	// Yes is the probability of the affirming one of the two.
	Yes float64 `json:"yes"`
}

// Quiz answers questions about pictures. It belongs to one goroutine at a time.
type Quiz struct {
	session *PairSession
	answers []Answer
}

// NewQuiz embeds the questions, once for all pictures.
func (p *Pair) NewQuiz(ctx context.Context, questions []string) (*Quiz, error) {
	q := &Quiz{}
	var sentences []string
	for _, question := range questions {
		yes, no, err := Contrast(question)
		if err != nil {
			return nil, err
		}
		q.answers = append(q.answers, Answer{Question: question, Affirms: yes, Denies: no})
		sentences = append(sentences, yes, no)
	}
	var err error
	q.session, err = p.NewSession(ctx, sentences)
	return q, err
}

// Close frees the memory of the quiz.
func (q *Quiz) Close() error { return q.session.Close() }

// Answer gives the answers, in the questions' order; valid until the quiz is used
// again.
func (q *Quiz) Answer(ctx context.Context, f *robot.Frame) ([]Answer, error) {
	matches, err := q.session.Match(ctx, f)
	if err != nil {
		return nil, err
	}
	for i := range q.answers {
		better := matches[2*i].Cosine - matches[2*i+1].Cosine
		q.answers[i].Yes = 1 / (1 + math.Exp(-q.session.pair.scale*better))
	}
	return q.answers, nil
}
