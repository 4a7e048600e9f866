package trial

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"

	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/perception/keyword"
)

// spoken is how a word is written for the synthesizers: each ends with the word.
var spoken = map[string]struct {
	language string
	texts    []string
}{
	"stop":   {"en", []string{"stop", "stop!", "robot, stop", "please stop"}},
	"halt":   {"en", []string{"halt", "halt!", "robot, halt"}},
	"freeze": {"en", []string{"freeze", "freeze!", "robot, freeze"}},
	"停":      {"zh", []string{"ting2", "qing3 ting2"}},
	"停下":     {"zh", []string{"ting2 xia4", "qing3 ting2 xia4"}},
	"停止":     {"zh", []string{"ting2 zhi3", "qing3 ting2 zhi3"}},
	"别动":     {"zh", []string{"bie2 dong4", "ni3 bie2 dong4"}},
}

// SNRs are how far speech is above the noise, dB.
var SNRs = []float64{20, 10, 5}

// Late is how soon after the end of its word a stop must have been heard; the
// rest of 300 ms is the microphone's and the driver's.
const Late = 0.28

// fliteTimes is how often flite says a word beside each time of espeak-ng's voices.
const fliteTimes = 6

// Tally counts what was said and heard.
type Tally struct {
	Said, Missed int
}

// Rate is the part that was missed.
func (t Tally) Rate() float64 { return float64(t.Missed) / float64(max(1, t.Said)) }

func (t *Tally) add(missed bool) {
	t.Said++
	if missed {
		t.Missed++
	}
}

// utterance is a stop word by a voice.
type utterance struct {
	word, engine string
	samples      []float32
}

// utterances has every word by every voice so often, and English ones by flite
// where it is installed.
func utterances(ctx context.Context, draw *rand.Rand, each int) ([]utterance, error) {
	var all []utterance
	for _, word := range keyword.Stop().Words {
		s := spoken[word]
		var voices []voice
		for range each {
			for _, variant := range variants {
				voices = append(voices, espeakVoice(draw, s.language, variant))
			}
			if _, err := exec.LookPath("flite"); err == nil && s.language == "en" {
				for range fliteTimes {
					voices = append(voices, fliteVoice(draw, fliteVoices[draw.IntN(len(fliteVoices))]))
				}
			}
		}
		for _, v := range voices {
			samples, err := say(ctx, v, s.texts[draw.IntN(len(s.texts))])
			if err != nil {
				return nil, err
			}
			all = append(all, utterance{word, v.run, samples})
		}
	}
	return all, nil
}

// words lets the detector hear each utterance in noise at each of SNRs.
func (t *trial) words(ctx context.Context) error {
	all, err := utterances(ctx, t.draw, t.options.Each)
	if err != nil {
		return err
	}
	for i, u := range all {
		for _, snr := range SNRs {
			kind := kinds[t.draw.IntN(len(kinds))]
			if err := t.word(ctx, u, kind, snr); err != nil {
				return err
			}
		}
		t.tell(fmt.Sprintf("word %d of %d", i+1, len(all)))
	}
	return nil
}

// word lets the detector hear one utterance after a second of noise.
func (t *trial) word(ctx context.Context, u utterance, kind string, snr float64) error {
	start, tail := audio.Rate+t.draw.IntN(audio.Rate), audio.Rate
	x := makeNoise(t.draw, kind, start+len(u.samples)+tail)
	loud := math.Pow(10, (-28+10*t.draw.Float64())/10) // power of speech, about a voice at 1 m
	level(x, loud*math.Pow(10, -snr/10))
	said := level(slices.Clone(u.samples), loud)
	for i, s := range said {
		x[start+i] += s
	}
	t.reset()
	r, err := t.hear(ctx, x)
	if err != nil {
		return err
	}
	missed, late := t.judge(&r, int64(start), int64(start+len(said)))
	if late && u.engine == "espeak-ng" {
		t.report.TooLate++
	}
	if u.engine == "espeak-ng" {
		t.report.BySNR[snr].add(missed)
		t.report.ByWord[u.word].add(missed)
	} else {
		t.report.OtherEngine.add(missed)
	}
	if missed && t.options.Log != nil {
		fmt.Fprintf(t.options.Log, "missed %s by %s in %s at %g dB: %+v\n", u.word, u.engine, kind, snr, r)
	}
	return nil
}

// judge says whether a word from sample start to end was missed, and whether that is
// because it was heard too late: by Late the robot must brake, and go on to stop.
func (t *trial) judge(r *reaction, start, end int64) (missed, late bool) {
	stopped := first(r.stopped, start)
	if stopped < 0 {
		return true, false
	}
	// A hold before the word that ended without a stop is another's.
	braked := stopped
	for _, at := range r.braked {
		if at > start && at <= stopped && stopped-at < longestDoubt {
			braked = at
			break
		}
	}
	after := float64(braked-end) / audio.Rate
	if after > Late {
		return true, true
	}
	t.report.Late = append(t.report.Late, max(0, after*1e3))
	t.report.Sure = append(t.report.Sure, max(0, float64(stopped-end)/audio.Rate*1e3))
	return false, false
}

// longestDoubt is how long the robot may hold still before a stop is sure, in samples.
const longestDoubt = audio.Rate

// first gives the first of all after start, -1 if there is none.
func first(all []int64, start int64) int64 {
	for _, at := range all {
		if at > start {
			return at
		}
	}
	return -1
}

// near are words that sound like a stop word.
var near = map[string]string{
	"en": "top, stock, stub, step, shop, drop, stuff, star, start, stamp, spot, stalk, store, pop, hop, laptop, stick, stone, strong, story, " +
		"hall, hold, hot, salt, fault, hole, held, help, heart, bolt, all, free, trees, breeze, please, three, fries, cheese, peas, phrase",
	"zh": "ting1, ting3, ding4, ding3, ling2, ming2, ping2, xing2, tian2, ti2, tang2, fang4 xia4, yi2 xia4, tian1 xia4, yi2 zhi2, xing2 shi4, huo2 dong4, bu4 dong3, yi2 dong4, bie2 de5",
}

// nearWords counts how many near words, clean, are taken for a stop.
func (t *trial) nearWords(ctx context.Context) error {
	for _, language := range []string{"en", "zh"} {
		for _, text := range strings.Split(near[language], ", ") {
			variant := variants[t.draw.IntN(len(variants))]
			samples, err := say(ctx, espeakVoice(t.draw, language, variant), text)
			if err != nil {
				return err
			}
			loud := math.Pow(10, -2.3)
			x := makeNoise(t.draw, "pink", 2*audio.Rate+len(samples))
			level(x, loud/1e3)
			for i, s := range level(samples, loud) {
				x[audio.Rate+i] += s
			}
			t.reset()
			r, err := t.hear(ctx, x)
			if err != nil {
				return err
			}
			t.report.Near.add(len(r.stopped) > 0) // a near word that is heard misses its being none
			if len(r.stopped) > 0 && t.options.Log != nil {
				fmt.Fprintf(t.options.Log, "near word %s by %s: %+v\n", text, variant, r)
			}
		}
	}
	return nil
}

// errNoVoice is what a trial without espeak-ng ends with.
var errNoVoice = errors.New("the trial speaks with espeak-ng (apt-get install espeak-ng)")
