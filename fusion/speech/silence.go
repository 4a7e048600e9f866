package speech

import (
	"context"
	"errors"

	"github.com/kuai-robot/kuai/kernels"
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
func (r *Recogniser) rememberSilence(p *encodeProgram) error {
	s, err := p.NewSession()
	if err != nil {
		return err
	}
	s.Set(p.Frames, 2*r.config.Positions)
	mel, places := s.F32(p.Mel), s.I32(p.Places)
	for i := range mel {
		mel[i] = silentLevel
	}
	for i := range places {
		places[i] = int32(i)
	}
	err = s.Run(context.Background())
	if errors.Is(err, kernels.ErrStatesLost) {
		err = s.Run(context.Background())
	}
	if err != nil {
		return errors.Join(err, s.Close())
	}
	for _, state := range p.cross {
		r.silence = append(r.silence, append([]uint16{}, s.Half(state)...))
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
