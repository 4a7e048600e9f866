package web_test

import (
	"bytes"
	"image/jpeg"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

func TestCameras(t *testing.T) {
	s := start(t, nil)
	s.Show(fakeFrame("back", 1, 1, 0)) // nobody's camera
	s.Show(robot.Frame{Camera: "front", Width: 10, Height: 10, Pixels: make([]byte, 7)})
	s.Show(fakeFrame("front", robot.Time(2500*time.Millisecond), 1, 0))
	var status int
	var body string
	for ctx := deadline(t); status != 200; {
		status, _, body = request(t, "GET", s.URL()+"/camera/front.jpg", nil, "")
		if ctx.Err() != nil {
			t.Fatal("no picture")
		}
	}
	picture, err := jpeg.Decode(strings.NewReader(body))
	if err != nil || picture.Bounds().Dx() != 320 {
		t.Fatalf("%v, %v", picture, err)
	}
	if r, g, b, _ := picture.At(60, 150).RGBA(); r>>8 < 150 || g>>8 > 90 || b>>8 > 90 {
		t.Errorf("the red block is %d %d %d", r>>8, g>>8, b>>8)
	}
	watcher := s.dial(t, "/ws/camera/front", nil)
	_, data, err := watcher.Read(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	// 1000 s is the clock's epoch, 2.5 s the frame's time.
	if want := []byte{0, 0, 0, 0, 0, 0x54, 0x8f, 0x40}; !bytes.Equal(data[:8], want) {
		t.Errorf("capture time % x, want % x", data[:8], want)
	}
	if _, err := jpeg.Decode(bytes.NewReader(data[8:])); err != nil {
		t.Error(err)
	}
	given := []byte("\xff\xd8 as the camera sent it")
	s.Show(robot.Frame{Camera: "front", At: robot.Time(3 * time.Second), JPEG: given})
	if _, data, err = watcher.Read(deadline(t)); err != nil || !bytes.Equal(data[8:], given) {
		t.Errorf("a JPEG picture was encoded again: %v", err)
	}
}

// Without answers no more than two pictures are under way.
func TestPicturesWaitForTheirAnswers(t *testing.T) {
	s := start(t, nil)
	watcher := s.dial(t, "/ws/camera/front", nil)
	ctx := deadline(t)
	var received atomic.Int64
	go func() {
		for {
			if _, _, err := watcher.Read(ctx); err != nil {
				return
			}
			received.Add(1)
		}
	}()
	showUntil := func(what string, done func() bool) {
		t.Helper()
		for i := 1; !done(); i++ {
			s.Show(robot.Frame{Camera: "front", At: robot.Time(i), JPEG: []byte("picture")})
			runtime.Gosched()
			if ctx.Err() != nil {
				t.Fatalf("%s: %d pictures came", what, received.Load())
			}
		}
	}
	showUntil("two pictures", func() bool { return received.Load() >= 2 })
	enough := s.Stats().DroppedFrames + 1000
	showUntil("dropping", func() bool { return s.Stats().DroppedFrames > enough })
	if n := received.Load(); n != 2 {
		t.Errorf("%d pictures came without an answer, want 2", n)
	}
	watcher.say("drawn")
	showUntil("the third", func() bool { return received.Load() == 3 })
}

func TestMultipart(t *testing.T) {
	s := start(t, nil)
	r, err := http.NewRequestWithContext(deadline(t), "GET", s.URL()+"/camera/front.mjpg", nil)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		for i := 1; ; i++ {
			s.Show(robot.Frame{Camera: "front", At: robot.Time(i), JPEG: []byte("picture")})
			select {
			case <-ended:
				return
			default:
				runtime.Gosched()
			}
		}
	}()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if kind := response.Header.Get("Content-Type"); kind != "multipart/x-mixed-replace; boundary=kuai-picture" {
		t.Errorf("content type %q", kind)
	}
	want := "--kuai-picture\r\nContent-Type: image/jpeg\r\nContent-Length: 7\r\nX-Captured: 1000.000\r\n\r\npicture\r\n--kuai-picture\r\n"
	got := make([]byte, len(want))
	if _, err := io.ReadFull(response.Body, got); err != nil || string(got) != want {
		t.Errorf("%q, %v", got, err)
	}
}
