package trial

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/robot"
)

// shares of the hours without a stop word; the rest is noise of all kinds.
var shares = map[string]float64{"en": 0.55, "zh": 0.2}

// quiet lets the detector hear speech and noise that hold no stop word.
func (t *trial) quiet(ctx context.Context) error {
	for _, language := range []string{"en", "zh"} {
		if err := t.talk(ctx, language, t.options.Hours*shares[language]*3600); err != nil {
			return err
		}
	}
	each := t.options.Hours * (1 - shares["en"] - shares["zh"]) * 3600 / float64(len(kinds))
	for _, kind := range kinds {
		for left := each; left > 0; left -= 30 {
			x := makeNoise(t.draw, kind, int(min(left, 30)*audio.Rate))
			level(x, math.Pow(10, (-60+45*t.draw.Float64())/10))
			if err := t.count(ctx, kind, "noise", clip(x)); err != nil {
				return err
			}
		}
	}
	return nil
}

// talk is somebody who talks without end, another one every sentence, in noise
// from none to 5 dB.
func (t *trial) talk(ctx context.Context, language string, seconds float64) error {
	patterns := sentences()[language]
	t.reset()
	for done := 0.0; done < seconds; {
		text := expand(t.draw, patterns[t.draw.IntN(len(patterns))])
		said, err := say(ctx, espeakVoice(t.draw, language, variants[t.draw.IntN(len(variants))]), text)
		if err != nil {
			return err
		}
		pause := int(0.6 * t.draw.Float64() * audio.Rate)
		loud := math.Pow(10, (-40+22*t.draw.Float64())/10)
		x := makeNoise(t.draw, kinds[t.draw.IntN(len(kinds))], len(said)+pause)
		level(x, loud*math.Pow(10, -(5+30*t.draw.Float64())/10))
		for i, s := range level(said, loud) {
			x[i] += s
		}
		if err := t.count(ctx, language, text, clip(x)); err != nil {
			return err
		}
		done += float64(len(x)) / audio.Rate
		t.tell(fmt.Sprintf("speech without a stop word (%s): %.0f of %.0f minutes", language, done/60, seconds/60))
	}
	return nil
}

// count adds what is heard in x to a kind.
func (t *trial) count(ctx context.Context, kind, about string, x []float32) error {
	s := t.report.Quiet[kind]
	if s == nil {
		s = &Stretch{}
		t.report.Quiet[kind] = s
	}
	asked := t.asked()
	r, err := t.hear(ctx, x)
	if err != nil {
		return err
	}
	t.report.AskedQuiet += t.asked() - asked
	s.Hours += float64(len(x)) / audio.Rate / 3600
	s.Stops += len(r.stopped)
	s.Holds += len(r.braked) - len(r.stopped)
	s.HeldHours += float64(r.held) / audio.Rate / 3600
	if len(r.stopped) > 0 && t.options.Log != nil {
		fmt.Fprintf(t.options.Log, "false stop in %s, %q: %+v\n", kind, about, r)
	}
	return nil
}

func clip(x []float32) []float32 {
	for i := range x {
		x[i] = max(-1, min(x[i], 1))
	}
	return x
}

// People is the kind of sound of recordings.
const People = "people"

// recordings are of Debian's pocketsphinx-testdata (five readers) and
// asterisk-core-sounds-*-wav (prompts of telephones in four languages).
var recordings = []string{
	"/usr/share/pocketsphinx/test/data/*.raw", "/usr/share/pocketsphinx/test/data/*/*.wav",
	"/usr/share/asterisk/sounds/??_??_*/*.wav", "/usr/share/asterisk/sounds/??_??_*/*/*.wav",
}

// people lets the detector hear the recordings that are installed.
func (t *trial) people(ctx context.Context) error {
	for _, pattern := range recordings {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			return err
		}
		for i, path := range paths {
			samples, err := readRecording(path)
			if errors.Is(err, audio.ErrEmpty) || errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			if err := t.count(ctx, People, path, slices.Concat(samples, make([]float32, audio.Rate/4))); err != nil {
				return err
			}
			t.tell(fmt.Sprintf("recordings of people: %d of %d", i+1, len(paths)))
		}
	}
	return nil
}

func readRecording(path string) ([]float32, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var c *robot.Clip
	if strings.HasSuffix(path, ".raw") {
		c, err = audio.ReadRaw(file, audio.Rate)
	} else {
		c, err = audio.ReadWAV(file)
	}
	if err != nil {
		return nil, err
	}
	return audio.Resample(c.Samples, c.Rate, audio.Rate), nil
}
