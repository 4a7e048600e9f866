package listen

import (
	"fmt"

	"github.com/kuai-robot/kuai/fusion/speech"
)

// Second gives one more session of the recogniser, for somebody who must not wait
// while a segment is recognised; nil before it is loaded. Close ends it.
func (e *Ears) Second() (*speech.Session, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.session == nil {
		return nil, nil
	}
	s, err := e.speech.NewSession()
	if err != nil {
		return nil, fmt.Errorf("recogniser: %w", err)
	}
	e.seconds = append(e.seconds, s)
	return s, nil
}
