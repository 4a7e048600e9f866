package saycan

import "github.com/kuai-robot/kuai/fusion/generate"

// Model is the Language that a session of fusion/generate speaks. The session
// may be used for other things between two decisions.
type Model struct {
	model   *generate.Model
	session *generate.Session
}

// NewModel gives the Language of m with a session of its own.
func NewModel(m *generate.Model) (*Model, error) {
	session, err := m.NewSession()
	if err != nil {
		return nil, err
	}
	return &Model{model: m, session: session}, nil
}

// Close ends the session; the model stays open.
func (m *Model) Close() error { return m.session.Close() }

// Encode implements Language.
func (m *Model) Encode(text string) []int32 { return m.model.Tokenizer().Encode(text) }

// Options implements Language.
func (m *Model) Options(sequences [][]int32) (Trie, Scorer, error) {
	trie, err := generate.NewTrie(sequences)
	if err != nil {
		return nil, nil, err
	}
	return trie, m.session.Scorer(trie), nil
}
