package audio

// Window is how many samples a row of a spectrogram is computed of.
const Window = windowSize

// Powers writes to dst, [rows, bands], the power in each band for every window
// that lies wholly inside samples, and gives how many rows that are: for sound
// that does not end, where neither its loudest moment nor its end is known. Row i
// is about samples 160·i to 160·i+400; rows come cheapest in pairs.
func (m *LogMel) Powers(dst, samples []float32) int {
	if len(samples) < Window {
		return 0
	}
	rows := (len(samples)-Window)/Hop + 1
	for i := 0; i < rows; i += 2 {
		m.spectra(samples, i*Hop, len(samples))
		for j := i; j < min(i+2, rows); j++ {
			m.bandPowers(dst[j*m.bands:(j+1)*m.bands], &m.power[j-i])
		}
	}
	return rows
}

func (m *LogMel) bandPowers(row []float32, power *[bins]float64) {
	for b := range m.filters {
		f := &m.filters[b]
		sum := 0.0
		for k, w := range f.weights {
			sum += w * power[f.first+k]
		}
		row[b] = float32(sum)
	}
}
