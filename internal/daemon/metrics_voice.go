package daemon

import (
	"sync"
	"time"

	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/perception/microphone"
	"github.com/kuai-robot/kuai/robot"
)

// voiceMetrics are those of what the robot hears.
func voiceMetrics() []Metric {
	const withMicrophone, heard = "with a microphone", "once somebody spoke"
	one := []string{"microphone"}
	return []Metric{
		{"microphone_live", gaugeMetric, one, "1 while sound comes; page is the browser's, between presses of the button too.", withMicrophone},
		{"microphone_level", gaugeMetric, one, "Loudness of the newest 20 ms, of 1.", withMicrophone},
		{"microphone_frames_total", counterMetric, one, "Pieces of 20 ms that came.", withMicrophone},
		{"microphone_samples_bad_total", counterMetric, []string{"microphone", "fault"}, "Samples that were overtaken before anybody heard them (overrun), that never came and were silence (filled), stood at full scale (clipped), or were no numbers (broken).", withMicrophone},
		{"microphone_packets_lost_total", counterMetric, one, "Packets that never came.", withMicrophone},
		{"voice_segments_total", counterMetric, one, "Stretches of sound that somebody seemed to speak in.", withMicrophone},
		{"voice_guesses_total", counterMetric, []string{"microphone", "use"}, "How often a sentence was recognised before it was over (made), and in vain, for more was said meanwhile (wasted).", withMicrophone},
		{"voice_dropped_total", counterMetric, one, "Sentences that nobody had time to recognise.", withMicrophone},
		{"voice_utterances_total", counterMetric, []string{"as"}, "What people said, by what it was taken for: heard, not_understood, ignored, stop.", heard},
		{"voice_stop_words_total", counterMetric, []string{"word"}, "Stop words that were heard.", "once a stop word was said"},
		{"voice_holds_total", counterMetric, nil, "How often the robot held still because it may have heard a stop word.", withMicrophone},
		{"voice_text_seconds", summaryMetric, []string{"from"}, "How long the text took: from the last word (speech), and from when it was known to be the last (decision).", heard},
	}
}

// voiceTally counts what people said.
type voiceTally struct {
	speech, decision took

	mu    sync.Mutex
	holds uint64
	held  robot.Time // when it last was
	as    map[topics.SaidKind]uint64
	words map[string]uint64
}

func (t *voiceTally) utterance(as topics.SaidKind, speech, decision time.Duration) {
	t.speech.add(speech)
	t.decision.add(decision)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.as == nil {
		t.as = map[topics.SaidKind]uint64{}
	}
	t.as[as]++
}

// holding notes that the robot is held at now; without a gap it is one time.
func (t *voiceTally) holding(now robot.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held == 0 || now.Sub(t.held) > held {
		t.holds++
	}
	t.held = now
}

func (t *voiceTally) stopWord(word string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.words == nil {
		t.words = map[string]uint64{}
	}
	t.words[word]++
}

// voice tells of microphones and of what was said into them.
func (g *gathering) voice() {
	v := g.d.voice
	if v == nil {
		return
	}
	for _, e := range v.all {
		s, c := e.microphone.Stats(), e.listener.Counts()
		g.truth("microphone_live", s.State == microphone.Live, e.name)
		g.put("microphone_level", s.Level, e.name)
		g.count("microphone_frames_total", s.Frames, e.name)
		for fault, n := range map[string]uint64{"overrun": s.Overrun, "filled": s.Filled, "clipped": s.Faults.Clipped, "broken": s.Faults.Broken} {
			g.count("microphone_samples_bad_total", n, e.name, fault)
		}
		g.count("microphone_packets_lost_total", s.LostPackets, e.name)
		g.count("voice_segments_total", c.Segments, e.name)
		g.count("voice_guesses_total", c.Guesses, e.name, "made")
		g.count("voice_guesses_total", c.Wasted, e.name, "wasted")
		g.count("voice_dropped_total", c.Dropped, e.name)
	}
	t := &v.tally
	for from, one := range map[string]*took{"speech": &t.speech, "decision": &t.decision} {
		g.summary("voice_text_seconds", &one.all, time.Duration(one.total.Load()), from)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	g.count("voice_holds_total", t.holds)
	for as, n := range t.as {
		g.count("voice_utterances_total", n, string(as))
	}
	for word, n := range t.words {
		g.count("voice_stop_words_total", n, word)
	}
}
