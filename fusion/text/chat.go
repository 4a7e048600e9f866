package text

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Message is one turn of a dialogue.
type Message struct {
	Role    string // system, user or assistant
	Content string
}

// ErrNoChat says that the model has no chat template.
var ErrNoChat = errors.New("the model file has no chat template: it continues text, it does not answer")

// Chat gives the tokens of a dialogue in the ChatML form, up to where the
// assistant answers if answer is true. Contents are plain text: a special token
// in them stays words. Errors: a template of another form, an unknown role.
func (t *Tokenizer) Chat(messages []Message, answer bool) ([]int32, error) {
	if t.chatML != nil {
		return nil, t.chatML
	}
	var ids []int32
	if t.AddBOS {
		ids = append(ids, t.BOS)
	}
	open, closing := t.special.ids["<|im_start|>"], t.special.ids["<|im_end|>"]
	if t.system != "" && (len(messages) == 0 || messages[0].Role != "system") && len(messages) > 0 {
		messages = append([]Message{{"system", t.system}}, messages...)
	}
	for i, m := range messages {
		switch m.Role {
		case "system", "user", "assistant":
		default:
			return nil, fmt.Errorf("message %d: role %q, want system, user or assistant", i, m.Role)
		}
		ids = t.encode(append(ids, open), m.Role+"\n"+m.Content)
		ids = t.encode(append(ids, closing), "\n")
	}
	if answer {
		ids = t.encode(append(ids, open), "assistant\n")
	}
	return ids, nil
}

// System is the message that Chat puts first where the dialogue has none; ""
// if the template does not.
func (t *Tokenizer) System() string { return t.system }

// templateSystem finds the system message that a ChatML template writes itself,
// as one quoted literal.
var templateSystem = regexp.MustCompile(`<\|im_start\|>system(?:\n|\\n)([^<'"{}]+)<\|im_end\|>`)

// readTemplate says whether a template is ChatML, and its system message.
func readTemplate(template string, special *specials) (system string, err error) {
	if template == "" {
		return "", ErrNoChat
	}
	for _, token := range []string{"<|im_start|>", "<|im_end|>"} {
		if _, ok := special.ids[token]; !ok || !strings.Contains(template, token) {
			return "", fmt.Errorf("chat template: not of the ChatML form, it or the vocabulary lacks %s", token)
		}
	}
	if m := templateSystem.FindStringSubmatch(template); m != nil {
		system = m[1]
	}
	return system, nil
}
