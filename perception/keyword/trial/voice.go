package trial

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strconv"

	"github.com/kuai-robot/kuai/perception/audio"
)

// variants are those of espeak-ng's voices that train/voice/voices.py holds out.
var variants = []string{
	"f4", "m5", "m8", "klatt4", "Andrea", "belinda", "Michael", "zac",
	"travis", "Lee", "grandma", "Henrique", "linda", "norbert", "Andy", "grandpa",
}

// languages of espeak-ng; hanzi need a dictionary that Debian leaves out.
var languages = map[string][]string{
	"en": {"en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-029"},
	"zh": {"cmn-latn-pinyin"},
}

// fliteVoices are those of flite that were not trained on.
var fliteVoices = []string{"slt"}

// voice is somebody who speaks.
type voice struct {
	name string
	args []string // of the program, before the text
	run  string
}

func espeakVoice(draw *rand.Rand, language, variant string) voice {
	accents := languages[language]
	name := accents[draw.IntN(len(accents))] + "+" + variant
	speed, pitch := strconv.Itoa(115+draw.IntN(110)), strconv.Itoa(25+draw.IntN(51))
	return voice{name: name, run: "espeak-ng", args: []string{"-v", name, "-s", speed, "-p", pitch, "--stdout"}}
}

func fliteVoice(draw *rand.Rand, name string) voice {
	stretch := fmt.Sprintf("duration_stretch=%.2f", 0.8+0.5*draw.Float64())
	return voice{name: name, run: "flite", args: []string{"-voice", name, "--setf", stretch, "-o", "/dev/stdout", "-t"}}
}

// say gives what a voice says, mono at audio.Rate, from its first sound to its
// last: the end of the clip is the end of the word.
func say(ctx context.Context, v voice, text string) ([]float32, error) {
	command := exec.CommandContext(ctx, v.run, append(append([]string{}, v.args...), text)...)
	data, err := command.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return nil, fmt.Errorf("speech for the trial: %w (apt-get install %s)", err, v.run)
	}
	if err != nil {
		return nil, fmt.Errorf("%s with voice %s: %w", v.run, v.name, err)
	}
	clip, err := audio.ReadWAV(bytes.NewReader(withLength(data)))
	if err != nil {
		return nil, fmt.Errorf("%s with voice %s: %w", v.run, v.name, err)
	}
	return trim(audio.Resample(clip.Samples, clip.Rate, audio.Rate)), nil
}

// withLength writes the true length of the last chunk, data, into a WAV file
// that came through a pipe.
func withLength(wav []byte) []byte {
	if i := bytes.Index(wav, []byte("data")); i >= 0 && len(wav) >= i+8 {
		binary.LittleEndian.PutUint32(wav[i+4:], uint32(len(wav)-i-8))
	}
	return wav
}

// trim cuts what is more than 45 dB below the loudest off both ends, in frames
// of 5 ms.
func trim(samples []float32) []float32 {
	const frame = audio.Rate / 200
	loudest, first, last := 0.0, 0, 0
	for i := 0; i+frame <= len(samples); i += frame {
		loudest = max(loudest, power(samples[i:i+frame]))
	}
	for i := 0; i+frame <= len(samples); i += frame {
		if p := power(samples[i : i+frame]); p > loudest*3.2e-5 {
			if last == 0 {
				first = i
			}
			last = i + frame
		}
	}
	return samples[first:last]
}

// power is the mean square.
func power(samples []float32) float64 {
	sum := 0.0
	for _, x := range samples {
		sum += float64(x) * float64(x)
	}
	return sum / float64(max(1, len(samples)))
}
