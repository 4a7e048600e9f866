package speech_test

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/fusion/speech"
	"github.com/kuai-robot/kuai/internal/models"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/perception/audio"
)

// recordings are of Debian's pocketsphinx-testdata: people who speak, and what
// they say.
const recordings = "/usr/share/pocketsphinx/test/data"

var spoken = map[string]string{
	"goforward.raw": "go forward ten meters",
	"something.raw": "go somewhere and do something",
	"cards/001.wav": "ten of clubs",
	"cards/002.wav": "four queen of clubs",
	"cards/003.wav": "seven of clubs",
	"cards/004.wav": "five five",
	"cards/005.wav": "eight of spades four of clubs seven of hearts",
	"librivox/sense_and_sensibility_01_austen_64kb-0870.wav": "and mister john dashwood had then leisure to consider how much there might be prudently in his power to do for them",
	"librivox/sense_and_sensibility_01_austen_64kb-0880.wav": "he was not an ill disposed young man",
	"librivox/sense_and_sensibility_01_austen_64kb-0890.wav": "unless to be rather cold hearted and rather selfish is to be ill disposed",
	"librivox/sense_and_sensibility_01_austen_64kb-0920.wav": "had he married a more amiable woman he might have been made still more respectable than he was",
	"librivox/sense_and_sensibility_01_austen_64kb-0930.wav": "he might even have been made amiable himself",
}

// whisper gives the folder of the real model, or skips the test with what is
// missing.
func whisper(t testing.TB) string {
	t.Helper()
	store, err := models.NewStore()
	if err != nil {
		t.Skip(err)
	}
	dir, err := store.Find("whisper-base")
	if err != nil {
		t.Skip(err)
	}
	return dir
}

func recording(t testing.TB, name string) []float32 {
	t.Helper()
	file, err := os.Open(filepath.Join(recordings, name))
	if err != nil {
		t.Skipf("%v (apt-get install pocketsphinx-testdata)", err)
	}
	defer file.Close()
	if strings.HasSuffix(name, ".raw") {
		clip, err := audio.ReadRaw(file, audio.Rate)
		if err != nil {
			t.Fatal(err)
		}
		return clip.Samples
	}
	clip, err := audio.ReadWAV(file)
	if err != nil {
		t.Fatal(err)
	}
	return audio.Resample(clip.Samples, clip.Rate, audio.Rate)
}

// People are understood, at full and at low precision.
func TestHumanRecordings(t *testing.T) {
	dir := whisper(t)
	for precision, most := range map[kernels.Precision]float64{kernels.Float32: 0.08, kernels.Int8: 0.08} {
		s := newSession(t, dir, cpu.New(cpu.Options{}), speech.Options{Compile: kernels.Options{Precision: precision}})
		errors, words := 0, 0
		for name, said := range spoken {
			got, err := s.Transcribe(context.Background(), recording(t, name), "en")
			if err != nil {
				t.Fatal(err)
			}
			e := speech.Compare(said, got.Text)
			errors, words = errors+e.Total(), words+e.Words
			if e.Total() > 0 {
				t.Logf("%v: %s: heard %q", precision, name, got.Text)
			}
			if got.Confidence < 0.4 || got.Repeats || got.Language != "en" {
				t.Errorf("%v: %s: %+v", precision, name, got)
			}
		}
		rate := float64(errors) / float64(words)
		t.Logf("%v: word error rate %.1f %% (%d of %d words)", precision, 100*rate, errors, words)
		if rate > most {
			t.Errorf("%v: word error rate %.1f %%, want at most %.1f %%", precision, 100*rate, 100*most)
		}
	}
}

// The model hears which language is spoken, and a beam finds no worse a text
// than the greedy way does.
func TestLanguageAndBeam(t *testing.T) {
	dir := whisper(t)
	const said = "go somewhere and do something"
	o := speech.Options{Compile: kernels.Options{Precision: kernels.Int8}}
	for _, o.Beam = range []int{1, 4} {
		s := newSession(t, dir, cpu.New(cpu.Options{}), o)
		got, err := s.Transcribe(context.Background(), recording(t, "something.raw"), "")
		if err != nil {
			t.Fatal(err)
		}
		if e := speech.Compare(said, got.Text); e.Total() > 0 || got.Language != "en" {
			t.Errorf("beam %d: %+v", o.Beam, got)
		}
	}
}

// Where nobody speaks, the model says so.
func TestNobodySpeaks(t *testing.T) {
	s := newSession(t, whisper(t), cpu.New(cpu.Options{}), speech.Options{Compile: kernels.Options{Precision: kernels.Int8}})
	speech, err := s.Transcribe(context.Background(), recording(t, "something.raw"), "en")
	if err != nil {
		t.Fatal(err)
	}
	silence, err := s.Transcribe(context.Background(), make([]float32, 2*audio.Rate), "en")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("nobody speaks: %.2f in speech, %.2f in silence, where it hears %q with %.2f", speech.NoSpeech, silence.NoSpeech, silence.Text, silence.Confidence)
	if silence.NoSpeech < 0.8 || speech.NoSpeech > silence.NoSpeech-0.2 {
		t.Errorf("nobody speaks: %.2f in speech, %.2f in silence", speech.NoSpeech, silence.NoSpeech)
	}
}

// A clip longer than what the model hears at once is heard in parts.
func TestLongClip(t *testing.T) {
	s := newSession(t, whisper(t), cpu.New(cpu.Options{}), speech.Options{Compile: kernels.Options{Precision: kernels.Int8}})
	var samples []float32
	var said []string
	for _, name := range slices.Sorted(maps.Keys(spoken)) {
		samples = append(append(samples, recording(t, name)...), make([]float32, audio.Rate/2)...)
		said = append(said, spoken[name])
	}
	got, err := s.Transcribe(context.Background(), samples, "en")
	if err != nil {
		t.Fatal(err)
	}
	e := speech.Compare(strings.Join(said, " "), got.Text)
	t.Logf("%.0f s: word error rate %.1f %%", float64(len(samples))/audio.Rate, 100*e.Rate())
	if e.Rate() > 0.15 {
		t.Errorf("word error rate %.1f %%: %q", 100*e.Rate(), got.Text)
	}
}

// BenchmarkClip3s is three seconds of speech to text.
func BenchmarkClip3s(b *testing.B) {
	for _, precision := range []kernels.Precision{kernels.Float32, kernels.BFloat16, kernels.Int8} {
		s := newSession(b, whisper(b), cpu.New(cpu.Options{}), speech.Options{Compile: kernels.Options{Precision: precision}})
		samples := recording(b, "something.raw")
		b.Run(precision.String(), func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Transcribe(context.Background(), samples, "en"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
