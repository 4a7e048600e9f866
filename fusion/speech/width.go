package speech

// Width is how many numbers each of Listen's embeddings has.
func (s *Session) Width() int { return s.recogniser.config.Width }
