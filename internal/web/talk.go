package web

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/robot"
)

const (
	// TalkRate is the rate of Speech.PCM, samples a second.
	TalkRate = 16000
	// maxTalk bounds one press of the button: longer is a button that hangs.
	maxTalk = 30 * time.Second
	// maxTalkFrame bounds one frame of sound: a second of it and its stamp.
	maxTalkFrame = stampBytes + 2*TalkRate
	// talkSilent is how long a page may hold the button and send nothing.
	talkSilent = 2 * time.Second
	// talkLate is the most by which a browser's time of capture is believed.
	talkLate = 2 * time.Second
)

// Speech is a piece of what a person says while the talk button is held. The
// pieces of one press come in order, and the last has End.
type Speech struct {
	// Who names the press; no two have the same name.
	Who string
	// At is when the first sample of PCM was captured.
	At robot.Time
	// PCM is mono at TalkRate; whoever takes it owns it. It may be empty at the end.
	PCM []int16
	// End: the button was let go, or the connection was lost.
	End bool
	// Cut, only with End: nobody let go, the page fell silent, went away or
	// talked for too long. What was said may be half a sentence.
	Cut bool
}

// talkOrder is a text frame from the browser, talkAnswer one to it.
type talkOrder struct {
	Talk string `json:"talk"` // start or end
}

type talkAnswer struct {
	// Talk is listening, ended, or refused and Reason says why.
	Talk   string `json:"talk"`
	Reason string `json:"reason,omitempty"`
}

// floor lets one page talk at a time.
type floor struct {
	mu     sync.Mutex
	taken  bool
	number uint64
}

func (f *floor) take() (who string, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.taken {
		return "", false
	}
	f.taken = true
	f.number++
	return "page-" + strconv.FormatUint(f.number, 10), true
}

func (f *floor) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.taken = false
}

// serveTalk takes sound from a browser whose user holds the talk button.
func (s *Server) serveTalk(w http.ResponseWriter, r *http.Request) {
	if s.o.Talk == nil {
		s.refuse(w, http.StatusNotFound, s.noTalk())
		return
	}
	s.sockets.Add(1)
	defer s.sockets.Done()
	conn, ok := s.accept(w, r, &s.pages, maxPages)
	if !ok {
		return
	}
	defer s.pages.Add(-1)
	defer conn.CloseNow()
	conn.SetReadLimit(maxTalkFrame)
	t := &talker{server: s, conn: conn}
	defer t.end(true)
	for {
		if err := t.next(s.ctx); err != nil {
			return
		}
	}
}

// noTalk says why nobody listens.
func (s *Server) noTalk() string {
	if s.o.NoTalk != "" {
		return s.o.NoTalk
	}
	return "this robot does not listen"
}

// talker is one open socket of sound. It belongs to its reading goroutine.
type talker struct {
	server *Server
	conn   *websocket.Conn
	// who is empty while the button is up.
	who     string
	samples int
	newest  robot.Time // where the next piece begins
}

// next takes one frame; an error ends the socket.
func (t *talker) next(ctx context.Context) error {
	within := ctx
	if t.who != "" {
		limited, cancel := context.WithTimeout(ctx, talkSilent)
		defer cancel()
		within = limited
	}
	kind, data, err := t.conn.Read(within)
	if err != nil {
		return err
	}
	if kind == websocket.MessageBinary {
		return t.hear(ctx, data)
	}
	var order talkOrder
	if err := json.Unmarshal(data, &order); err != nil {
		return t.refuse(ctx, `want {"talk":"start"} or {"talk":"end"}`)
	}
	switch order.Talk {
	case "start":
		return t.start(ctx)
	case "end":
		t.end(false)
		return t.answer(ctx, talkAnswer{Talk: "ended"})
	}
	return t.refuse(ctx, `want {"talk":"start"} or {"talk":"end"}`)
}

func (t *talker) start(ctx context.Context) error {
	t.end(true)
	who, ok := t.server.floor.take()
	if !ok {
		return t.refuse(ctx, "somebody else is talking to the robot")
	}
	t.who, t.samples, t.newest = who, 0, t.server.o.Clock.Now()
	return t.answer(ctx, talkAnswer{Talk: "listening"})
}

// hear hands on a piece of sound. What comes while the button is up was on its
// way when the talk ended, and is nothing.
func (t *talker) hear(ctx context.Context, data []byte) error {
	if t.who == "" {
		return nil
	}
	if len(data) < stampBytes || len(data)%2 != 0 {
		t.end(true)
		return t.refuse(ctx, "a frame of sound is its time of capture and 16-bit samples")
	}
	pcm := make([]int16, (len(data)-stampBytes)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(data[stampBytes+2*i:]))
	}
	if t.samples += len(pcm); t.samples > int(maxTalk.Seconds()*TalkRate) {
		t.end(true)
		return t.refuse(ctx, "that was "+maxTalk.String()+" in one breath: say it in shorter pieces")
	}
	at := t.captured(math.Float64frombits(binary.LittleEndian.Uint64(data)), len(pcm))
	t.newest = at.Add(lasts(len(pcm)))
	t.server.o.Talk(Speech{Who: t.who, At: at, PCM: pcm})
	return nil
}

// captured gives when a piece began: as the browser says where its clock agrees
// with ours, otherwise as if it had come at once.
func (t *talker) captured(unix float64, samples int) robot.Time {
	clock := t.server.o.Clock
	now := clock.Now()
	began := now.Add(-lasts(samples))
	ago := float64(clock.Epoch().UnixNano())/1e9 + now.Seconds() - unix
	if ago >= 0 && ago <= talkLate.Seconds() {
		began = now.Add(-time.Duration(ago * float64(time.Second)))
	}
	return began
}

func lasts(samples int) time.Duration {
	return time.Duration(samples) * time.Second / TalkRate
}

// end says that nothing follows, once.
func (t *talker) end(cut bool) {
	if t.who == "" {
		return
	}
	t.server.o.Talk(Speech{Who: t.who, At: t.newest, End: true, Cut: cut})
	t.server.floor.leave()
	t.who = ""
}

func (t *talker) refuse(ctx context.Context, why string) error {
	t.server.refused.Add(1)
	return t.answer(ctx, talkAnswer{Talk: "refused", Reason: why})
}

func (t *talker) answer(ctx context.Context, a talkAnswer) error {
	data, err := json.Marshal(a)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, writeWithin)
	defer cancel()
	return t.conn.Write(ctx, websocket.MessageText, data)
}

// mayTalk is the right to ask for something in words.
const mayTalk = topics.NameInstruction
