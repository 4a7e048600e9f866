package daemon

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/kuai-robot/kuai/fusion/listen"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/perception/loudspeaker"
	"github.com/kuai-robot/kuai/policy/dialogue"
	"github.com/kuai-robot/kuai/policy/saycan"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/expert"
	"github.com/kuai-robot/kuai/sim/room"
	"github.com/kuai-robot/kuai/sim/world"
)

// VoiceTrial says which spoken commands are tried.
type VoiceTrial struct {
	Commands int
	Seed     uint64
	// Voices are those of espeak-ng.
	Voices []string
	// Heard is told of each; it may be nil.
	Heard func(VoiceResult)
	// Tell is given the reasons why a GPU is not used; it may be nil.
	Tell func(error)
}

// TrialVoices are those that commands are measured with; what was tuned was
// tuned with DevelopmentVoices.
var (
	TrialVoices       = []string{"en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-gb-x-gbcwmd"}
	DevelopmentVoices = []string{"en-us+m3", "en-gb+m1", "en-gb-scotland+m7", "en-029", "en-gb-x-rp+m2", "en-us+f2"}
)

// VoiceResult is one spoken command and what became of it.
type VoiceResult struct {
	Voice, Spoken, Heard, Instruction string
	Confidence                        float64
	// Early: it was told before the silence after it was long.
	Early bool
	Kind  dialogue.Kind
	// Wanted is the first skill that the command asks for, Chosen the one that the
	// robot would begin, Read the one it would begin if the text had been typed.
	Wanted, Chosen, Read string
}

// order is a command and the skill that it begins with.
type order struct {
	text string
	want robot.Skill
}

// orderOf draws a command about what is on the table.
func orderOf(random *rand.Rand, scene *robot.Scene) order {
	var blocks, bowls []string
	for i := range scene.Objects {
		switch o := &scene.Objects[i]; o.Kind {
		case "block":
			blocks = append(blocks, o.Name)
		case "bowl":
			bowls = append(bowls, o.Name)
		}
	}
	random.Shuffle(len(blocks), func(i, k int) { blocks[i], blocks[k] = blocks[k], blocks[i] })
	block, other, bowl := blocks[0], blocks[1], bowls[random.IntN(len(bowls))]
	side := []string{"left", "right"}[random.IntN(2)]
	pick := robot.Skill{Name: "pick", Args: []string{block}}
	all := []order{
		{"pick up the " + block, pick},
		{fmt.Sprintf("put the %s in the %s", block, bowl), pick},
		{fmt.Sprintf("place the %s in the %s", block, bowl), pick},
		{fmt.Sprintf("put the %s on the %s", block, other), pick},
		{fmt.Sprintf("put the %s next to the %s", block, bowl), pick},
		{fmt.Sprintf("push the %s to the %s", block, side), robot.Skill{Name: "push", Args: []string{block, side}}},
		{"move the arm home", robot.Skill{Name: "home"}},
	}
	return all[random.IntN(len(all))]
}

// voiceLab hears commands in a simulated room and decides, without moving.
type voiceLab struct {
	config  *config.Config
	mind    *mind
	world   *world.World
	ears    *listen.Ears
	planner *saycan.Planner
	closers []func() error
}

func newVoiceLab(c *config.Config, tell func(error)) (l *voiceLab, err error) {
	l = &voiceLab{config: c}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
		}
	}()
	if l.world, err = world.New(world.Options{}); err != nil {
		return l, err
	}
	l.closers = append(l.closers, l.world.Close)
	if err = l.world.Reset(c.Sim.Seed, world.Spec{}); err != nil {
		return l, err
	}
	if l.mind, err = newMind(c); err != nil {
		return l, err
	}
	l.mind.compute.listen(tell)
	l.closers = append(l.closers, l.mind.Close)
	planner, closePlanner, err := l.mind.planner(robot.NewSystemClock(), expert.New(l.world.Description()))
	if err != nil {
		return l, err
	}
	l.planner, l.closers = planner, append(l.closers, closePlanner)
	dir, err := findSpeech(c.Voice.Model)
	if err != nil {
		return l, err
	}
	if l.ears, err = newEars(dir, &c.Voice, tell); err != nil {
		return l, err
	}
	l.closers = append(l.closers, l.ears.Close)
	scene := l.world.Scene()
	l.ears.Expect(dialogue.Sayings(l.mind.catalogue, scene), c.Voice.Expect)
	talk, err := dialogue.New(dialogue.Config{Catalogue: l.mind.catalogue})
	if err != nil {
		return l, err
	}
	if c.Voice.Expect > 0 {
		l.ears.Choose(dialogue.Commands(l.mind.catalogue, scene), func(text string) bool { return talk.Plain(text, scene) })
	}
	return l, nil
}

func (l *voiceLab) close() error {
	var errs []error
	for i := len(l.closers) - 1; i >= 0; i-- {
		errs = append(errs, l.closers[i]())
	}
	l.closers = nil
	return errors.Join(errs...)
}

// inRoom gives what a microphone hears of speech in a room with noise, with a
// second of the room before and after.
func inRoom(seed uint64, noise, distance float64, speech []float32) []float32 {
	r := room.New(room.Options{Seed: seed, Noise: noise, Reverb: roomReverb})
	start := robot.Time(10 * time.Second)
	r.Say(start.Add(time.Second), distance, speech)
	samples := make([]float32, len(speech)+2*audio.Rate)
	r.Hear(samples, start)
	return samples
}

// hear gives what the listener tells of a clip, as it would of a microphone whose
// recogniser is quick: with each pause comes what was understood by then.
func (l *voiceLab) hear(ctx context.Context, clip []float32, talk *dialogue.Dialogue) (told []listen.Utterance, err error) {
	voice, err := l.ears.Voice()
	if err != nil {
		return nil, err
	}
	clock, v, scene := robot.NewManualClock(time.Unix(0, 0), robot.Time(10*time.Second)), &l.config.Voice, l.world.Scene()
	listener, err := listen.New(listen.Config{
		Voice: voice, Recogniser: l.ears, Clock: clock, Language: v.Language, Timing: timingOf(v), Early: v.Early, Partial: partialEvery,
		Complete: func(text string) bool { return talk.Whole(text, scene) }, Joins: talk.Joins,
		Heard: func(u listen.Utterance) { told = append(told, u) },
	})
	if err != nil {
		return nil, err
	}
	for at := 0; at+audio.Frame <= len(clip); at += audio.Frame {
		frame := robot.Clip{Microphone: "room", At: clock.Now(), Rate: audio.Rate, Samples: clip[at : at+audio.Frame]}
		clock.Advance(20 * time.Millisecond)
		if err := listener.Hear(ctx, frame); err != nil {
			return nil, err
		}
		if err := listener.Work(ctx); err != nil {
			return nil, err
		}
	}
	return told, errors.Join(listener.Finish(ctx), listener.Work(ctx))
}

// decide gives the skill that an instruction begins with.
func (l *voiceLab) decide(ctx context.Context, text string) (string, error) {
	o := robot.Observation{At: robot.Time(time.Second), Scene: l.world.Scene()}
	d, err := l.planner.Decide(ctx, &o, saycan.Request{Instruction: text})
	if err != nil {
		return "", err
	}
	return d.Chosen.Skill.String(), nil
}

// RunVoiceTrial speaks commands in a room, each with another voice, noise and
// distance, and tells what the robot would begin.
func RunVoiceTrial(ctx context.Context, c *config.Config, t VoiceTrial) (right, read int, err error) {
	if t.Tell == nil {
		t.Tell = unheard
	}
	l, err := newVoiceLab(c, t.Tell)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	random := rand.New(rand.NewPCG(t.Seed, 0x40CE))
	for i := range t.Commands {
		r, err := l.try(ctx, random, t.Seed+uint64(i), t.Voices[i%len(t.Voices)])
		if err != nil {
			return right, read, err
		}
		if r.Chosen == r.Wanted {
			right++
		}
		if r.Read == r.Wanted {
			read++
		}
		if t.Heard != nil {
			t.Heard(r)
		}
	}
	return right, read, nil
}

func (l *voiceLab) try(ctx context.Context, random *rand.Rand, seed uint64, voice string) (VoiceResult, error) {
	scene := l.world.Scene()
	o := orderOf(random, scene)
	r := VoiceResult{Voice: voice, Spoken: o.text, Wanted: o.want.String()}
	speech, err := loudspeaker.Espeak{Voice: voice, Speed: 130 + random.IntN(40)}.Speak(ctx, o.text)
	if err != nil {
		return r, err
	}
	noise, distance := -60+15*random.Float64(), 0.5+1.5*random.Float64()
	talk, err := dialogue.New(dialogue.Config{Catalogue: l.mind.catalogue, Sure: l.config.Voice.Sure, Unsure: l.config.Voice.Unsure})
	if err != nil {
		return r, err
	}
	told, err := l.hear(ctx, inRoom(seed, noise, distance, speech), talk)
	if err != nil {
		return r, err
	}
	for i := range told {
		if err := l.judge(ctx, &r, talk, &told[i]); err != nil {
			return r, err
		}
	}
	r.Read, err = l.decide(ctx, o.text)
	return r, err
}

// judge adds what becomes of an utterance to r. A wrong skill stays what the robot
// chose, even if it would think better of it.
func (l *voiceLab) judge(ctx context.Context, r *VoiceResult, talk *dialogue.Dialogue, u *listen.Utterance) error {
	reply := talk.Hear(dialogue.Heard{At: u.Ready, Text: u.Text, Confidence: u.Confidence, Problem: string(u.Problem), Addressed: true}, l.world.Scene())
	if r.Heard != "" && reply.Kind != dialogue.Command {
		return nil
	}
	r.Heard, r.Confidence, r.Kind, r.Instruction = u.Text, u.Confidence, reply.Kind, reply.Instruction
	r.Early = u.Decided.Sub(u.Until) < l.config.Voice.Silence
	if reply.Kind != dialogue.Command || r.Chosen != "" && r.Chosen != r.Wanted {
		return nil
	}
	chosen, err := l.decide(ctx, reply.Instruction)
	r.Chosen = chosen
	return err
}
