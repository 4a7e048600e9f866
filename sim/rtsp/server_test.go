package rtsp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/rtsp"
)

// noon is far from zero in every part of a time stamp.
var noon = time.Date(2026, 3, 4, 12, 5, 6, 789_012_345, time.UTC)

func clockAt(d time.Duration) *robot.ManualClock { return robot.NewManualClock(noon, robot.Time(d)) }

// quarters is red, green, blue and grey.
var quarters = [4][3]byte{{200, 30, 30}, {30, 180, 40}, {40, 60, 210}, {128, 128, 128}}

func paint(width, height int) []byte {
	rgb := make([]byte, 0, 3*width*height)
	for y := range height {
		for x := range width {
			q := quarters[2*(2*y/height)+2*x/width]
			rgb = append(rgb, q[:]...)
		}
	}
	return rgb
}

func frame(camera string, at time.Duration) *robot.Frame {
	return &robot.Frame{Camera: camera, At: robot.Time(at), Width: 320, Height: 240, Pixels: paint(320, 240)}
}

// checkPicture looks at the middle of each quarter.
func checkPicture(t *testing.T, file []byte, width, height int) {
	t.Helper()
	m, err := jpeg.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if m.Bounds() != image.Rect(0, 0, width, height) {
		t.Fatalf("the picture is %v", m.Bounds())
	}
	for i, want := range quarters {
		c := color.RGBAModel.Convert(m.At(width/4+i%2*width/2, height/4+i/2*height/2)).(color.RGBA)
		for k, got := range [3]byte{c.R, c.G, c.B} {
			if math.Abs(float64(got)-float64(want[k])) > 4 {
				t.Errorf("quarter %d is %v, want %v", i, c, want)
				break
			}
		}
	}
}

func TestPicturesComeWithTheirTimeOfCapture(t *testing.T) {
	clock := clockAt(time.Hour)
	s := serve(t, rtsp.Options{Clock: clock, Cameras: []string{"front", "wrist"}, UDP: freePair(t)})
	for name, udp := range map[string]bool{"tcp": false, "udp": true} {
		t.Run(name, func(t *testing.T) {
			r := watch(t, s.URL("front"), udp)
			var p picture
			at := time.Hour
			// Over UDP the report has a port of its own and may come second.
			for n := 0; p.report == nil && (n == 0 || udp); n++ {
				at += 123_456_789
				if err := s.Publish(frame("front", at)); err != nil {
					t.Fatal(err)
				}
				p = next(t, "picture", r.pictures)
				checkPicture(t, p.file, 320, 240)
			}
			if p.report == nil {
				t.Fatal("no sender report came before the picture")
			}
			got := fromNTP(p.report.NTPTime).Add(time.Duration(int32(p.rtpTime-p.report.RTPTime)) * time.Second / 90_000)
			if d := got.Sub(noon.Add(at)); d.Abs() > 12*time.Microsecond {
				t.Errorf("captured %v after %v, want %v after", got.Sub(noon), noon, at)
			}
		})
	}
}

func fromNTP(ntp uint64) time.Time {
	return time.Unix(int64(ntp>>32)-2_208_988_800, int64(float64(uint32(ntp))/(1<<32)*1e9))
}

func TestEachReaderGetsItsCamera(t *testing.T) {
	s := serve(t, rtsp.Options{Clock: clockAt(1), Cameras: []string{"front", "wrist"}})
	front, wrist, other := watch(t, s.URL("front"), false), watch(t, s.URL("wrist"), false), watch(t, s.URL("wrist"), false)
	small := frame("wrist", 1)
	small.Width, small.Height, small.Pixels = 64, 48, paint(64, 48)
	for _, f := range []*robot.Frame{frame("front", 1), small} {
		if err := s.Publish(f); err != nil {
			t.Fatal(err)
		}
	}
	checkPicture(t, next(t, "front", front.pictures).file, 320, 240)
	checkPicture(t, next(t, "wrist", wrist.pictures).file, 64, 48)
	checkPicture(t, next(t, "other wrist", other.pictures).file, 64, 48)
	if _, err := tryWatch(s.URL("back"), false); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("a camera that is not there: %v", err)
	}
}

func TestNothingIsEncodedForNobody(t *testing.T) {
	s := serve(t, rtsp.Options{Clock: clockAt(1), Cameras: []string{"front", "wrist"}})
	broken := &robot.Frame{Camera: "front", At: 1}
	if err := s.Publish(broken); err != nil || s.Watched("front") {
		t.Errorf("nobody watches; Publish looked at the frame: %v", err)
	}
	r := watch(t, s.URL("front"), false)
	if !s.Watched("front") || s.Watched("wrist") || s.Watched("back") {
		t.Error("front is watched, the others are not; Watched says otherwise")
	}
	if err := s.Publish(broken); err == nil {
		t.Error("somebody watches; a frame without pixels was taken")
	}
	r.client.Close()
	until(t, "front is not watched any more", func() bool { return !s.Watched("front") })
}

func TestJPEGGoesOutAsItIs(t *testing.T) {
	s := serve(t, rtsp.Options{Clock: clockAt(1), Cameras: []string{"front"}})
	r := watch(t, s.URL("front"), false)
	ready, scan := goJPEG(t, 64, 48)
	f := &robot.Frame{Camera: "front", At: 1, Width: 64, Height: 48, JPEG: ready}
	if err := s.Publish(f); err != nil {
		t.Fatal(err)
	}
	if got := next(t, "picture", r.pictures).file; !bytes.Contains(got, scan) {
		t.Error("the scan is not the one that was given")
	}

	grey := new(bytes.Buffer)
	if err := jpeg.Encode(grey, image.NewGray(image.Rect(0, 0, 64, 48)), nil); err != nil {
		t.Fatal(err)
	}
	f.JPEG = grey.Bytes()
	if err := s.Publish(f); err == nil || !strings.Contains(err.Error(), "three components") {
		t.Errorf("a grey picture without pixels: %v", err)
	}
	f.Pixels = paint(64, 48)
	if err := s.Publish(f); err != nil {
		t.Fatal(err)
	}
	checkPicture(t, next(t, "picture made from the pixels", r.pictures).file, 64, 48)
}

// goJPEG gives a picture of Go's own encoder, and its scan.
func goJPEG(t *testing.T, width, height int) (file, scan []byte) {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for i, v := range paint(width, height) {
		m.Pix[i/3*4+i%3] = v
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(b.Bytes(), []byte{0xFF, 0xDA})
	return b.Bytes(), b.Bytes()[at+14:]
}

func TestPublishRefuses(t *testing.T) {
	s := serve(t, rtsp.Options{Clock: clockAt(1), Cameras: []string{"front"}})
	watch(t, s.URL("front"), false)
	for name, c := range map[string]struct {
		frame robot.Frame
		want  string
	}{
		"another camera": {robot.Frame{Camera: "back"}, `"back"`},
		"odd width":      {robot.Frame{Camera: "front", Width: 100, Height: 96, Pixels: make([]byte, 28800)}, "multiples of 8"},
		"too large":      {robot.Frame{Camera: "front", Width: 2048, Height: 8, Pixels: make([]byte, 3*2048*8)}, "2040"},
		"pixels missing": {robot.Frame{Camera: "front", Width: 96, Height: 96, Pixels: make([]byte, 5)}, "5 bytes"},
		"not a JPEG":     {robot.Frame{Camera: "front", JPEG: []byte("GIF89a")}, "not a JPEG"},
	} {
		if err := s.Publish(&c.frame); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	good := rtsp.Options{Listen: "127.0.0.1:0", Clock: clockAt(1), Cameras: []string{"front"}}
	for name, c := range map[string]struct {
		spoil func(*rtsp.Options)
		want  string
	}{
		"open to the network": {func(o *rtsp.Options) { o.Listen = "0.0.0.0:0" }, "127.0.0.1"},
		"no port":             {func(o *rtsp.Options) { o.Listen = "localhost" }, "host:port"},
		"taken":               {func(o *rtsp.Options) { o.Listen = taken.Addr().String() }, "in use"},
		"no clock":            {func(o *rtsp.Options) { o.Clock = nil }, "clock"},
		"quality":             {func(o *rtsp.Options) { o.Quality = 101 }, "101"},
		"name":                {func(o *rtsp.Options) { o.Cameras = []string{"a/b"} }, "a/b"},
		"twice":               {func(o *rtsp.Options) { o.Cameras = []string{"a", "a"} }, "once"},
		"odd port":            {func(o *rtsp.Options) { o.UDP = 5001 }, "even"},
	} {
		o := good
		c.spoil(&o)
		if s, err := rtsp.New(o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
			if err == nil {
				s.Close()
			}
		}
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	s := serve(t, rtsp.Options{Clock: clockAt(1), Cameras: []string{"front"}})
	r := watch(t, s.URL("front"), false)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	cancel()
	if err := next(t, "end", ended); !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
	if err := r.client.Wait(); err == nil {
		t.Error("the reader is still connected")
	}
	if err := s.Publish(frame("front", 2)); err != nil {
		t.Errorf("Publish after the end: %v", err)
	}
	if _, err := tryWatch(s.URL("front"), false); err == nil {
		t.Error("it still listens")
	}
}

func TestFFmpegReadsIt(t *testing.T) {
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("ffmpeg is not installed (make test-deps)")
	}
	s := serve(t, rtsp.Options{Clock: clockAt(1), Cameras: []string{"front"}})
	out := filepath.Join(t.TempDir(), "front.rgb")
	cmd := exec.CommandContext(t.Context(), path, "-loglevel", "error", "-rtsp_transport", "tcp", "-i", s.URL("front"), "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", out)
	var said bytes.Buffer
	cmd.Stderr = &said
	ended := make(chan error, 1)
	go func() { ended <- cmd.Run() }()
	at := time.Duration(0)
	for {
		select {
		case err := <-ended:
			if err != nil {
				t.Fatalf("%v: %s", err, &said)
			}
			checkRaw(t, out)
			return
		default:
		}
		if s.Watched("front") {
			at += 33 * time.Millisecond
			if err := s.Publish(frame("front", at)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// checkRaw compares a file of bare RGB pixels with what was painted.
func checkRaw(t *testing.T, file string) {
	t.Helper()
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := paint(320, 240)
	if len(got) != len(want) {
		t.Fatalf("%d bytes of pixels, want %d", len(got), len(want))
	}
	worst, sum := 0.0, 0.0
	for i := range want {
		d := math.Abs(float64(got[i]) - float64(want[i]))
		worst, sum = max(worst, d), sum+d
	}
	if mean := sum / float64(len(want)); mean > 3 {
		t.Errorf("ffmpeg sees other colours: mean difference %.1f, worst %.0f", mean, worst)
	}
}

// freePair gives an even port that is free for UDP together with the next.
func freePair(t *testing.T) int {
	t.Helper()
	for range 100 {
		a, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := a.LocalAddr().(*net.UDPAddr).Port
		b, err := net.ListenPacket("udp", fmt.Sprint("127.0.0.1:", port+1))
		a.Close()
		if err != nil {
			continue
		}
		b.Close()
		if port%2 == 0 {
			return port
		}
	}
	t.Fatal("no free pair of ports")
	return 0
}

func BenchmarkEncode(b *testing.B) {
	for _, size := range [][2]int{{320, 240}, {640, 480}} {
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) {
			s, err := rtsp.New(rtsp.Options{Listen: "127.0.0.1:0", Clock: clockAt(1), Cameras: []string{"front"}})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			r, err := tryWatch(s.URL("front"), false)
			if err != nil {
				b.Fatal(err)
			}
			defer r.client.Close()
			f := &robot.Frame{Camera: "front", Width: size[0], Height: size[1], Pixels: noisy(size[0], size[1])}
			for b.Loop() {
				f.At = f.At.Add(time.Millisecond)
				if err := s.Publish(f); err != nil {
					b.Fatal(err)
				}
				<-r.pictures
			}
		})
	}
}

// noisy is a picture that costs as much as a photograph to encode.
func noisy(width, height int) []byte {
	rgb := paint(width, height)
	seed := uint32(1)
	for i := range rgb {
		seed = seed*1664525 + 1013904223
		rgb[i] += byte(seed >> 29)
	}
	return rgb
}
