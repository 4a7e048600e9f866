package turns

import (
	"context"

	"github.com/kuai-robot/kuai/fusion/generate"
)

// Prompt gives a prompt of PromptTokens; another first means another prompt
// from the first token on, so that nothing is left of the one before.
func Prompt(m *generate.Model, first int32) []int32 {
	prompt := make([]int32, PromptTokens)
	for i := range prompt {
		prompt[i] = (1000 + 37*first + 7*int32(i)) % int32(m.Config().Vocab)
	}
	return prompt
}

// Follow reads AnswerTokens after the prompt one by one, as writing them does.
// The model may end its answer early, so they are given.
func Follow(ctx context.Context, session *generate.Session, prompt []int32) error {
	for i := range AnswerTokens {
		prompt = append(prompt, 2000+int32(i))
		if _, err := session.Logits(ctx, prompt); err != nil {
			return err
		}
	}
	return nil
}
