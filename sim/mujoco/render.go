package mujoco

/*
#include "gl.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
)

// maxSide bounds the width and height of a picture.
const maxSide = 4096

// RenderOptions of a Renderer; the zero value is the usual one.
type RenderOptions struct {
	// Shadows cost several times the rest.
	Shadows bool
	// Backend is "osmesa" (the CPU), "egl" (a GPU) or empty: the GPU when there
	// is one.
	Backend string
}

// Renderer draws pictures of a model's states, from the model's cameras. Its
// OpenGL context lives on an OS thread of its own until Close.
type Renderer struct {
	name     string
	cameras  int
	requests chan request
	quit     chan struct{}
	gone     chan struct{}
	close    sync.Once
}

type request struct {
	data          *Data
	camera        int
	width, height int
	rgb           []byte
	done          chan error
}

// NewRenderer makes a renderer of m. It fails when no OpenGL library can be
// used, and says what each lacked.
func NewRenderer(m *Model, o RenderOptions) (*Renderer, error) {
	if m.closed.Load() {
		return nil, ErrClosed
	}
	kinds := map[string][]C.kuai_gl_kind{
		"": {C.KUAI_GL_EGL, C.KUAI_GL_OSMESA}, "egl": {C.KUAI_GL_EGL}, "osmesa": {C.KUAI_GL_OSMESA},
	}[o.Backend]
	if kinds == nil {
		return nil, fmt.Errorf("mujoco: renderer %q is not osmesa or egl", o.Backend)
	}
	m.h.refs.Add(1)
	r := &Renderer{
		cameras:  m.Count(Camera),
		requests: make(chan request),
		quit:     make(chan struct{}),
		gone:     make(chan struct{}),
	}
	opened := make(chan error)
	go r.run(m.h, kinds, o.Shadows, opened)
	if err := <-opened; err != nil {
		return nil, err
	}
	return r, nil
}

// run owns the OpenGL context.
func (r *Renderer) run(h *handle, kinds []C.kuai_gl_kind, shadows bool, opened chan<- error) {
	// Never unlocked: the thread, which drivers have left their state in, ends
	// with the goroutine.
	runtime.LockOSThread()
	defer close(r.gone)
	defer h.release()
	gl, err := openGL(h, kinds, shadows)
	if err != nil {
		opened <- err
		return
	}
	defer C.kuai_gl_close(gl)
	r.name = C.GoString(C.kuai_gl_renderer(gl))
	opened <- nil
	var why message
	for {
		select {
		case <-r.quit:
			return
		case q := <-r.requests:
			q.done <- q.draw(gl, &why)
		}
	}
}

func openGL(h *handle, kinds []C.kuai_gl_kind, shadows bool) (*C.kuai_gl, error) {
	var whys []string
	var on C.int
	if shadows {
		on = 1
	}
	for _, kind := range kinds {
		var why message
		if gl := C.kuai_gl_open(kind, h.c, on, why.c()); gl != nil {
			return gl, nil
		}
		whys = append(whys, why.String())
	}
	return nil, fmt.Errorf("mujoco: no renderer: %s", strings.Join(whys, "; "))
}

func (q *request) draw(gl *C.kuai_gl, why *message) error {
	if q.data.c == nil {
		return ErrClosed
	}
	pixels := (*C.uchar)(&q.rgb[0])
	if C.kuai_gl_render(gl, q.data.c, C.int(q.camera), C.int(q.width), C.int(q.height), pixels, why.c()) != 0 {
		return fmt.Errorf("mujoco: render: %s", why.String())
	}
	return nil
}

// Name gives what draws, as OpenGL calls it: "llvmpipe (LLVM …)", a GPU's name.
func (r *Renderer) Name() string { return r.name }

// Render draws what the camera with that index sees of d into rgb, 3·width·height
// bytes, RGB, top row first. d must have poses (Forward, Step or Kinematics)
// and must not be used by anyone else until Render returns.
func (r *Renderer) Render(d *Data, camera, width, height int, rgb []byte) error {
	switch {
	case camera < 0 || camera >= r.cameras:
		return fmt.Errorf("mujoco: render: there is no camera %d among %d", camera, r.cameras)
	case width < 1 || height < 1 || width > maxSide || height > maxSide:
		return fmt.Errorf("mujoco: render: %d×%d pixels, want 1 to %d a side", width, height, maxSide)
	case len(rgb) != 3*width*height:
		return fmt.Errorf("mujoco: render: buffer of %d bytes, %d×%d pixels take %d", len(rgb), width, height, 3*width*height)
	case d == nil:
		return errors.New("mujoco: render: no data")
	}
	done := make(chan error, 1)
	select {
	case r.requests <- request{data: d, camera: camera, width: width, height: height, rgb: rgb, done: done}:
		return <-done
	case <-r.gone:
		return ErrClosed
	}
}

// Close ends the renderer's thread. A Render that is under way finishes.
func (r *Renderer) Close() error {
	r.close.Do(func() { close(r.quit) })
	<-r.gone
	return nil
}
