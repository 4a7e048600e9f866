package kitchen

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/mujoco"
	"github.com/kuai-robot/kuai/sim/world"
)

// Cameras names the cameras that Render knows: at the head of the mast, beside
// the rod, and in a corner of the room.
func Cameras() []string { return []string{"front", "wrist", "room"} }

// Cameras names the cameras that this world has.
func (w *World) Cameras() []string { return Cameras() }

// pictures draws from a copy of the world's positions. It starts with the first
// picture, and anew after a Reset, whose model is another.
type pictures struct {
	mu       sync.Mutex
	closed   bool
	renderer *mujoco.Renderer
	view     *mujoco.Data
	cameras  map[string]int
}

// Render draws what the camera sees now into rgb: 3·width·height bytes, RGB, top
// row first.
func (w *World) Render(camera string, width, height int, rgb []byte) error {
	_, err := w.Capture(camera, width, height, rgb)
	return err
}

// Capture is Render, and gives the instant that the picture shows.
func (w *World) Capture(camera string, width, height int, rgb []byte) (robot.Time, error) {
	if !slices.Contains(Cameras(), camera) {
		return 0, fmt.Errorf("kitchen: render: there is no camera %q (did you mean %q?)", camera, robot.Nearest(camera, Cameras()))
	}
	if width > MaxWidth || height > MaxHeight {
		return 0, fmt.Errorf("kitchen: render: %d×%d pixels, at most %d×%d", width, height, MaxWidth, MaxHeight)
	}
	p := &w.pictures
	p.mu.Lock()
	defer p.mu.Unlock()
	at, err := w.watch()
	if err != nil {
		return 0, err
	}
	return at, p.renderer.Render(p.view, p.cameras[camera], width, height, rgb)
}

// Renderer gives the name of what draws; it starts it when needed.
func (w *World) Renderer() (string, error) {
	w.pictures.mu.Lock()
	defer w.pictures.mu.Unlock()
	if _, err := w.watch(); err != nil {
		return "", err
	}
	return w.pictures.renderer.Name(), nil
}

// watch copies the positions of the live simulation into the view. The caller
// holds pictures.mu.
func (w *World) watch() (robot.Time, error) {
	p := &w.pictures
	if p.closed {
		return 0, mujoco.ErrClosed
	}
	if err := w.startPictures(); err != nil {
		return 0, err
	}
	w.machine.Lock()
	if w.machine.Closed() {
		w.machine.Unlock()
		return 0, mujoco.ErrClosed
	}
	copy(p.view.QPos(), w.live.data.QPos())
	now := w.machine.At()
	w.machine.Unlock()
	return now, p.view.Kinematics()
}

// startPictures makes the renderer. Physics goes on meanwhile: the episode, and
// so its model, is not changed without pictures.mu, which the caller holds.
func (w *World) startPictures() error {
	p := &w.pictures
	if p.renderer != nil {
		return nil
	}
	view, err := w.live.model.NewData()
	if err != nil {
		return err
	}
	p.renderer, err = mujoco.NewRenderer(w.live.model, mujoco.RenderOptions{Shadows: w.options.Shadows, Backend: w.options.Renderer})
	if err != nil {
		return errors.Join(fmt.Errorf("kitchen: %w", err), view.Close())
	}
	p.view, p.cameras = view, w.live.parts.cameras
	return nil
}

// close ends the renderer; for good when the world is closed. The caller holds mu.
func (p *pictures) close(forGood bool) {
	p.closed = p.closed || forGood
	if p.renderer != nil {
		p.renderer.Close()
		p.view.Close()
		p.renderer, p.view = nil, nil
	}
}

// Project gives where a point of the floor's frame shows in the picture that the
// camera takes now, as world.World.Project does.
func (w *World) Project(camera string, aspect float64, point robot.Vec3) (s world.Spot, ok bool) {
	w.machine.Lock()
	defer w.machine.Unlock()
	if w.machine.Usable() != nil || !(aspect > 0) {
		return world.Spot{}, false
	}
	id, known := w.live.parts.cameras[camera]
	if !known {
		return world.Spot{}, false
	}
	eye, fovy := w.live.data.CameraView(id)
	return world.Show(eye, fovy, aspect, point)
}
