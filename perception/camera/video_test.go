package camera

import (
	"errors"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/perception/rtsp"
	"github.com/kuai-robot/kuai/robot"
)

// TestCodecsOfAnotherMake reads what ffmpeg sends: its codecs, packets and
// reports.
func TestCodecsOfAnotherMake(t *testing.T) {
	h264 := []string{"-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "15", "-pix_fmt", "yuv420p"}
	for name, codec := range map[string][]string{
		"H.264":         h264,
		"H.264, BT.709": append(h264, "-vf", "scale=out_color_matrix=bt709:out_range=tv", "-colorspace", "bt709", "-color_range", "tv"),
		"H.264, full":   append(h264, "-vf", "scale=out_range=pc", "-color_range", "pc"),
		"H.265": {"-c:v", "libx265", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "15", "-pix_fmt", "yuv420p",
			"-x265-params", "log-level=error"},
		"M-JPEG": {"-c:v", "mjpeg", "-huffman", "default", "-q:v", "3", "-pix_fmt", "yuvj420p", "-force_duplicated_matrix", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRelay(t)
			r.ffmpeg(t, codec...)
			clock := robot.NewSystemClock()
			frames := make(chan robot.Frame, 1000)
			reports := make(chan Report, 100)
			c, err := New(Config{Name: "front", URL: r.url}, clock, func(f robot.Frame) { frames <- f }, func(r Report) { reports <- r })
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- c.Run(t.Context()) }()
			t.Cleanup(func() {
				<-ended
				for t.Failed() && len(reports) > 0 {
					t.Logf("report: %+v", <-reports)
				}
				if t.Failed() {
					t.Logf("stats: %+v", c.Stats())
				}
			})
			checkStream(t, clock, frames)
			if r := next(t, "report", reports); r.State != Live {
				t.Errorf("report %+v", r)
			}
		})
	}
}

// checkStream looks at the first pictures of a stream.
func checkStream(t *testing.T, clock robot.Clock, frames <-chan robot.Frame) {
	t.Helper()
	var last robot.Frame
	for range 15 {
		f := next(t, "frame", frames)
		if f.Width != 320 || f.Height != 240 {
			t.Fatalf("%d×%d pixels", f.Width, f.Height)
		}
		if age := clock.Now().Sub(f.At); age < 0 || age > 2*time.Second {
			t.Fatalf("frame %d is %v old (estimated: %v)", f.Seq, age, f.Estimated)
		}
		// A sender whose clock turns out to be wrong is not believed any more;
		// within one way of telling the time, it only goes on.
		if f.Estimated == last.Estimated && f.At < last.At {
			t.Fatalf("frame %d was captured at %v, the one before at %v", f.Seq, f.At, last.At)
		}
		last = f
		if checkColours(t, 320, 240, f.Pixels, 8); t.Failed() {
			return
		}
	}
}

// heard is a sink that counts.
type heard struct {
	pictures []picture
	errs     []error
	dropped  int
}

func (h *heard) deliver(p picture) { h.pictures = append(h.pictures, p) }
func (h *heard) corrupt(err error) { h.errs = append(h.errs, err) }
func (h *heard) drop(n int)        { h.dropped += n }

func TestVideoThatIsNone(t *testing.T) {
	for name, codec := range map[string]func() (*videoDecoder, error){
		"H.264": func() (*videoDecoder, error) { return newVideoDecoder(codecH264, nil) },
		"H.265": func() (*videoDecoder, error) { return newVideoDecoder(codecH265, [][]byte{{1, 2, 3}, nil}) },
	} {
		t.Run(name, func(t *testing.T) {
			d, err := codec()
			if err != nil {
				t.Fatal(err)
			}
			defer d.close()
			var out heard
			seed := uint32(1)
			for i := range 200 {
				garbage := []byte{0, 0, 0, 1}
				for range 300 {
					seed = seed*1664525 + 1013904223
					garbage = append(garbage, byte(seed>>24))
				}
				d.decode(unit{stamp: rtsp.Stamp{At: robot.Time(i + 1)}, data: garbage}, true, &out)
			}
			d.decode(unit{}, true, &out)
			if len(out.pictures) > 0 || len(out.errs) == 0 {
				t.Errorf("garbage gave %d pictures and %d complaints", len(out.pictures), len(out.errs))
			}
			if len(d.pending) > maxPending {
				t.Errorf("%d stamps are kept", len(d.pending))
			}
		})
	}
}

func TestExplain(t *testing.T) {
	if err := explain(nil); err == nil {
		t.Error("the end of a stream is no error")
	}
	if base := errors.New("x"); explain(base) != base {
		t.Error("what cannot be explained was changed")
	}
}
