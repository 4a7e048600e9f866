package daemon

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/kuai-robot/kuai/fusion/listen"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/perception/keyword"
	"github.com/kuai-robot/kuai/perception/loudspeaker"
	"github.com/kuai-robot/kuai/perception/microphone"
	"github.com/kuai-robot/kuai/perception/vad"
	"github.com/kuai-robot/kuai/policy/agent"
	"github.com/kuai-robot/kuai/policy/dialogue"
	"github.com/kuai-robot/kuai/robot"
)

const (
	// partialEvery is how much must be said before it is recognised anew.
	partialEvery = 800 * time.Millisecond
	// roomReverb is how a furnished room sounds.
	roomReverb = 350 * time.Millisecond
	// spokenID begins the ids of commands that were spoken.
	spokenID = "voice-"
)

func timingOf(c *config.Voice) vad.Timing {
	return vad.Timing{Close: c.Silence, Longest: c.Longest}
}

func topicsWarning(err error) topics.Event {
	return topics.Event{Kind: topics.EventWarning, Reason: err.Error()}
}

// scene gives what is known of the table, nil when nobody looks.
func (v *voice) scene() *robot.Scene {
	if v.daemon.sim == nil {
		return nil
	}
	return v.daemon.sim.world.Scene()
}

// expect makes the recogniser favour the words of the catalogue and the names of
// what is on the table.
func (v *voice) expect() {
	scene := v.scene()
	var names []string
	if scene != nil {
		for i := range scene.Objects {
			names = append(names, scene.Objects[i].Name)
		}
	}
	v.mu.Lock()
	same := v.expected != nil && slices.Equal(names, v.expected)
	v.expected = append([]string{}, names...)
	v.mu.Unlock()
	if !same {
		v.ears.Expect(append(dialogue.Sayings(v.catalogue, scene), v.config.StopPhrases...), v.config.Expect)
	}
	if scene != nil && v.config.Expect > 0 && v.config.Language == "en" && !same {
		v.ears.Choose(dialogue.Commands(v.catalogue, scene), v.plain)
	}
}

// whole says whether a text is a command or an answer that lacks nothing.
func (v *voice) whole(text string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.dialogue.Whole(text, v.scene())
}

// stops says whether text, if that is all, asks for a stop.
func (v *voice) stops(text string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return text != "" && v.dialogue.Stops(text)
}

// joins says whether rest goes on with a sentence that seemed to be whole.
func (v *voice) joins(first, rest string) bool { return v.dialogue.Joins(first, rest) }

// plain says whether there is nothing to mend about a text.
func (v *voice) plain(text string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.dialogue.Plain(text, v.scene())
}

// word takes a word that the detector heard, on the goroutine that captures. A
// stop goes straight to the control loop.
func (v *voice) word(e *ear, h listen.Hit, at robot.Time) {
	if h.Group == keyword.Stop().Name {
		v.daemon.Stop(fmt.Sprintf("%q was said into microphone %s", h.Word, e.name))
		v.tally.stopWord(h.Word)
		v.halted.Put(heardStop{word: h.Word, microphone: e.name, score: h.Score})
		return
	}
	v.mu.Lock()
	v.dialogue.Call(at)
	v.mu.Unlock()
	v.signal(loudspeaker.Listening)
}

// hold keeps the robot still for a moment, on the goroutine that captures: what was
// heard may be a stop.
func (v *voice) hold(d time.Duration) {
	v.daemon.loop.Pause(d)
	v.tally.holding(v.daemon.clock.Now())
}

// tellStop says that a stop word was heard, after the robot has stopped.
func (v *voice) tellStop(s *heardStop) {
	v.say(topics.Said{Who: "person", Kind: topics.SaidStop, Text: s.word, Microphone: s.microphone, Confidence: float64(s.score)})
}

// afterStop forgets what waits, whoever stopped the robot.
func (v *voice) afterStop() {
	v.mu.Lock()
	v.waiting = nil
	v.mu.Unlock()
	if v.speaker != nil {
		v.speaker.Hush()
	}
	v.signal(loudspeaker.Stopped)
}

// talking tells what is understood of somebody who still speaks, and brakes for what
// is a stop if no more is said.
func (v *voice) talking(e *ear, u *listen.Utterance) {
	if v.stops(u.Text) {
		v.hold(v.config.Silence + partialEvery)
	}
	v.say(topics.Said{Who: "person", Kind: topics.SaidHearing, Text: u.Text, Microphone: e.name, Confidence: round(u.Confidence)})
}

// heard decides what to do about what somebody said.
func (v *voice) heard(e *ear, u *listen.Utterance) {
	if u.Err != nil {
		v.daemon.warn(fmt.Errorf("microphone %s: %w", e.name, u.Err))
	}
	v.expect()
	scene := v.scene()
	push := v.config.Listen == config.ListenPush || e.name == pageMicrophone
	v.mu.Lock()
	r := v.dialogue.Hear(dialogue.Heard{
		At: v.daemon.clock.Now(), Text: u.Text, Confidence: u.Confidence, Problem: string(u.Problem), Addressed: push,
	}, scene)
	v.number++
	id := fmt.Sprintf("%s%d", spokenID, v.number)
	v.mu.Unlock()
	said := topics.Said{
		Who: "person", Text: u.Text, Microphone: e.name, Confidence: round(u.Confidence), Reason: r.Why,
		MS: round(u.Ready.Sub(u.Until).Seconds() * 1e3), DecidedMS: round(u.Ready.Sub(u.Decided).Seconds() * 1e3),
	}
	v.daemon.log.Info("heard", "microphone", e.name, "text", u.Text, "confidence", round(u.Confidence), "as", r.Kind, "ms", said.MS, "problem", u.Problem)
	v.act(&r, &said, id, u)
}

func round(x float64) float64 { return math.Round(x*1e3) / 1e3 }

// act does what the dialogue decided, before it tells anybody.
func (v *voice) act(r *dialogue.Reply, said *topics.Said, id string, u *listen.Utterance) {
	d := v.daemon
	if r.Cancel {
		d.worker.drop("the person changed their mind")
	}
	switch r.Kind {
	case dialogue.Stop:
		d.Stop(fmt.Sprintf("%q was said into microphone %s", said.Text, said.Microphone))
		said.Kind = topics.SaidStop
	case dialogue.Command:
		d.stages.hear.add(u.Ready.Sub(u.Until))
		said.Kind, said.ID, said.Instruction, said.Reason = topics.SaidHeard, id, r.Instruction, ""
		v.command(spoken{id, r.Instruction}, u.Continues)
	case dialogue.Question, dialogue.Answer:
		said.Kind = topics.SaidHeard
	case dialogue.NotUnderstood:
		said.Kind = topics.SaidNotUnderstood
		v.signal(loudspeaker.NotUnderstood)
	default:
		said.Kind = topics.SaidIgnored
	}
	v.tally.utterance(said.Kind, u.Ready.Sub(u.Until), u.Ready.Sub(u.Decided))
	v.say(*said)
	if r.Say != "" {
		kind := topics.SaidAnswer
		if r.Kind == dialogue.Question {
			kind = topics.SaidQuestion
		}
		v.answer(kind, r.Say)
	}
}

// command carries a command out, or lets it wait for the one before. One that
// continues the one before takes its place.
func (v *voice) command(s spoken, continues bool) {
	if continues {
		v.mu.Lock()
		n := len(v.waiting)
		if n > 0 {
			v.waiting[n-1] = s
		}
		v.mu.Unlock()
		if n == 0 {
			v.begin(s)
		}
		return
	}
	if v.config.Commands == config.Queue && v.daemon.worker.busy() {
		v.mu.Lock()
		full := len(v.waiting) == waitingCommands
		if !full {
			v.waiting = append(v.waiting, s)
		}
		v.mu.Unlock()
		if full {
			v.daemon.refuse(s.id, topics.NameInstruction, fmt.Sprintf("%d commands wait already", waitingCommands))
		}
		return
	}
	v.begin(s)
}

func (v *voice) begin(s spoken) {
	if err := v.daemon.instruct(topics.Instruction{ID: s.id, Text: s.text}); err != nil {
		v.daemon.refuse(s.id, topics.NameInstruction, err.Error())
		v.answer(topics.SaidAnswer, sentence(err.Error()))
		return
	}
	v.signal(loudspeaker.Understood)
}

// progress follows what the agent does: the dialogue may refer to it, a spoken
// command is told how it ended, and the next one may begin.
func (v *voice) progress(u *agent.Update) {
	v.mu.Lock()
	v.dialogue.Plan(&u.Plan)
	v.mu.Unlock()
	switch u.Kind {
	case agent.Refused, agent.PlanFailed:
		if strings.HasPrefix(u.Plan.ID, spokenID) && u.Plan.Cause != agent.CauseCancelled && u.Plan.Cause != agent.CauseStopped {
			v.answer(topics.SaidAnswer, sentence(u.Reason))
		}
	case agent.PlanSucceeded:
		if u.Plan.Said != "" {
			if v.speaker != nil && strings.HasPrefix(u.Plan.ID, spokenID) {
				v.speaker.Say(u.Plan.Said) // it has been published
			}
		} else if strings.HasPrefix(u.Plan.ID, spokenID) {
			v.answer(topics.SaidAnswer, "Done.")
		}
	}
}

// next begins a command that has waited, once the one before is over.
func (v *voice) next() {
	v.mu.Lock()
	var s spoken
	if len(v.waiting) > 0 {
		s, v.waiting = v.waiting[0], v.waiting[1:]
	}
	v.mu.Unlock()
	if s.id != "" {
		v.begin(s)
	}
}

// sentence makes a reason fit to be spoken.
func sentence(reason string) string {
	reason, _, _ = strings.Cut(reason, " (")
	if reason == "" {
		return "I cannot do that."
	}
	return "I cannot do that: " + reason + "."
}

// answer says something, aloud where there is a loudspeaker.
func (v *voice) answer(kind topics.SaidKind, text string) {
	v.say(topics.Said{Who: "robot", Kind: kind, Text: text})
	if v.speaker != nil {
		v.speaker.Say(text)
	}
}

func (v *voice) signal(e loudspeaker.Earcon) {
	if v.speaker != nil {
		v.speaker.Signal(e)
	}
}

// say publishes what was said.
func (v *voice) say(s topics.Said) {
	s.At = unix(v.daemon.clock, v.daemon.clock.Now())
	v.daemon.out.say(topics.NameConversation, s)
}

// press obeys the topic talk.
func (d *Daemon) press(m topics.Talk) error {
	if d.voice == nil || len(d.voice.microphones) == 0 {
		return errNoMicrophone
	}
	d.voice.pressed.Store(*m.On)
	return nil
}

var errNoMicrophone = fmt.Errorf("this robot has no microphone of its own (voice.microphones lists none)")

// health says how the microphones are, and why the daemon cannot rely on one.
func (v *voice) health() (all []topics.MicrophoneHealth, reasons []string) {
	for _, e := range v.microphones {
		s := e.microphone.Stats()
		h := topics.MicrophoneHealth{Name: e.name, State: s.State.String(), LevelDB: round(20 * math.Log10(max(s.Level, 1e-6))), Clipped: s.Faults.Clipped, Overrun: s.Overrun}
		if s.LastAt != 0 {
			h.Age = v.daemon.clock.Now().Sub(s.LastAt).Seconds()
		}
		if s.State == microphone.Lost {
			reasons = append(reasons, "microphone "+e.name+": lost")
		}
		all = append(all, h)
	}
	return all, reasons
}
