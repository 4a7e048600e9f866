package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Values of keys of voice.
const (
	ListenAlways = "always"
	ListenWake   = "wake"
	ListenPush   = "push"
	// Replace and Queue are what a command does to one that runs.
	Replace = "replace"
	Queue   = "queue"
	// SimSound is the microphone or loudspeaker of the simulated room.
	SimSound = "sim"
)

// stopWords are those that the built-in detector knows.
var stopWords = []string{"stop", "halt", "freeze", "停", "停下", "停止", "别动"}

// usualStopWords leave out what is too easily taken for another word.
var usualStopWords = []string{"stop", "halt", "freeze", "停下", "停止", "别动"}

// longestPhrase is of how many words a stop phrase may be: who wants the robot to stop
// says no more.
const longestPhrase = 6

// sounds are those that the built-in head tells from others when they begin.
var sounds = []string{"clap", "knock", "glass", "beep", "alarm", "ring"}

func defaultVoice() Voice {
	return Voice{
		On: true, Microphones: []Microphone{}, Listen: ListenAlways, WakeWords: []string{"hey robot", "hey kuai"}, StopWords: slices.Clone(usualStopWords), StopPhrases: []string{"hold it", "that is enough"}, StopScore: 0.5, Sounds: []string{},
		Language: "en", Model: "whisper-base", Backend: BackendCPU, Sure: 0.45, Unsure: 0.2, Expect: 1.5,
		Silence: 480 * time.Millisecond, Early: 96 * time.Millisecond, Longest: 15 * time.Second,
		Commands: Replace, Speaker: None, SpeakerVoice: "en",
	}
}

func (v *Voice) check(k *checker, driver string) {
	k.oneOf("voice.listen", v.Listen, ListenAlways, ListenWake, ListenPush)
	k.oneOf("voice.commands", v.Commands, Replace, Queue)
	k.require(v.Listen != ListenWake || len(v.WakeWords) > 0, "voice.wake_words", "is empty, and voice.listen is %s", ListenWake)
	for i, w := range v.WakeWords {
		k.require(strings.TrimSpace(w) != "", fmt.Sprintf("voice.wake_words[%d]", i), "is empty")
	}
	for i, w := range v.StopWords {
		k.oneOf(fmt.Sprintf("voice.stop_words[%d]", i), w, stopWords...)
	}
	for i, p := range v.StopPhrases {
		k.require(strings.ContainsFunc(p, unicode.IsLetter) && len(strings.Fields(p)) <= longestPhrase, fmt.Sprintf("voice.stop_phrases[%d]", i),
			"%q: needs 1 to %d words", clip(p), longestPhrase)
	}
	for i, w := range v.Sounds {
		k.oneOf(fmt.Sprintf("voice.sounds[%d]", i), w, sounds...)
	}
	k.require(v.StopScore > 0 && v.StopScore < 1, "voice.stop_score", "%g is not above 0 and below 1", v.StopScore)
	k.require(v.Model != "", "voice.model", "is empty (kuai models list shows names)")
	k.oneOf("voice.backend", v.Backend, BackendCPU, BackendCUDA)
	k.require(v.Language != "", "voice.language", "is empty (en, zh, …)")
	k.require(v.Threads >= 0, "voice.threads", "%d must not be negative", v.Threads)
	k.within("voice.sure", v.Sure, 0, 1, "")
	k.within("voice.unsure", v.Unsure, 0, 1, "")
	k.require(v.Unsure <= v.Sure, "voice.unsure", "%g is above voice.sure, %g", v.Unsure, v.Sure)
	k.within("voice.expect", v.Expect, 0, 10, " nats")
	k.require(v.Silence >= 100*time.Millisecond && v.Silence <= 5*time.Second, "voice.silence", "%v is not 100ms to 5s", v.Silence)
	k.require(v.Early >= 0 && v.Early <= v.Silence, "voice.early", "%v is not 0s to voice.silence, %v", v.Early, v.Silence)
	k.require(v.Longest >= time.Second && v.Longest <= 28*time.Second, "voice.longest", "%v is not 1s to 28s, which is what the model hears at once", v.Longest)
	k.require(v.Speaker == None || v.Speaker == SimSound || len(v.Speaker) > len("device:") && strings.HasPrefix(v.Speaker, "device:"), "voice.speaker",
		"%q is not none, device:default, device:NAME or sim", clip(v.Speaker))
	k.require(v.Speaker != SimSound || driver == DriverSim, "voice.speaker", "sim, but robot.driver is not sim")
	k.require(v.SpeakerVoice != "", "voice.speaker_voice", "is empty (none speaks by tones alone)")
	v.checkMicrophones(k, driver)
}

func (v *Voice) checkMicrophones(k *checker, driver string) {
	seen := map[string]bool{"page": true}
	for i, m := range v.Microphones {
		key := fmt.Sprintf("voice.microphones[%d]", i)
		k.require(validName(m.Name), key+".name", "%q: needs 1 to 64 letters, digits, - and _", clip(m.Name))
		k.require(!seen[m.Name], key+".name", "two microphones are called %q (page is the browser's)", clip(m.Name))
		seen[m.Name] = true
		u, err := url.Parse(m.URL)
		k.require(m.URL == SimSound || err == nil && slices.Contains([]string{"device", "rtsp", "rtsps", "file"}, u.Scheme), key+".url",
			"not device:default, rtsp://HOST:PORT/PATH, file:PATH or sim")
		k.require(m.URL != SimSound || driver == DriverSim, key+".url", "sim, but robot.driver is not sim")
	}
}
