package mujoco

import (
	"errors"
	"math"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/robot"
)

// pendulum is a ball on a stick that a motor turns, above a floor with a box.
const pendulum = `<mujoco>
  <visual><global offwidth="64" offheight="48"/></visual>
  <worldbody>
    <light pos="0 0 3"/>
    <camera name="eye" pos="0 -2 0.5" xyaxes="1 0 0 0 0 1"/>
    <geom name="floor" type="plane" size="2 2 0.1" rgba="0 0 1 1"/>
    <body name="stick" pos="0 0 1">
      <joint name="hinge" axis="0 1 0" damping="0.1"/>
      <geom name="ball" type="sphere" pos="0.3 0 0" size="0.05" rgba="1 0 0 1"/>
      <site name="tip" pos="0.4 0 0"/>
    </body>
    <body name="box" pos="1 0 0.0999"><freejoint/><geom name="cube" type="box" size="0.1 0.1 0.1" mass="2"/></body>
  </worldbody>
  <actuator><motor name="motor" joint="hinge"/></actuator>
  <sensor><jointpos name="angle" joint="hinge"/></sensor>
</mujoco>`

func load(t testing.TB, xml string) (*Model, *Data) {
	t.Helper()
	m, err := Load([]byte(xml))
	if err != nil {
		t.Fatal(err)
	}
	d, err := m.NewData()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close(); m.Close() })
	return m, d
}

func TestLoadRefusesBadModels(t *testing.T) {
	for _, c := range []struct{ name, xml, want string }{
		{"empty", "", "XML"},
		{"not XML", "hello", "XML"},
		{"cut off", pendulum[:400], "XML"},
		{"unknown element", "<mujoco><wurst/></mujoco>", "wurst"},
		{"unknown joint", `<mujoco><actuator><motor joint="knee"/></actuator></mujoco>`, "knee"},
		{"no mass", `<mujoco><worldbody><body><freejoint/></body></worldbody></mujoco>`, "mass"},
		{"zero byte", "<mujoco>\x00</mujoco>", "zero byte"},
		{"too long", strings.Repeat(" ", maxModelBytes+1), "at most"},
	} {
		m, err := Load([]byte(c.xml))
		if err == nil {
			m.Close()
			t.Errorf("%s: loaded", c.name)
		} else if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want something about %q", c.name, err, c.want)
		}
	}
}

func TestNamesAndPoses(t *testing.T) {
	m, d := load(t, pendulum)
	for kind, name := range map[Kind]string{Body: "stick", Joint: "hinge", Geom: "ball", Site: "tip", Camera: "eye", Actuator: "motor", Sensor: "angle"} {
		id, err := m.ID(kind, name)
		if err != nil || m.Name(kind, id) != name || m.Count(kind) <= id {
			t.Errorf("%s %s: id %d of %d, back %q, %v", kind, name, id, m.Count(kind), m.Name(kind, id), err)
		}
	}
	if _, err := m.ID(Joint, "knee"); err == nil || !strings.Contains(err.Error(), `joint called "knee"`) {
		t.Errorf("unknown joint: %v", err)
	}
	if m.Name(Body, 99) != "" || m.Name(Body, -1) != "" || m.GeomBody(99) != -1 {
		t.Error("indices out of range are not refused")
	}
	ball, _ := m.ID(Geom, "ball")
	stick, _ := m.ID(Body, "stick")
	if m.GeomBody(ball) != stick {
		t.Error("the ball is not part of the stick")
	}
	d.QPos()[0] = math.Pi / 2
	if err := d.Forward(); err != nil {
		t.Fatal(err)
	}
	tip, _ := m.ID(Site, "tip")
	if got := d.SitePose(tip).Position.Sub(robot.Vec3{0, 0, 0.6}).Norm(); got > 1e-12 {
		t.Errorf("tip at %v", d.SitePose(tip).Position)
	}
	if got := d.BodyPose(stick).Orientation.Rotate(robot.Vec3{1, 0, 0}).Sub(robot.Vec3{0, 0, -1}).Norm(); got > 1e-12 {
		t.Errorf("stick turned by %v", d.BodyPose(stick).Orientation)
	}
	if got := d.SensorData(); len(got) != 1 || got[0] != math.Pi/2 {
		t.Errorf("sensor reads %v", got)
	}
	if d.BodyPose(-1) != robot.IdentityPose || d.SitePose(99) != robot.IdentityPose {
		t.Error("poses of what is not there")
	}
}

func TestStepFollowsPhysics(t *testing.T) {
	m, d := load(t, pendulum)
	if err := d.Step(1000); err != nil {
		t.Fatal(err)
	}
	if got, want := d.Time(), 1000*m.Timestep(); math.Abs(got-want) > 1e-9 {
		t.Errorf("time %g, want %g", got, want)
	}
	contacts, err := d.Contacts(nil)
	if err != nil {
		t.Fatal(err)
	}
	cube, _ := m.ID(Geom, "cube")
	up := 0.0
	for _, c := range contacts {
		if c.Geom[1] == cube {
			up += c.Force[2]
		}
	}
	if math.Abs(up-2*9.81) > 0.05 {
		t.Errorf("the floor carries the box with %.3f N, want %.3f (contacts %+v)", up, 2*9.81, contacts)
	}
	// A torque holds the stick out against gravity; without actuation it falls.
	d.Reset()
	mass := 4.0 / 3 * math.Pi * 0.05 * 0.05 * 0.05 * 1000
	d.Ctrl()[0] = -mass * 9.81 * 0.3
	if err := d.Step(100); err != nil {
		t.Fatal(err)
	}
	if got := d.QPos()[0]; math.Abs(got) > 1e-6 {
		t.Errorf("held at %g", got)
	}
	if got := d.ActuatorForce()[0]; got != d.Ctrl()[0] {
		t.Errorf("force %g", got)
	}
	m.SetActuation(false)
	if err := d.Step(100); err != nil {
		t.Fatal(err)
	}
	if got := d.QPos()[0]; got < 0.05 {
		t.Errorf("limp, it fell by %g only", got)
	}
}

func TestSameStateSameFuture(t *testing.T) {
	m, d := load(t, pendulum)
	if err := d.Step(50); err != nil {
		t.Fatal(err)
	}
	state := make([]float64, d.StateSize())
	if err := d.State(state); err != nil {
		t.Fatal(err)
	}
	copied, err := m.Copy()
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	other, err := copied.NewData()
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := other.CopyFrom(d); err != nil {
		t.Fatal(err)
	}
	run := func(d *Data) []float64 {
		if err := d.Step(500); err != nil {
			t.Fatal(err)
		}
		return append([]float64(nil), d.QPos()...)
	}
	first, second := run(d), run(other)
	if err := d.SetState(state); err != nil {
		t.Fatal(err)
	}
	third := run(d)
	for i := range first {
		if first[i] != second[i] || first[i] != third[i] {
			t.Errorf("qpos[%d]: %v, copied %v, restored %v", i, first[i], second[i], third[i])
		}
	}
	if d.State(state[1:]) == nil || d.SetState(nil) == nil {
		t.Error("a state of the wrong length is taken")
	}
	_, stranger := load(t, `<mujoco><worldbody><geom size="1"/></worldbody></mujoco>`)
	if err := stranger.CopyFrom(d); err == nil {
		t.Error("copied between two models")
	}
}

// Both would end the process, or reset the state in silence, by default.
func TestErrorsComeBack(t *testing.T) {
	_, d := load(t, pendulum)
	d.QPos()[0] = math.NaN()
	if err := d.Step(1); err == nil || !strings.Contains(err.Error(), "qpos") && !strings.Contains(err.Error(), "QPOS") {
		t.Errorf("NaN position: %v", err)
	}
	d.Reset()
	if err := d.Step(1); err != nil {
		t.Errorf("after a reset: %v", err)
	}

	_, tiny := load(t, strings.Replace(pendulum, "<mujoco>", `<mujoco><size memory="1000"/>`, 1))
	err := tiny.Step(10)
	if err == nil {
		t.Fatal("stepped without memory")
	}
	t.Log(err)
}

func TestUseAfterClose(t *testing.T) {
	m, d := load(t, pendulum)
	var closeErrs []error
	// The model first: its data keep it.
	closeErrs = append(closeErrs, m.Close(), m.Close())
	if err := d.Step(1); err != nil {
		t.Errorf("data of a closed model: %v", err)
	}
	closeErrs = append(closeErrs, d.Close(), d.Close())
	if err := errors.Join(closeErrs...); err != nil {
		t.Error(err)
	}
	_, loadErr := m.ID(Body, "box")
	_, dataErr := m.NewData()
	_, copyErr := m.Copy()
	_, renderErr := NewRenderer(m, RenderOptions{})
	_, contactsErr := d.Contacts(nil)
	for what, err := range map[string]error{
		"ID": loadErr, "NewData": dataErr, "Copy": copyErr, "NewRenderer": renderErr, "Contacts": contactsErr,
		"Step": d.Step(1), "Forward": d.Forward(), "Kinematics": d.Kinematics(), "CopyFrom": d.CopyFrom(d),
		"State": d.State(nil), "SetState": d.SetState(nil),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s after Close: %v", what, err)
		}
	}
	d.Reset()
	if d.QPos() != nil || d.QVel() != nil || d.Ctrl() != nil || d.Time() != 0 || d.StateSize() != 0 {
		t.Error("a closed Data has values")
	}
}

func renderer(t testing.TB, m *Model) *Renderer {
	t.Helper()
	r, err := NewRenderer(m, RenderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func TestRenderTopRowFirst(t *testing.T) {
	m, d := load(t, pendulum)
	r := renderer(t, m)
	if err := d.Forward(); err != nil {
		t.Fatal(err)
	}
	const width, height = 60, 40 // not a multiple of four pixels a row
	rgb := make([]byte, 3*width*height)
	if err := r.Render(d, 0, width, height, rgb); err != nil {
		t.Fatal(err)
	}
	pixel := func(x, y int) [3]byte { return [3]byte(rgb[3*(y*width+x):]) }
	if p := pixel(width/2, height-1); p[2] < 50 || p[0] > p[2]/2 {
		t.Errorf("bottom row is %v, want the blue floor (drawn by %s)", p, r.Name())
	}
	if p := pixel(width/2, 0); p != [3]byte{} {
		t.Errorf("top row is %v, want the black sky", p)
	}
	if p := ball(rgb, width); p[0] < width/2 || p[1] > height/2 {
		t.Errorf("the red ball is at %v of %d×%d, want the upper right", p, width, height)
	}
}

// ball gives the middle of what is red.
func ball(rgb []byte, width int) [2]int {
	var x, y, n int
	for i := 0; i < len(rgb); i += 3 {
		if rgb[i] > 50 && rgb[i+2] < 50 {
			x, y, n = x+i/3%width, y+i/3/width, n+1
		}
	}
	if n == 0 {
		return [2]int{-1, -1}
	}
	return [2]int{x / n, y / n}
}

func TestRenderRefusesBadRequests(t *testing.T) {
	m, d := load(t, pendulum)
	r := renderer(t, m)
	rgb := make([]byte, 3*8*8)
	for what, err := range map[string]error{
		"camera":      r.Render(d, 1, 8, 8, rgb),
		"no camera":   r.Render(d, -1, 8, 8, rgb),
		"size":        r.Render(d, 0, 0, 8, nil),
		"large":       r.Render(d, 0, maxSide+1, 1, make([]byte, 3*(maxSide+1))),
		"buffer":      r.Render(d, 0, 8, 9, rgb),
		"no data":     r.Render(nil, 0, 8, 8, rgb),
		"closed data": func() error { e, _ := m.NewData(); e.Close(); return r.Render(e, 0, 8, 8, rgb) }(),
	} {
		if err == nil {
			t.Errorf("%s: drawn", what)
		}
	}
	if _, err := NewRenderer(m, RenderOptions{Backend: "crayon"}); err == nil {
		t.Error("drawn with a crayon")
	}
}

func TestRendererEnds(t *testing.T) {
	m, d := load(t, pendulum)
	r := renderer(t, m)
	for range 2 {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := r.Render(d, 0, 8, 8, make([]byte, 3*8*8)); !errors.Is(err, ErrClosed) {
		t.Errorf("render after close: %v", err)
	}
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	if strings.Contains(string(stacks), "(*Renderer).run") {
		t.Errorf("the renderer's goroutine is still there:\n%s", stacks)
	}
}

func TestMain(m *testing.M) {
	code := m.Run()
	// MuJoCo writes this file by default; its messages are ours to report.
	if _, err := os.Stat("MUJOCO_LOG.TXT"); err == nil && code == 0 {
		println("MuJoCo wrote MUJOCO_LOG.TXT instead of calling the handler")
		code = 1
	}
	os.Exit(code)
}

func BenchmarkRender(b *testing.B) {
	m, d := load(b, pendulum)
	r := renderer(b, m)
	if err := d.Forward(); err != nil {
		b.Fatal(err)
	}
	rgb := make([]byte, 3*320*240)
	for b.Loop() {
		if err := r.Render(d, 0, 320, 240, rgb); err != nil {
			b.Fatal(err)
		}
	}
}
