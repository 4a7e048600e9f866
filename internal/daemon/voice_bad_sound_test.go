package daemon

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/fusion/listen"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/perception/microphone"
	"github.com/kuai-robot/kuai/policy/dialogue"
	"github.com/kuai-robot/kuai/robot"
)

// floats writes a WAV file of 32-bit floats, which may hold what no microphone gives.
func floats(t *testing.T, name string, rate int, samples []float32) string {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00")
	for _, x := range []any{uint16(3), uint16(1), uint32(rate), uint32(4 * rate), uint16(4), uint16(32)} {
		_ = binary.Write(&b, binary.LittleEndian, x)
	}
	b.WriteString("data")
	_ = binary.Write(&b, binary.LittleEndian, uint32(4*len(samples)))
	_ = binary.Write(&b, binary.LittleEndian, samples)
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// changed gives a copy of samples of which each went through f.
func changed(samples []float32, f func(x float32) float32) []float32 {
	out := slices.Clone(samples)
	for i, x := range out {
		out[i] = f(x)
	}
	return out
}

// playFile lets a microphone play a file to a listener and gives what the robot would do
// about each utterance.
func (l *voiceLab) playFile(t *testing.T, path string) (replies []dialogue.Reply) {
	t.Helper()
	voice, err := l.ears.Voice()
	if err != nil {
		t.Fatal(err)
	}
	talk, err := dialogue.New(dialogue.Config{Catalogue: l.mind.catalogue, Sure: l.config.Voice.Sure, Unsure: l.config.Voice.Unsure})
	if err != nil {
		t.Fatal(err)
	}
	clock := robot.NewManualClock(time.Unix(0, 0), robot.Time(time.Second))
	listener, err := listen.New(listen.Config{
		Voice: voice, Recogniser: l.ears, Clock: clock, Language: "en", Patient: true, Timing: timingOf(&l.config.Voice),
		Heard: func(u listen.Utterance) {
			r := talk.Hear(dialogue.Heard{At: u.At, Text: u.Text, Confidence: u.Confidence, Problem: string(u.Problem)}, l.world.Scene())
			t.Logf("%s: heard %q (%.2f, %.0f %% clipped) %s: %s %q", filepath.Base(path), u.Text, u.Confidence, 100*u.Clipped, u.Problem, r.Kind, r.Instruction)
			replies = append(replies, r)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	m, err := microphone.New(microphone.Config{Name: "m", URL: "file:" + path, Fast: true}, clock, func(c robot.Clip) {
		if err := listener.Hear(t.Context(), c); err != nil {
			t.Error(err)
		}
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := listener.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	return replies
}

// A source of any rate, an offset and clipping leave a command what it is, or make it
// nothing; never another one.
func TestBadSoundNeverBecomesAnotherCommand(t *testing.T) {
	const said = "pick up the red block"
	l := hardLab(t)
	room := inRoom(21, -55, 1, sayIn(t, "en-us", said))
	loudest := float32(0)
	for _, x := range room {
		loudest = max(loudest, max(x, -x))
	}
	for name, c := range map[string]struct {
		rate    int
		samples []float32
		heard   bool // it must be
	}{
		"8k.wav":      {8000, audio.Resample(room, audio.Rate, 8000), true},
		"96k.wav":     {96000, audio.Resample(room, audio.Rate, 96000), true},
		"offset.wav":  {audio.Rate, changed(room, func(x float32) float32 { return x*0.5/loudest + 0.45 }), true},
		"clipped.wav": {audio.Rate, changed(room, func(x float32) float32 { return max(-1, min(x*30/loudest, 1)) }), false},
		"drowned.wav": {audio.Rate, changed(room, func(x float32) float32 { return x*1e-3 + 0.9 }), false},
		"silence.wav": {audio.Rate, make([]float32, 3*audio.Rate), false},
		"still.wav":   {audio.Rate, changed(make([]float32, 3*audio.Rate), func(float32) float32 { return -0.8 }), false},
	} {
		var commands []string
		for _, r := range l.playFile(t, floats(t, name, c.rate, c.samples)) {
			if r.Kind == dialogue.Command {
				commands = append(commands, r.Instruction)
			}
		}
		wrong := slices.ContainsFunc(commands, func(s string) bool { return s != said })
		if wrong || c.heard && len(commands) != 1 {
			t.Errorf("%s: the robot would %q", name, commands)
		}
	}
}

// A microphone that breaks in mid-word is told by its name and what is wrong with it; half
// a sentence moves nothing, nor does a file with a damaged header.
func TestAMicrophoneThatBreaksInMidWord(t *testing.T) {
	half := sayIn(t, "en-us", "put the red block in the blue bowl")
	half = append(slices.Concat(make([]float32, audio.Rate), half[:len(half)*2/3]), float32(math.NaN()))
	broken := filepath.Join(t.TempDir(), "header.wav")
	if err := os.WriteFile(broken, []byte("RIFF\xff\xff\xff\x7fWAVEfmt \x10\x00\x00\x00\x00\x00\x00\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newTalkingRig(t, func(c *config.Voice) {
		c.Speaker = config.None
		c.Microphones = []config.Microphone{{Name: "loose", URL: "file:" + floats(t, "half.wav", audio.Rate, half)}, {Name: "damaged", URL: "file:" + broken}}
	})
	r.await("both microphones' errors", func(_ []topics.Said, events []topics.Event) bool {
		warned := func(words ...string) bool {
			return slices.ContainsFunc(events, func(e topics.Event) bool {
				return e.Kind == topics.EventWarning && !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(e.Reason, w) })
			})
		}
		return warned("microphone loose", "half.wav", "NaN") && warned("microphone damaged", "header.wav", "WAV: fmt")
	})
	r.await("what was lost", func(said []topics.Said, _ []topics.Event) bool {
		return slices.ContainsFunc(said, func(s topics.Said) bool { return strings.Contains(s.Reason, string(listen.Lost)) })
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.said {
		if s.Kind == topics.SaidHeard || s.Kind == topics.SaidStop {
			t.Errorf("half a sentence was taken for %+v", s)
		}
	}
	if s := r.daemon.loop.Status(); s.Verdict.Mode != safety.Held {
		t.Errorf("the robot is %v", s.Verdict.Mode)
	}
}
