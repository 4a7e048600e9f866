package speech

import (
	"context"
	"errors"
)

// silentLevel is the floor of a spectrogram of speech at a usual level, which
// is where everything lies that is 80 dB below the loudest.
const silentLevel = -0.6

// rememberSilence hears a clip of nothing, and keeps what the decoder would attend to:
// keys and values of all positions.
//
// Whisper was trained on 30 seconds, most of them silent. A decoder that sees
// the speech alone does not know that it has ended and says it again; a tower
// that computes the silence every time takes ten times as long. Silence sounds
// the same each time, so it is computed once, and the decoder sees the speech
// with as much of it as the training had.
func (r *Recogniser) rememberSilence() error {
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
	for _, state := range p.cross {
		r.silence = append(r.silence, append([]uint16{}, s.encode.Half(state)...))
	}
	return s.Close()
}

// fallSilent puts silence behind what was heard, where another clip may have
// left its own.
func (s *Session) fallSilent(heard int) {
	if heard < s.silentFrom {
		width := s.recogniser.config.Width
		for i, state := range s.recogniser.encode.cross {
			copy(s.encode.Half(state)[heard*width:s.silentFrom*width], s.recogniser.silence[i][heard*width:])
		}
	}
	s.silentFrom = heard
}
