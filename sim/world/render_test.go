package world

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/mujoco"
)

// pixelOf projects a point into a picture of the front camera.
func pixelOf(t *testing.T, w *World, p robot.Vec3, width, height int) (x, y int) {
	t.Helper()
	// As tabletop.xml has it.
	eye, right, up := robot.Vec3{0.58, -0.2, 0.42}, robot.Vec3{0.2, 0.5, 0}, robot.Vec3{-0.185, 0.074, 0.29}
	right = right.Scale(1 / right.Norm())
	up = up.Sub(right.Scale(up.Dot(right)))
	up = up.Scale(1 / up.Norm())
	way := p.Sub(eye)
	depth := way.Dot(up.Cross(right))
	focal := float64(height) / 2 / math.Tan(frontFovDegrees*math.Pi/360)
	return width/2 + int(focal*way.Dot(right)/depth), height/2 - int(focal*way.Dot(up)/depth)
}

const frontFovDegrees = 43

// Where an object is, its colour is in the picture.
func TestFrontCameraSeesTheObjects(t *testing.T) {
	w := newWorld(t)
	if err := w.Reset(1, Spec{Objects: []Placement{
		{Name: "red block", Position: at(0.22, 0.05)}, {Name: "green block", Position: at(0.22, -0.05)},
		{Name: "blue block", Position: at(0.16, 0.16)}, {Name: "yellow block", Position: at(0.16, -0.16)}}}); err != nil {
		t.Fatal(err)
	}
	const width, height = 320, 240
	rgb := make([]byte, 3*width*height)
	if err := w.Render("front", width, height, rgb); err != nil {
		t.Fatal(err)
	}
	for name, is := range map[string]func(r, g, b byte) bool{
		"red block":    func(r, g, b byte) bool { return r > 2*g && r > 2*b },
		"green block":  func(r, g, b byte) bool { return g > r && g > b+20 },
		"blue block":   func(r, g, b byte) bool { return b > 2*r },
		"yellow block": func(r, g, b byte) bool { return r > 2*b && g > 2*b },
	} {
		x, y := pixelOf(t, w, object(t, w, name).Pose.Position, width, height)
		if x < 0 || x >= width || y < 0 || y >= height {
			t.Errorf("the %s is outside of the picture, at %d, %d", name, x, y)
			continue
		}
		if p := rgb[3*(y*width+x):]; !is(p[0], p[1], p[2]) {
			t.Errorf("the %s at pixel %d, %d is %v", name, x, y, p[:3])
		}
	}
}

func TestFrontCameraSeesWhereverObjectsAreDrawn(t *testing.T) {
	w := newWorld(t)
	for angle := -sectorRad; angle <= sectorRad; angle += 0.1 {
		sin, cos := math.Sincos(angle)
		x, y := pixelOf(t, w, robot.Vec3{ringMax * cos, ringMax * sin, 0}, 640, 480)
		if x < 10 || x > 630 || y < 10 || y > 470 {
			t.Errorf("%.1f rad to the side lies at pixel %d, %d of 640×480", angle, x, y)
		}
	}
}

func TestPicturesFollowTheWorld(t *testing.T) {
	w := newWorld(t)
	const width, height = 96, 72
	rgb := [3][]byte{}
	for k := range rgb {
		rgb[k] = make([]byte, 3*width*height)
	}
	at, err := w.Capture("front", width, height, rgb[0])
	if err != nil || at != w.Now() {
		t.Fatalf("captured at %v of %v: %v", at, w.Now(), err)
	}
	if err := w.Render("front", width, height, rgb[1]); err != nil {
		t.Fatal(err)
	}
	q := w.Description().Home()
	q[0] = 1
	h := newHand(t, w)
	h.move(q, time.Second)
	if err := w.Render("front", width, height, rgb[2]); err != nil {
		t.Fatal(err)
	}
	if string(rgb[0]) != string(rgb[1]) {
		t.Error("two pictures of one state differ")
	}
	if string(rgb[0]) == string(rgb[2]) {
		t.Error("the arm moved, the picture did not")
	}
}

func TestRenderRefusals(t *testing.T) {
	w := newWorld(t)
	rgb := make([]byte, 3*8*8)
	for _, c := range []struct {
		camera        string
		width, height int
		want          string
	}{
		{"frnt", 8, 8, `did you mean "front"`},
		{"front", MaxWidth + 1, 8, "at most"},
		{"front", 8, 0, "pixels"},
		{"front", 9, 8, "buffer"},
	} {
		if err := w.Render(c.camera, c.width, c.height, rgb); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %d×%d: %v, want something about %q", c.camera, c.width, c.height, err, c.want)
		}
	}
}

func TestCloseEndsTheRenderer(t *testing.T) {
	w := newWorld(t)
	rgb := make([]byte, 3*8*8)
	if err := w.Render("front", 8, 8, rgb); err != nil {
		t.Fatal(err)
	}
	if name, err := w.Renderer(); err != nil || name == "" {
		t.Errorf("renderer %q: %v", name, err)
	}
	w.Close()
	if err := w.Render("front", 8, 8, rgb); !errors.Is(err, mujoco.ErrClosed) {
		t.Errorf("render after close: %v", err)
	}
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	if strings.Contains(string(stacks), "(*Renderer).run") {
		t.Errorf("the renderer's goroutine is still there:\n%s", stacks)
	}
}

func BenchmarkRender(b *testing.B) {
	for _, shadows := range []bool{false, true} {
		w, err := New(Options{Shadows: shadows})
		if err != nil {
			b.Fatal(err)
		}
		defer w.Close()
		for _, camera := range Cameras() {
			for _, size := range [][2]int{{224, 224}, {320, 240}, {640, 480}} {
				b.Run(fmt.Sprintf("%s-%dx%d-shadows-%v", camera, size[0], size[1], shadows), func(b *testing.B) {
					rgb := make([]byte, 3*size[0]*size[1])
					for b.Loop() {
						if err := w.Render(camera, size[0], size[1], rgb); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}
