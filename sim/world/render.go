package world

import (
	"fmt"
	"slices"
	"sync"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/mujoco"
)

// Cameras names the cameras that Render knows.
func Cameras() []string { return []string{"front", "wrist"} }

// Cameras names the cameras that this world has.
func (w *World) Cameras() []string { return Cameras() }

// pictures draws from a copy of the world's positions. It starts with the
// first picture, so that a world that nobody looks at has no OpenGL.
type pictures struct {
	mu       sync.Mutex
	closed   bool
	renderer *mujoco.Renderer
	view     *mujoco.Data
}

// Render draws what the camera sees now into rgb: 3·width·height bytes, RGB, top
// row first. It takes the renderer in turn with other callers, but holds up
// physics only while it copies the positions.
func (w *World) Render(camera string, width, height int, rgb []byte) error {
	_, err := w.Capture(camera, width, height, rgb)
	return err
}

// Capture is Render, and gives the instant that the picture shows.
func (w *World) Capture(camera string, width, height int, rgb []byte) (robot.Time, error) {
	if !slices.Contains(Cameras(), camera) {
		return 0, fmt.Errorf("world: render: there is no camera %q (did you mean %q?)", camera, robot.Nearest(camera, Cameras()))
	}
	if width > MaxWidth || height > MaxHeight {
		return 0, fmt.Errorf("world: render: %d×%d pixels, at most %d×%d", width, height, MaxWidth, MaxHeight)
	}
	p := &w.pictures
	p.mu.Lock()
	defer p.mu.Unlock()
	at, err := w.watch()
	if err != nil {
		return 0, err
	}
	return at, p.renderer.Render(p.view, w.parts.cameras[camera], width, height, rgb)
}

// Renderer gives the name of what draws; it starts it when needed.
func (w *World) Renderer() (string, error) {
	w.pictures.mu.Lock()
	defer w.pictures.mu.Unlock()
	if err := w.startPictures(); err != nil {
		return "", err
	}
	return w.pictures.renderer.Name(), nil
}

// watch copies the positions of the live simulation into the view.
func (w *World) watch() (robot.Time, error) {
	if err := w.startPictures(); err != nil {
		return 0, err
	}
	w.machine.Lock()
	if w.machine.Closed() {
		w.machine.Unlock()
		return 0, mujoco.ErrClosed
	}
	copy(w.pictures.view.QPos(), w.live.data.QPos())
	if w.looks != nil {
		w.copyPlaced()
	}
	at := w.machine.At()
	w.machine.Unlock()
	return at, w.pictures.view.Kinematics()
}

func (w *World) startPictures() error {
	p := &w.pictures
	if p.closed {
		return mujoco.ErrClosed
	}
	if p.renderer != nil {
		return nil
	}
	view, err := w.live.model.NewData()
	if err != nil {
		return err
	}
	renderer, err := mujoco.NewRenderer(w.live.model, mujoco.RenderOptions{Shadows: w.shadows, Backend: w.backend})
	if err != nil {
		return fmt.Errorf("world: %w", closeAfter(err, view))
	}
	p.renderer, p.view = renderer, view
	return nil
}

func (p *pictures) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.renderer != nil {
		p.renderer.Close()
		p.view.Close()
		p.renderer, p.view = nil, nil
	}
}

// closeAfter frees view on the way out with err.
func closeAfter(err error, view *mujoco.Data) error {
	view.Close()
	return err
}

// copyPlaced copies what is placed from outside, and shows which buttons were
// pressed. The caller holds mu.
func (w *World) copyPlaced() {
	for mocap := 0; ; mocap++ {
		from, fromTurn := w.live.data.MocapPose(mocap)
		to, toTurn := w.pictures.view.MocapPose(mocap)
		if from == nil || to == nil {
			break
		}
		copy(to, from)
		copy(toTurn, fromTurn)
	}
	w.looks.light(w.live.model, w.pressed, thingNamed(kindButton), &w.look)
}
