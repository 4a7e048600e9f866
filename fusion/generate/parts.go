package generate

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/kuai-robot/kuai/fusion/multimodal"
)

// medium is one of a sequence that comes before token at.
type medium struct {
	at       int
	features []float32
}

// LogitsParts is Logits for a sequence of parts, which ends with tokens or
// embeddings. What the session has read already is not computed again, embeddings
// included where their numbers are the same; a sequence with media is read whole.
func (s *Session) LogitsParts(ctx context.Context, parts []multimodal.Part) ([]float32, error) {
	if err := s.checkParts(parts); err != nil {
		return nil, err
	}
	ids, media := s.number(parts)
	switch {
	case len(ids) == 0:
		return nil, ErrEmptyPrompt
	case len(ids) > s.model.Context():
		return nil, s.tooLong(len(ids), 0)
	case len(media) > 0 && media[len(media)-1].at == len(ids):
		return nil, errors.New("a sequence ends with a medium: what shall follow it?")
	}
	if len(media) > 0 {
		s.keep(nil)
	}
	at := s.keep(ids[:len(ids)-1])
	for _, m := range media {
		if _, err := s.read(ctx, ids[at:m.at], false); err != nil {
			return nil, err
		}
		if err := s.see(ctx, m.features); err != nil {
			return nil, err
		}
		at = m.at
	}
	return s.read(ctx, ids[at:], true)
}

// GenerateParts is Generate for a sequence of parts; see LogitsParts.
func (s *Session) GenerateParts(ctx context.Context, parts []multimodal.Part, o Sampling, emit func(token int32, piece string) bool) error {
	if err := o.check(); err != nil {
		return err
	}
	logits, err := s.LogitsParts(ctx, parts)
	if err != nil {
		return err
	}
	return s.answer(ctx, logits, o, emit)
}

// number gives a sequence's ids: those of its tokens, and a negative one for each
// row of embeddings, that of an equal row which the session holds in its place.
func (s *Session) number(parts []multimodal.Part) (ids []int32, media []medium) {
	width, held := s.model.config.Width, map[int32][]float32{}
	for _, p := range parts {
		ids = append(ids, p.Tokens...)
		if len(p.Medium) > 0 {
			media = append(media, medium{len(ids), p.Medium})
		}
		for row := range slices.Chunk(p.Embeddings, width) {
			id := int32(0)
			if n := len(ids); n < len(s.held) && s.held[n] < 0 && slices.Equal(s.rows[s.held[n]], row) {
				id = s.held[n]
			} else {
				s.lastRow--
				id = s.lastRow
			}
			held[id] = slices.Clone(row)
			ids = append(ids, id)
		}
	}
	// Rows of what is held stay until it is forgotten.
	for _, id := range s.held {
		if id < 0 && held[id] == nil {
			held[id] = s.rows[id]
		}
	}
	s.rows = maps.Clone(held)
	return ids, media
}
