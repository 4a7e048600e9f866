package daemon

import (
	"context"

	"github.com/kuai-robot/kuai/internal/web"
	"github.com/kuai-robot/kuai/perception/microphone"
)

// pageEar is the microphone of whoever has the page open and holds its button.
// Its sound comes on the goroutine of the browser's connection, one press at a
// time.
type pageEar struct {
	*ear
	push *microphone.Push
	who  string // whose button is down
}

// talk takes a piece of what is said into the page's microphone.
func (p *pageEar) talk(s web.Speech) {
	if s.Who != p.who {
		p.who = s.Who
		p.voice.load.Put(struct{}{}) // the model is there by the end of the sentence
		p.listener.Press(s.At)
	}
	if len(s.PCM) > 0 {
		samples := make([]float32, len(s.PCM))
		for i, x := range s.PCM {
			samples[i] = float32(x) / (1 << 15)
		}
		p.push.Write(s.At, web.TalkRate, samples)
	}
	if s.End {
		p.who = ""
		if err := p.listener.Release(context.Background(), s.Cut); err != nil {
			p.voice.daemon.log.Error("voice", "microphone", p.name, "error", err)
		}
	}
}

// pageTalk gives what the page does with its microphone: nothing, and why, or
// whom it tells.
func (d *Daemon) pageTalk() (talk func(web.Speech), why string) {
	switch {
	case d.voice == nil:
		return nil, "the configuration has voice.on: false"
	case d.voice.page == nil:
		return nil, d.voice.noTalk
	}
	return d.voice.page.talk, ""
}
