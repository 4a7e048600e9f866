package microphone

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"net"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/g711"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/perception/loudspeaker"
	"github.com/kuai-robot/kuai/robot"
)

// table is an RTSP server with one audio track, as a camera on a table has.
type table struct {
	server *gortsplib.Server
	stream *gortsplib.ServerStream
	media  *description.Media
	clock  *robot.ManualClock
	hz     int // of RTP's clock
	sent   uint16
}

func newTable(t *testing.T, track format.Format, clock *robot.ManualClock) *table {
	t.Helper()
	s := &table{clock: clock, hz: track.ClockRate(), media: &description.Media{Type: description.MediaTypeAudio, Formats: []format.Format{track}}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.server = &gortsplib.Server{
		Handler: s, RTSPAddress: listener.Addr().String(), WriteQueueSize: 1024, DisableRTCPSenderReports: true,
		Listen: func(string, string) (net.Listener, error) { return listener, nil },
	}
	if err := s.server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.server.Close)
	s.stream = &gortsplib.ServerStream{Server: s.server, Desc: &description.Session{Medias: []*description.Media{s.media}}}
	if err := s.stream.Initialize(); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *table) url() string { return "rtsp://" + s.server.RTSPAddress + "/table" }

func (s *table) OnDescribe(*gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return &base.Response{StatusCode: base.StatusOK}, s.stream, nil
}

func (s *table) OnSetup(*gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return &base.Response{StatusCode: base.StatusOK}, s.stream, nil
}

func (s *table) OnPlay(*gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// send publishes 20 ms that were captured now, after a report that says so.
func (s *table) send(t *testing.T, payload []byte) {
	t.Helper()
	now := s.clock.Now()
	wall := s.clock.Epoch().Add(time.Duration(now))
	ticks := uint32(int64(now) * int64(s.hz) / int64(time.Second))
	track := s.media.Formats[0]
	seconds, fraction := uint64(wall.Unix()+2_208_988_800), uint64(wall.Nanosecond())<<32/uint64(time.Second)
	report := &rtcp.SenderReport{SSRC: s.stream.Stats().Medias[s.media].Formats[track].LocalSSRC, NTPTime: seconds<<32 | fraction, RTPTime: ticks}
	if err := s.stream.WritePacketRTCP(s.media, report); err != nil {
		t.Fatal(err)
	}
	s.sent++
	packet := &rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: track.PayloadType(), SequenceNumber: s.sent, Timestamp: ticks}, Payload: payload}
	if err := s.stream.WritePacketRTPWithNTP(s.media, packet, wall); err != nil {
		t.Fatal(err)
	}
	s.clock.Advance(20 * time.Millisecond)
}

// codec is a track and how sound becomes its packets of 20 ms.
type codec struct {
	track   format.Format
	packets func(t *testing.T, samples []float32) [][]byte
	alike   float64       // the least correlation of what comes out
	late    time.Duration // that the codec itself may be
}

func pcm(hz int, pack func([]byte) []byte) func(*testing.T, []float32) [][]byte {
	return func(_ *testing.T, samples []float32) (all [][]byte) {
		var wide []byte
		for _, x := range audio.Resample(samples, audio.Rate, hz) {
			wide = binary.BigEndian.AppendUint16(wide, uint16(int16(32767*max(-1, min(1, x)))))
		}
		for size := 2 * hz / 50; len(wide) >= size; wide = wide[size:] {
			all = append(all, pack(wide[:size]))
		}
		return all
	}
}

var codecs = map[string]codec{
	"PCMU": {&format.G711{MULaw: true, PayloadTyp: 0, SampleRate: 8000, ChannelCount: 1}, pcm(8000, func(b []byte) []byte {
		out, _ := g711.Mulaw(b).Marshal()
		return out
	}), 0.99, time.Millisecond},
	"PCMA": {&format.G711{PayloadTyp: 8, SampleRate: 8000, ChannelCount: 1}, pcm(8000, func(b []byte) []byte {
		out, _ := g711.Alaw(b).Marshal()
		return out
	}), 0.99, time.Millisecond},
	"L16":  {&format.LPCM{PayloadTyp: 97, BitDepth: 16, SampleRate: 16000, ChannelCount: 1}, pcm(16000, bytes.Clone), 0.995, time.Millisecond},
	"Opus": {&format.Opus{PayloadTyp: 96, ChannelCount: 1}, opusPackets, 0.99, 10 * time.Millisecond},
}

// opusPackets lets ffmpeg encode and takes the packets out of its Ogg pages (RFC
// 3533 §6; the first two packets are headers, RFC 7845).
func opusPackets(t *testing.T, samples []float32) (packets [][]byte) {
	t.Helper()
	var in bytes.Buffer
	if err := binary.Write(&in, binary.LittleEndian, samples); err != nil {
		t.Fatal(err)
	}
	command := exec.Command("ffmpeg", "-v", "error", "-f", "f32le", "-ar", "16000", "-ac", "1", "-i", "-", "-c:a", "libopus", "-b:a", "64k", "-frame_duration", "20", "-f", "ogg", "-")
	command.Stdin = &in
	page, err := command.Output()
	if err != nil {
		t.Skipf("ffmpeg: %v", err)
	}
	var packet []byte
	for len(page) > 27 {
		sizes := page[27 : 27+int(page[26])]
		page = page[27+len(sizes):]
		for _, n := range sizes {
			packet, page = append(packet, page[:n]...), page[n:]
			if n < 255 {
				packets, packet = append(packets, packet), nil
			}
		}
	}
	return packets[2:]
}

// heard keeps the frames of a microphone.
type heard struct {
	mu      sync.Mutex
	frames  []robot.Clip
	first   chan struct{}
	newest  chan robot.Time
	reports chan Report
}

func (h *heard) frame(c robot.Clip) {
	h.mu.Lock()
	h.frames = append(h.frames, c)
	if len(h.frames) == 1 {
		close(h.first)
	}
	h.mu.Unlock()
	select {
	case <-h.newest:
	default:
	}
	h.newest <- c.At
}

// await waits for the frame that was captured at at.
func (h *heard) await(ctx context.Context, t *testing.T, at robot.Time) {
	t.Helper()
	for newest := robot.Time(0); newest < at; {
		select {
		case newest = <-h.newest:
		case <-ctx.Done():
			t.Fatalf("the newest frame is of %v, want %v", newest, at)
		}
	}
}

// from gives what was captured at at and later, by the frames' own stamps.
func (h *heard) from(at robot.Time, n int) []float32 {
	h.mu.Lock()
	defer h.mu.Unlock()
	samples := make([]float32, n)
	for _, f := range h.frames {
		start := int(math.Round(f.At.Sub(at).Seconds() * audio.Rate))
		for i, x := range f.Samples {
			if k := start + i; k >= 0 && k < n {
				samples[k] = x
			}
		}
	}
	return samples
}

// sameSound gives the largest correlation of two sounds and how far b lags there.
func sameSound(a, b []float32) (best float64, lag time.Duration) {
	const reach = audio.Rate / 50
	for d := -reach; d <= reach; d++ {
		var ab, aa, bb float64
		for i := reach; i < len(a)-reach; i++ {
			x, y := float64(a[i]), float64(b[i+d])
			ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
		}
		if c := ab / math.Sqrt(aa*bb+1e-12); c > best {
			best, lag = c, time.Duration(d)*time.Second/audio.Rate
		}
	}
	return best, lag
}

// A command that an RTSP server publishes is heard as it was said, with the time of
// its capture by the sender's reports; unplugged in mid-word, the microphone says so.
func TestACommandOverRTSP(t *testing.T) {
	speech, err := loudspeaker.Espeak{Voice: "en-us", Speed: 150}.Speak(t.Context(), "put the red block in the blue bowl")
	if err != nil {
		t.Skip(err)
	}
	for name, c := range codecs {
		t.Run(name, func(t *testing.T) {
			packets := c.packets(t, speech)
			clock := robot.NewManualClock(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), robot.Time(10*time.Second))
			s := newTable(t, c.track, clock)
			h := &heard{first: make(chan struct{}), newest: make(chan robot.Time, 1), reports: make(chan Report, 16)}
			m, err := New(Config{Name: "table", URL: s.url()}, clock, h.frame, func(r Report) { h.reports <- r })
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			ended := make(chan error, 1)
			go func() { ended <- m.Run(ctx) }()
			quiet := c.packets(t, make([]float32, audio.Rate/5))
			for waiting := true; waiting; { // until it listens
				s.send(t, quiet[int(s.sent)%len(quiet)])
				select {
				case <-h.first:
					waiting = false
				case <-ctx.Done():
					t.Fatal("nothing came")
				case <-time.After(time.Millisecond):
				}
			}
			said := clock.Now()
			for i, p := range packets {
				s.send(t, p)
				if i%10 == 9 || i == len(packets)-1 {
					h.await(ctx, t, clock.Now().Add(-60*time.Millisecond))
				}
			}
			n := len(packets)*audio.Frame - 2*audio.Frame
			alike, lag := sameSound(speech[:min(n, len(speech))], append(h.from(said, n), make([]float32, audio.Rate)...))
			t.Logf("correlation %.4f, %v late", alike, lag)
			if alike < c.alike || lag.Abs() > c.late {
				t.Errorf("correlation %.4f at a lag of %v; want %.3f within %v", alike, lag, c.alike, c.late)
			}
			s.send(t, packets[len(packets)/2])
			s.server.Close() // in mid-word
			for {
				select {
				case r := <-h.reports:
					if r.State == Live {
						continue
					}
					if r.State != Lost || r.Err == nil || !strings.Contains(r.Err.Error(), "microphone table: rtsp") {
						t.Errorf("%v, %v", r.State, r.Err)
					}
				case <-ctx.Done():
					t.Error("nobody says that it is gone")
				}
				break
			}
			cancel()
			if err := <-ended; err == nil {
				t.Error("Run ended without its context's error")
			}
		})
	}
}
