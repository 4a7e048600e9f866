package daemon

import (
	"context"
	"errors"
	"sync"

	"github.com/kuai-robot/kuai/fusion/embed"
	"github.com/kuai-robot/kuai/internal/models"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/policy/need"
	"github.com/kuai-robot/kuai/robot"
)

// sentenceModel tells what helps who says what they lack; without it the language
// model guesses.
const sentenceModel = "all-minilm-l6-v2"

// lazyNeeds opens the sentence encoder when something is lacked for the first time:
// most robots are asked for things by name, and a start should take no longer for it.
type lazyNeeds struct {
	dir     string
	threads int

	mu      sync.Mutex
	tried   bool
	needs   *need.Needs
	text    *embed.Text
	session *embed.TextSession
}

// newNeeds gives nil where the model is not installed.
func newNeeds(threads int) *lazyNeeds {
	store, err := models.NewStore()
	if err != nil {
		return nil
	}
	dir, err := store.Find(sentenceModel)
	if err != nil {
		return nil
	}
	return &lazyNeeds{dir: dir, threads: threads}
}

// Helps implements task.Needs. A model that cannot be opened finds nothing.
func (l *lazyNeeds) Helps(ctx context.Context, text string, things []robot.Object) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.tried {
		l.tried = true
		l.open()
	}
	if l.needs == nil {
		return nil
	}
	return l.needs.Helps(ctx, text, things)
}

func (l *lazyNeeds) open() {
	text, err := embed.OpenText(l.dir, cpu.New(cpu.Options{Threads: l.threads}), embed.Options{})
	if err != nil {
		return
	}
	session, err := text.NewSession()
	if err != nil {
		_ = text.Close() // what failed first is what matters, and it finds nothing either way
		return
	}
	needs, err := need.New(session)
	if err != nil {
		_ = errors.Join(session.Close(), text.Close())
		return
	}
	l.text, l.session, l.needs = text, session, needs
}

// Close frees the model.
func (l *lazyNeeds) Close() error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tried = true
	if l.needs == nil {
		return nil
	}
	l.needs = nil
	return errors.Join(l.session.Close(), l.text.Close())
}
