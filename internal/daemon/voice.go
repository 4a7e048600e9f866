package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/kuai-robot/kuai/fusion/listen"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/models"
	"github.com/kuai-robot/kuai/perception/keyword"
	"github.com/kuai-robot/kuai/perception/loudspeaker"
	"github.com/kuai-robot/kuai/perception/microphone"
	"github.com/kuai-robot/kuai/policy/dialogue"
	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/room"
)

// pageMicrophone is what the page's microphone is called.
const pageMicrophone = "page"

// voice is how the robot hears and speaks.
type voice struct {
	daemon    *Daemon
	config    *config.Voice
	catalogue *skill.Catalogue
	ears      *listen.Ears
	words     *keyword.Model // nil without words to listen for
	opinions  *opinions      // about what words may have heard; nil without them
	sounds    *sounds        // nil: nobody wants to know of any
	microphones,
	all []*ear // all has the page's as well
	page    *pageEar
	speaker *loudspeaker.Loudspeaker // nil: mute
	room    *room.Room               // nil without sound in the simulation
	// noTalk says why the page has no talk button; empty: it has.
	noTalk string

	// pressed is what the topic talk last said.
	pressed atomic.Bool
	halted  *robot.Mailbox[heardStop]
	tally   voiceTally
	// loaded is closed once the speech model was asked for.
	load *robot.Mailbox[struct{}]

	mu       sync.Mutex // of what follows
	dialogue *dialogue.Dialogue
	waiting  []spoken
	number   int
	expected []string // names of the objects that the recogniser expects
}

// ear is one microphone and who listens to it.
type ear struct {
	voice      *voice
	name       string
	microphone *microphone.Microphone
	listener   *listen.Listener
	sounds     *soundEar
	pressed    bool
}

// spoken is a command that waits for its turn.
type spoken struct{ id, text string }

// heardStop is a stop word and who heard it.
type heardStop struct {
	word, microphone string
	score            float32
}

// ownEase makes the robot quicker to find a stop word in what it says itself than
// its microphones are.
const ownEase = 0.4

// waitingCommands bounds how many commands wait for those before them.
const waitingCommands = 4

// buildVoice makes the microphones, the loudspeaker and what lies between.
func (d *Daemon) buildVoice() error {
	if !d.config.Voice.On {
		return nil
	}
	v := &voice{daemon: d, config: &d.config.Voice, halted: robot.NewMailbox[heardStop](), load: robot.NewMailbox[struct{}]()}
	catalogue, err := readCatalogue(d.config.Planner.Catalogue)
	if err != nil {
		return err
	}
	v.catalogue = catalogue
	dir, err := findSpeech(v.config.Model)
	if err != nil && len(v.config.Microphones) > 0 {
		return fmt.Errorf("voice.model: %w", err)
	}
	if err != nil {
		v.noTalk = err.Error()
	}
	wake := v.config.WakeWords
	if v.config.Listen != config.ListenWake {
		wake = nil
	}
	v.dialogue, err = dialogue.New(dialogue.Config{
		Catalogue: catalogue, Language: v.config.Language, Wake: wake, Sure: v.config.Sure, Unsure: v.config.Unsure,
		Understands: understander(catalogue), Stops: v.config.StopPhrases,
	})
	if err != nil {
		return err
	}
	if v.ears, err = newEars(dir, v.config, d.computeWarning); err != nil {
		return err
	}
	d.closers = append(d.closers, v.ears.Close)
	v.expect()
	if err := v.buildWords(); err != nil {
		return err
	}
	if err := v.buildSounds(); err != nil {
		return err
	}
	if err := v.buildSpeaker(); err != nil {
		return err
	}
	if err := v.buildMicrophones(); err != nil {
		return err
	}
	d.voice = v
	return nil
}

// findSpeech finds a model by name, or takes a folder as it is.
func findSpeech(name string) (string, error) {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return name, nil
	}
	store, err := models.NewStore()
	if err != nil {
		return "", err
	}
	return store.Find(name)
}

func (v *voice) buildSpeaker() error {
	c := v.config
	if c.Speaker == config.None {
		return nil
	}
	o := loudspeaker.Config{Clock: v.daemon.clock, Failed: func(err error) { v.daemon.warn(err) }}
	if c.SpeakerVoice != config.None {
		o.Speaker = loudspeaker.Espeak{Voice: c.SpeakerVoice}
	}
	if c.Speaker == config.SimSound {
		o.Output = v.simulated()
	} else {
		o.Output = &loudspeaker.Device{Name: c.Speaker[len("device:"):], Clock: v.daemon.clock}
	}
	var err error
	v.speaker, err = loudspeaker.New(o)
	return err
}

// simulated gives the room of the simulation.
func (v *voice) simulated() *room.Room {
	if v.room == nil {
		v.room = room.New(room.Options{Clock: v.daemon.clock, Seed: v.daemon.config.Sim.Seed, Reverb: roomReverb})
	}
	return v.room
}

func (v *voice) buildMicrophones() error {
	for i := range v.config.Microphones {
		c := &v.config.Microphones[i]
		o := microphone.Config{Name: c.Name, URL: c.URL, UDP: c.UDP, Loop: c.Loop}
		if c.URL == config.SimSound {
			o.Source = v.simulated()
		}
		e, err := v.newEar(o)
		if err != nil {
			return err
		}
		v.microphones = append(v.microphones, e)
	}
	if v.noTalk != "" || v.daemon.config.Web.Listen == "" {
		return nil
	}
	p := &pageEar{push: &microphone.Push{}}
	e, err := v.newEar(microphone.Config{Name: pageMicrophone, Source: p.push})
	if err != nil {
		return err
	}
	p.ear, v.page = e, p
	return nil
}

func (v *voice) newEar(o microphone.Config) (*ear, error) {
	e := &ear{voice: v, name: o.Name, sounds: v.soundEar()}
	voiceModel, err := v.ears.Voice()
	if err != nil {
		return nil, err
	}
	words, err := v.detector(false)
	if err != nil {
		return nil, err
	}
	c := listen.Config{
		Voice: voiceModel, Recogniser: v.ears, Clock: v.daemon.clock, Language: v.config.Language,
		Timing: timingOf(v.config), Early: v.config.Early, Complete: v.whole, Joins: v.joins, Partial: partialEvery,
		Push:    v.config.Listen == config.ListenPush || o.Name == pageMicrophone,
		Heard:   func(u listen.Utterance) { v.heard(e, &u) },
		Talking: func(u listen.Utterance) { v.talking(e, &u) },
	}
	if words != nil {
		c.Detector, c.Word = words, func(h listen.Hit, at robot.Time) { v.word(e, h, at) }
	}
	if v.speaker != nil {
		c.Echo = v.speaker
		if c.Own, err = v.detector(true); err != nil {
			return nil, err
		}
	}
	if e.listener, err = listen.New(c); err != nil {
		return nil, err
	}
	e.microphone, err = microphone.New(o, v.daemon.clock, e.frame, e.report)
	v.all = append(v.all, e)
	return e, err
}

// run adds what hears and speaks to the daemon's stages.
func (v *voice) run(stage func(name string, run func(context.Context) error)) {
	for _, e := range v.all {
		stage("microphone "+e.name, e.run)
		stage("listening to "+e.name, e.listener.Run)
	}
	stage("voice", v.attend)
	if v.opinions != nil {
		stage("stop words", v.opinions.run)
	}
	if v.sounds != nil {
		stage("sounds", v.sounds.run)
	}
	if v.speaker != nil {
		stage("loudspeaker", v.speaker.Run)
	}
	if len(v.microphones) > 0 {
		v.load.Put(struct{}{})
	}
}

// run plays the microphone; a file that is over is no failure.
func (e *ear) run(ctx context.Context) error {
	if err := e.microphone.Run(ctx); err != nil {
		return err
	}
	if err := e.listener.Finish(ctx); err != nil {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}

// attend does what may take a while: it loads the speech model when it is about
// to be needed, and tells of stops.
func (v *voice) attend(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-v.load.Ready():
			if _, ok := v.load.Take(); !ok {
				continue
			}
			if err := v.ears.Load(ctx); err != nil && ctx.Err() == nil {
				v.daemon.warn(fmt.Errorf("voice: %w", err))
			}
		case <-v.halted.Ready():
			if s, ok := v.halted.Take(); ok {
				v.tellStop(&s)
			}
		}
	}
}

// warn logs and says what is wrong.
func (d *Daemon) warn(err error) {
	d.log.Warn("voice", "error", err)
	d.event(topicsWarning(err))
}

// frame takes a frame of a microphone, on the goroutine that captures.
func (e *ear) frame(c robot.Clip) {
	v := e.voice
	if want := v.pressed.Load(); want != e.pressed && e.name != pageMicrophone {
		e.pressed = want
		if want {
			e.listener.Press(c.At)
		} else if err := e.listener.Release(context.Background(), false); err != nil {
			v.daemon.log.Error("voice", "microphone", e.name, "error", err)
		}
	}
	if v.daemon.recording != nil {
		v.daemon.recording.recorder.Clip(c)
	}
	e.sounds.frame(&c)
	if err := e.listener.Hear(context.Background(), c); err != nil {
		v.daemon.log.Error("voice", "microphone", e.name, "error", err)
	}
}

// report says when a microphone came or went.
func (e *ear) report(r microphone.Report) {
	d := e.voice.daemon
	if r.Err == nil {
		d.log.Info("microphone", "microphone", e.name, "state", r.State)
		return
	}
	if err := e.listener.Lost(context.Background()); err != nil && !errors.Is(err, context.Canceled) {
		d.log.Error("voice", "microphone", e.name, "error", err)
	}
	d.log.Warn("microphone", "microphone", e.name, "state", r.State, "error", r.Err, "retry", r.Retry)
	if p := robot.PanicIn(r.Err); p != nil {
		d.broke("microphone "+e.name, p, false)
	}
	d.event(topicsWarning(r.Err))
}
