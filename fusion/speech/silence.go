package speech

import (
	"context"
	"errors"

	"github.com/kuai-robot/kuai/kernels"
)

// silence is what the decoder attends to where nothing is heard: keys and
// values of all positions, in states like those of the encode program.
//
// Whisper was trained on 30 seconds, most of them silent. A decoder that sees
// the speech alone does not know that it has ended and says it again; a tower
// that computes the silence every time takes ten times as long. Silence sounds
// the same each time, so it is computed once, and the decoder sees the speech
// with as much of it as the training had.
//
// Sessions of this program share its states, read them from any goroutine, and
// keep them when the recogniser is closed before them.
type silence struct {
	*kernels.Program
	session *kernels.Session
	states  []kernels.Value
}

// compileSilence makes a program of nothing but the states.
func (p *encodeProgram) compileSilence(backend kernels.Backend) (*silence, error) {
	g, s := kernels.NewGraph("whisper silence"), &silence{}
	for _, v := range p.cross {
		info := p.Graph.Info(v)
		s.states = append(s.states, g.State(info.Name, info.Type, info.Shape...))
	}
	// A graph writes something; this one never runs.
	row := g.Input("row", kernels.F32, kernels.N(1), kernels.N(g.Shape(s.states[0]).Cols()))
	g.Add(kernels.Store{X: row, State: s.states[0]})
	var err error
	s.Program, err = kernels.Compile(g, backend, kernels.Options{})
	return s, err
}

// close lets go of the states; sessions that others made keep them.
func (s *silence) close() error {
	if s == nil {
		return nil
	}
	var err error
	if s.session != nil {
		err = s.session.Close()
	}
	return errors.Join(err, s.Program.Close())
}

// silentLevel is the floor of a spectrogram of speech at a usual level, which
// is where everything lies that is 80 dB below the loudest.
const silentLevel = -0.6

// rememberSilence hears a clip of nothing.
func (r *Recogniser) rememberSilence(backend kernels.Backend) error {
	s, err := r.NewSession()
	if err != nil {
		return err
	}
	p := r.encode
	s.encode.Set(p.Frames, 2*r.config.Positions)
	mel := s.encode.F32(p.Mel)
	for i := range mel {
		mel[i] = silentLevel
	}
	if _, err := s.hearFrames(context.Background()); err != nil {
		return errors.Join(err, s.Close())
	}
	quiet, err := p.compileSilence(backend)
	if err != nil {
		return errors.Join(err, s.Close())
	}
	if quiet.session, err = quiet.NewSession(s.encode); err != nil {
		return errors.Join(err, quiet.close(), s.Close())
	}
	r.silence = quiet
	return s.Close()
}

// fallSilent puts silence behind what was heard, where another clip may have
// left its own.
func (s *Session) fallSilent(heard int) {
	if heard < s.silentFrom {
		width := s.recogniser.config.Width
		for i, state := range s.recogniser.encode.cross {
			from := s.silence.Half(s.recogniser.silence.states[i])
			copy(s.encode.Half(state)[heard*width:s.silentFrom*width], from[heard*width:])
		}
	}
	s.silentFrom = heard
}
