package web_test

import (
	"encoding/binary"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/kuai-robot/kuai/internal/broker"
	"github.com/kuai-robot/kuai/internal/web"
)

// ear keeps what was said.
type ear chan web.Speech

func listenWith(heard ear) func(*web.Options) {
	return func(o *web.Options) { o.Talk = func(s web.Speech) { heard <- s } }
}

func sound(unix float64, samples ...int16) []byte {
	data := binary.LittleEndian.AppendUint64(nil, math.Float64bits(unix))
	for _, s := range samples {
		data = binary.LittleEndian.AppendUint16(data, uint16(s))
	}
	return data
}

func (p socket) answer() string {
	p.t.Helper()
	_, data, err := p.Read(deadline(p.t))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(data)
}

func (p socket) sound(data []byte) {
	p.t.Helper()
	if err := p.Write(deadline(p.t), websocket.MessageBinary, data); err != nil {
		p.t.Fatal(err)
	}
}

// try sends what the other side may cut off in the middle.
func (p socket) try(data []byte) {
	p.t.Helper()
	_ = p.Write(deadline(p.t), websocket.MessageBinary, data)
}

func TestATalkIsHeardInOrderWithItsTimes(t *testing.T) {
	heard := make(ear, 10)
	s := start(t, listenWith(heard))
	s.clock.Advance(5 * time.Second)
	page := s.dial(t, "/ws/talk", nil)
	page.sound(sound(1004, 9)) // the button is up: nothing
	page.say(`{"talk":"start"}`)
	if got := page.answer(); got != `{"talk":"listening"}` {
		t.Fatalf("answer %s", got)
	}
	page.sound(sound(1004.5, 1, -2, 3)) // half a second on the way
	page.sound(sound(77, 4, 5))         // a clock of its own: as if it had just come
	page.say(`{"talk":"end"}`)
	if got := page.answer(); got != `{"talk":"ended"}` {
		t.Fatalf("answer %s", got)
	}
	one, two, end := next(t, "sound", heard), next(t, "sound", heard), next(t, "end", heard)
	if !slices.Equal(one.PCM, []int16{1, -2, 3}) || one.At != s.clock.Now().Add(-500*time.Millisecond) {
		t.Errorf("first piece %+v", one)
	}
	if !slices.Equal(two.PCM, []int16{4, 5}) || two.At != s.clock.Now().Add(-125*time.Microsecond) {
		t.Errorf("second piece %+v", two)
	}
	if !end.End || end.Cut || end.At != s.clock.Now() || one.Who == "" || one.Who != end.Who {
		t.Errorf("end %+v", end)
	}
	page.say(`{"talk":"start"}`)
	page.answer()
	page.say(`{"talk":"end"}`)
	if again := next(t, "end", heard); again.Who == end.Who {
		t.Errorf("two talks are both called %s", again.Who)
	}
}

func TestATalkThatNobodyEndedIsCut(t *testing.T) {
	heard := make(ear, 100)
	s := start(t, listenWith(heard))
	for name, cut := range map[string]func(p socket){
		"the page closes":    func(p socket) { p.CloseNow() },
		"it falls silent":    func(socket) {},
		"half a sample":      func(p socket) { p.sound(append(sound(0, 1), 7)) },
		"no time of capture": func(p socket) { p.sound([]byte{1, 2}) },
		"it never ends": func(p socket) {
			for range 31 {
				p.try(sound(0, make([]int16, web.TalkRate)...))
			}
		},
		"a frame without bounds": func(p socket) { p.try(make([]byte, 100_000)) },
		"a second start":         func(p socket) { p.say(`{"talk":"start"}`) },
	} {
		p := s.dial(t, "/ws/talk", nil)
		p.say(`{"talk":"start"}`)
		if got := p.answer(); got != `{"talk":"listening"}` {
			t.Fatalf("%s: answer %s", name, got)
		}
		cut(p)
		for piece := next(t, name, heard); ; piece = next(t, name, heard) {
			if piece.End {
				if !piece.Cut {
					t.Errorf("%s: not cut", name)
				}
				break
			}
		}
		p.CloseNow()
		if name == "a second start" {
			next(t, "the second talk's end", heard)
		}
	}
}

func TestOnePageTalksAtATime(t *testing.T) {
	heard := make(ear, 10)
	s := start(t, listenWith(heard))
	one, two := s.dial(t, "/ws/talk", nil), s.dial(t, "/ws/talk", nil)
	one.say(`{"talk":"start"}`)
	one.answer()
	two.say(`{"talk":"start"}`)
	if got := two.answer(); !strings.Contains(got, "somebody else is talking") {
		t.Errorf("answer %s", got)
	}
	one.say(`{"talk":"end"}`)
	one.answer()
	two.say(`{"talk":"start"}`)
	if got := two.answer(); got != `{"talk":"listening"}` {
		t.Errorf("answer %s", got)
	}
	for _, garbage := range []string{"", "x", "[]", `{"talk":"sing"}`} {
		two.say(garbage)
		if got := two.answer(); !strings.Contains(got, "refused") {
			t.Errorf("%q: answer %s", garbage, got)
		}
	}
}

func TestAPageWithoutAnEarSaysWhy(t *testing.T) {
	s := start(t, func(o *web.Options) { o.NoTalk = "voice is off (set voice.on)" })
	if hello := s.dial(t, "/ws", nil).until("hello"); !strings.Contains(hello, `"no_talk":"voice is off (set voice.on)"`) {
		t.Errorf("hello %s", hello)
	}
	if status, _, body := request(t, "GET", s.URL()+"/ws/talk", nil, ""); status != http.StatusNotFound || !strings.Contains(body, "voice is off") {
		t.Errorf("status %d: %s", status, body)
	}
	with := start(t, listenWith(make(ear, 1)))
	if hello := with.dial(t, "/ws", nil).until("hello"); strings.Contains(hello, "no_talk") {
		t.Errorf("hello %s", hello)
	}
}

func TestWhoMayOnlyWatchMayNotTalk(t *testing.T) {
	access, err := broker.NewAccess([]broker.User{{Name: "eve", Password: "password of eve", Role: broker.View}})
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, func(o *web.Options) { o.Access = access; o.Talk = func(web.Speech) {} })
	r, err := http.NewRequest("GET", s.URL()+"/ws/talk", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("eve", "password of eve")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("status %d", response.StatusCode)
	}
}
