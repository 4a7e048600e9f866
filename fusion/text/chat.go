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

// chatForm is how a template writes a turn.
type chatForm struct {
	open, closing string
	// model is what the template calls the assistant.
	model string
	// system is a message that the template writes itself where the dialogue has
	// none.
	system string
	// joined says that a system message is put before the first user's, that
	// turns alternate, and that contents are trimmed: Gemma.
	joined bool
}

var (
	chatML    = chatForm{open: "<|im_start|>", closing: "<|im_end|>", model: "assistant"}
	gemmaChat = chatForm{open: "<start_of_turn>", closing: "<end_of_turn>", model: "model", joined: true}
)

// Chat gives the tokens of a dialogue in the form of the model's template, up to
// where the assistant answers if answer is true. Contents are plain text: a
// special token in them stays words. Errors: a template of another form, an
// unknown role, turns that do not alternate where the template demands it.
func (t *Tokenizer) Chat(messages []Message, answer bool) ([]int32, error) {
	if t.noChat != nil {
		return nil, t.noChat
	}
	var ids []int32
	if t.AddBOS {
		ids = append(ids, t.BOS)
	}
	for i, m := range messages {
		switch m.Role {
		case "system", "user", "assistant":
		default:
			return nil, fmt.Errorf("message %d: role %q, want system, user or assistant", i, m.Role)
		}
	}
	messages, err := t.chat.arrange(messages)
	if err != nil {
		return nil, err
	}
	open, closing := t.special.ids[t.chat.open], t.special.ids[t.chat.closing]
	for _, m := range messages {
		ids = t.encode(append(ids, open), m.Role+"\n"+m.Content)
		ids = t.encode(append(ids, closing), "\n")
	}
	if answer {
		ids = t.encode(append(ids, open), t.chat.model+"\n")
	}
	return ids, nil
}

// arrange gives the turns that the template writes.
func (c *chatForm) arrange(messages []Message) ([]Message, error) {
	if !c.joined {
		if c.system != "" && len(messages) > 0 && messages[0].Role != "system" {
			messages = append([]Message{{"system", c.system}}, messages...)
		}
		return messages, nil
	}
	before := ""
	if len(messages) > 0 && messages[0].Role == "system" {
		before, messages = messages[0].Content+"\n\n", messages[1:]
	}
	turns := make([]Message, len(messages))
	for i, m := range messages {
		want := "user"
		if i%2 == 1 {
			want = "assistant"
		}
		if m.Role != want {
			return nil, fmt.Errorf("turn %d after the system message: role %q, this model's turns alternate from user to assistant", i, m.Role)
		}
		turns[i] = Message{m.Role, strings.TrimSpace(m.Content)}
		if want == "assistant" {
			turns[i].Role = c.model
		}
	}
	if len(turns) > 0 {
		turns[0].Content = before + turns[0].Content
	}
	return turns, nil
}

// System is the message that Chat puts first where the dialogue has none; ""
// if the template does not.
func (t *Tokenizer) System() string { return t.chat.system }

// templateSystem finds the system message that a ChatML template writes itself,
// as one quoted literal.
var templateSystem = regexp.MustCompile(`<\|im_start\|>system(?:\n|\\n)([^<'"{}]+)<\|im_end\|>`)

// readTemplate says which form a template has, and its system message.
func readTemplate(template string, special *specials) (chatForm, error) {
	if template == "" {
		return chatForm{}, ErrNoChat
	}
	for _, form := range []chatForm{chatML, gemmaChat} {
		if !strings.Contains(template, form.open) || !strings.Contains(template, form.closing) {
			continue
		}
		for _, token := range []string{form.open, form.closing} {
			if _, ok := special.ids[token]; !ok {
				return chatForm{}, fmt.Errorf("chat template: the vocabulary lacks its %s", token)
			}
		}
		if m := templateSystem.FindStringSubmatch(template); m != nil {
			form.system = m[1]
		}
		return form, nil
	}
	return chatForm{}, fmt.Errorf("chat template: neither of the form of ChatML (%s) nor of Gemma (%s)", chatML.open, gemmaChat.open)
}
