package daemon

import (
	"context"
	"errors"
	"fmt"
	"math"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/kuai-robot/kuai/fusion/listen"
	"github.com/kuai-robot/kuai/internal/bench"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/perception/keyword"
	"github.com/kuai-robot/kuai/perception/loudspeaker"
	"github.com/kuai-robot/kuai/policy/dialogue"
	"github.com/kuai-robot/kuai/robot"
)

const (
	// timedCommands is how many sentences the latency is the median of.
	timedCommands = 12
	idleSeconds   = 30
)

// benchVoice measures how soon a spoken command is text and motion, and what
// listening costs while nobody speaks.
func benchVoice(ctx context.Context, c *config.Config) (rows []bench.Row, err error) {
	l, err := newVoiceLab(c, unheard)
	if err != nil {
		return nil, err
	}
	after, end, decided, right, err := l.latency(ctx)
	if err == nil {
		rows = append(rows,
			bench.Row{Name: "voice.end_to_text", Value: bench.Percentile(after, 0.5), Unit: "ms", Bar: "<150"},
			bench.Row{Name: "voice.end_to_text_p90", Value: bench.Percentile(after, 0.9), Unit: "ms"},
			bench.Row{Name: "voice.end_to_decision", Value: bench.Percentile(end, 0.5), Unit: "ms"},
			bench.Row{Name: "voice.end_to_text_right", Value: right},
			bench.Row{Name: "voice.decided_to_text", Value: bench.Percentile(decided, 0.5), Unit: "ms"})
		var idle float64
		idle, err = l.idle(ctx)
		rows = append(rows, bench.Row{Name: "voice.idle_cpu", Value: idle, Bar: "<0.15"})
	}
	if err = errors.Join(err, l.close()); err != nil {
		return nil, err
	}
	motion, err := firstSpokenMotion(ctx, c)
	if err != nil {
		return nil, err
	}
	rows = append(rows, bench.Row{Name: "voice.first_motion", Value: bench.Percentile(motion, 0.5), Unit: "ms", Bar: "<500"})
	words, err := wordErrors(ctx, c)
	return append(rows, words...), err
}

// benchCommands gives the share of spoken commands that begin the right skill.
func benchCommands(ctx context.Context, c *config.Config) ([]bench.Row, error) {
	return EvalVoice(ctx, c, StandardVoiceTrial())
}

// spokenUntil gives how many of the samples are before the silence at the end.
func spokenUntil(samples []float32) int {
	for n := len(samples); n > 0; n-- {
		if math.Abs(float64(samples[n-1])) > 0.01 {
			return n
		}
	}
	return 0
}

// latency gives, for each of some sentences at the pace of the clock, how long
// after the last sound of the last word, in the clean synthesis, the text was there
// and it was known to be the last, and how long after that the text was there; right
// is the share of texts that are what was said.
func (l *voiceLab) latency(ctx context.Context) (after, decision, decided []float64, right float64, err error) {
	if err := l.ears.Load(ctx); err != nil {
		return nil, nil, nil, 0, err
	}
	clock, colours := robot.NewSystemClock(), []string{"red", "green", "blue", "yellow"}
	for i := range timedCommands {
		text := "pick up the " + colours[i%4] + " block"
		if i%2 == 1 {
			text = "put the " + colours[i%4] + " block in the " + colours[(i/2)%3] + " bowl"
		}
		speech, err := loudspeaker.Espeak{Voice: TrialVoices[2+i%2], Speed: 160}.Speak(ctx, text)
		if err != nil {
			return nil, nil, nil, 0, err
		}
		u, end, err := l.live(ctx, clock, speech)
		if err != nil {
			return nil, nil, nil, 0, err
		}
		if dialogue.Clean(u.Text) == text {
			right += 1.0 / timedCommands
		}
		after = append(after, u.Ready.Sub(end).Seconds()*1e3)
		decision = append(decision, u.Decided.Sub(end).Seconds()*1e3)
		decided = append(decided, u.Ready.Sub(u.Decided).Seconds()*1e3)
	}
	return after, decision, decided, right, nil
}

// live lets a listener hear speech as it is said and gives the utterance and when
// the last word ended.
func (l *voiceLab) live(ctx context.Context, clock robot.Clock, speech []float32) (u listen.Utterance, end robot.Time, err error) {
	voice, err := l.ears.Voice()
	if err != nil {
		return u, 0, err
	}
	talk, err := dialogue.New(dialogue.Config{Catalogue: l.mind.catalogue})
	if err != nil {
		return u, 0, err
	}
	scene := l.world.Scene()
	heard := make(chan listen.Utterance, 4)
	v := &l.config.Voice
	listener, err := listen.New(listen.Config{
		Voice: voice, Recogniser: l.ears, Clock: clock, Language: v.Language, Timing: timingOf(v), Early: v.Early, Partial: partialEvery,
		Complete: func(text string) bool { return talk.Whole(text, scene) },
		Heard:    func(u listen.Utterance) { heard <- u },
	})
	if err != nil {
		return u, 0, err
	}
	clip := inRoom(1, -60, 1, speech)
	start := clock.Now()
	end = start.Add(time.Second + time.Duration(spokenUntil(speech))*time.Second/audio.Rate)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return listener.Run(ctx) })
	for at := 0; at+audio.Frame <= len(clip); at += audio.Frame {
		captured := start.Add(time.Duration(at) * time.Second / audio.Rate)
		if err := clock.Wait(ctx, captured.Add(20*time.Millisecond)); err != nil {
			return u, end, err
		}
		if err := listener.Hear(ctx, robot.Clip{Microphone: "room", At: captured, Rate: audio.Rate, Samples: clip[at : at+audio.Frame]}); err != nil {
			return u, end, err
		}
	}
	select {
	case u = <-heard:
	case <-ctx.Done():
		return u, end, ctx.Err()
	}
	stop()
	if err := group.Wait(); !errors.Is(err, context.Canceled) {
		return u, end, err
	}
	return u, end, nil
}

// idle gives the share of one core that the whole way takes while nobody speaks.
func (l *voiceLab) idle(ctx context.Context) (share float64, err error) {
	words, err := keyword.Builtin(cpu.New(cpu.Options{Threads: 1}))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, words.Close()) }()
	d, err := words.NewDetector(keyword.Stop())
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	voice, err := l.ears.Voice()
	if err != nil {
		return 0, err
	}
	clock := robot.NewManualClock(time.Unix(0, 0), robot.Time(time.Second))
	listener, err := listen.New(listen.Config{
		Voice: voice, Recogniser: l.ears, Clock: clock, Patient: true, Detector: &wordDetector{d: d},
		Word: func(listen.Hit, robot.Time) {}, Heard: func(listen.Utterance) {},
	})
	if err != nil {
		return 0, err
	}
	quiet := inRoom(1, -55, 1, make([]float32, idleSeconds*audio.Rate))
	resampler, err := audio.NewResampler(48000, audio.Rate)
	if err != nil {
		return 0, err
	}
	defer resampler.Close()
	device := audio.Resample(quiet, audio.Rate, 48000)
	var condition audio.Conditioner
	before, err := processorTime()
	if err != nil {
		return 0, err
	}
	var rest []float32
	for ; len(device) >= 480; device = device[480:] {
		rest = append(rest, resampler.Add(device[:480])...)
		for len(rest) >= audio.Frame {
			frame := append(make([]float32, 0, audio.Frame), rest[:audio.Frame]...)
			rest = rest[:copy(rest, rest[audio.Frame:])]
			condition.Apply(frame)
			if err := listener.Hear(ctx, robot.Clip{Microphone: "room", At: clock.Now(), Rate: audio.Rate, Samples: frame}); err != nil {
				return 0, err
			}
			clock.Advance(20 * time.Millisecond)
		}
	}
	after, err := processorTime()
	return (after - before).Seconds() / (float64(len(quiet)) / audio.Rate), err
}

// processorTime is what this process has used of all cores.
func processorTime() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, err
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}

// firstSpokenMotion gives how long after its last word a command moves the
// robot, for some commands in the simulated room.
func firstSpokenMotion(ctx context.Context, c *config.Config) (took []float64, err error) {
	talking := *c
	talking.Voice.Microphones = []config.Microphone{{Name: "room", URL: config.SimSound}}
	r, err := startRig(ctx, &talking, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	if err := r.daemon.voice.ears.Load(ctx); err != nil {
		return nil, err
	}
	for i := range 6 {
		colour := []string{"red", "green", "blue", "yellow"}[i%4]
		ms, err := r.speakOnce(ctx, fmt.Sprintf("put the %s block in the green bowl", colour))
		if err != nil {
			return nil, err
		}
		took = append(took, ms)
	}
	return took, nil
}

// speakOnce gives how long after the end of a spoken command the joints are
// commanded to move.
func (r *rig) speakOnce(ctx context.Context, text string) (float64, error) {
	speech, err := loudspeaker.Espeak{Voice: "en-gb-scotland", Speed: 150}.Speak(ctx, text)
	if err != nil {
		return 0, err
	}
	moved := make(chan robot.Time, 1)
	was := r.daemon.loop.Status().Command.Position
	r.probe.watch(func(c *robot.Command) {
		if c.Position != was {
			select {
			case moved <- r.daemon.clock.Now():
			default:
			}
		}
	})
	at := r.daemon.clock.Now().Add(300 * time.Millisecond)
	r.daemon.voice.room.Say(at, 1, speech)
	end := at.Add(time.Duration(spokenUntil(speech)) * time.Second / audio.Rate)
	patient, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	var took float64
	select {
	case t := <-moved:
		took = t.Sub(end).Seconds() * 1e3
	case <-patient.Done():
		return 0, fmt.Errorf("nothing moved for %q (see the topic %s)", text, topics.NameConversation)
	}
	r.probe.watch(nil)
	r.daemon.worker.drop("measured")
	return took, r.rest(ctx)
}
