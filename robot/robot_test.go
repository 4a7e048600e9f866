package robot_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

func TestManualClockReleasesWaiters(t *testing.T) {
	c := robot.NewManualClock(time.Unix(0, 0), 1)
	done := make(chan error, 1)
	go func() { done <- c.Wait(context.Background(), robot.Time(time.Second)) }()
	for c.Waiting() == 0 {
		select {
		case err := <-done:
			t.Fatalf("Wait returned early: %v", err)
		default:
		}
	}
	c.Advance(time.Second)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := c.Wait(ctx, robot.Time(time.Hour)); err == nil {
		t.Fatal("Wait with an ended context gave nil")
	}
	if c.Waiting() != 0 {
		t.Fatal("an ended Wait is still registered")
	}
}

func TestMailboxKeepsNewest(t *testing.T) {
	m := robot.NewMailbox[int]()
	if _, ok := m.Take(); ok {
		t.Fatal("an empty mailbox gave a value")
	}
	m.Put(1)
	m.Put(2)
	<-m.Ready()
	if v, ok := m.Take(); !ok || v != 2 {
		t.Fatalf("Take = %d, %v; want 2, true", v, ok)
	}
	if m.Dropped() != 1 {
		t.Fatalf("Dropped = %d, want 1", m.Dropped())
	}
}

func planar() *robot.Description {
	limits := robot.Limits{MinPosition: -3, MaxPosition: 3, MaxVelocity: 1, MaxAcceleration: 1, MaxEffort: 1, MaxTemperature: 60}
	joint := func(name, parent string, x float64) robot.Joint {
		return robot.Joint{
			Name: name, Kind: robot.Revolute, Limits: limits, Parent: parent, Axis: robot.Vec3{0, 0, 1},
			Origin: robot.Pose{Position: robot.Vec3{x, 0, 0}, Orientation: robot.IdentityQuat},
		}
	}
	return &robot.Description{
		Name: "planar", Joints: []robot.Joint{joint("a", "", 0), joint("b", "a", 1)},
		ToolLink: "b", Tool: robot.Pose{Position: robot.Vec3{1, 0, 0}, Orientation: robot.IdentityQuat},
	}
}

func TestToolPoseOfPlanarArm(t *testing.T) {
	d := planar()
	if err := d.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ a, b, x, y float64 }{
		{0, 0, 2, 0},
		{math.Pi / 2, 0, 0, 2},
		{math.Pi / 2, -math.Pi / 2, 1, 1},
		{0.3, 0.4, math.Cos(0.3) + math.Cos(0.7), math.Sin(0.3) + math.Sin(0.7)},
	} {
		p := d.ToolPose(&robot.Joints{c.a, c.b}).Position
		if math.Hypot(p[0]-c.x, p[1]-c.y) > 1e-12 {
			t.Errorf("tool at (%g, %g) = %v, want (%g, %g)", c.a, c.b, p, c.x, c.y)
		}
	}
}

func TestValidateRefuses(t *testing.T) {
	for name, breakIt := range map[string]func(*robot.Description){
		"no name":               func(d *robot.Description) { d.Name = "" },
		"no joints":             func(d *robot.Description) { d.Joints = nil },
		"too many joints":       func(d *robot.Description) { d.Joints = make([]robot.Joint, robot.MaxJoints+1) },
		"name used twice":       func(d *robot.Description) { d.Joints[1].Name = "a" },
		"parent after child":    func(d *robot.Description) { d.Joints[0].Parent = "b" },
		"kind":                  func(d *robot.Description) { d.Joints[0].Kind = "ball" },
		"limits contradict":     func(d *robot.Description) { d.Joints[0].Limits.MinPosition = 4 },
		"limit NaN":             func(d *robot.Description) { d.Joints[0].Limits.MaxVelocity = math.NaN() },
		"no velocity limit":     func(d *robot.Description) { d.Joints[0].Limits.MaxVelocity = 0 },
		"home outside":          func(d *robot.Description) { d.Joints[0].Home = 9 },
		"axis":                  func(d *robot.Description) { d.Joints[0].Axis = robot.Vec3{1, 1, 0} },
		"orientation":           func(d *robot.Description) { d.Joints[0].Origin.Orientation = robot.Quat{} },
		"gripper":               func(d *robot.Description) { d.Gripper = "hand" },
		"capsule link":          func(d *robot.Description) { d.Capsules = []robot.Capsule{{Link: "hand", Radius: 1}} },
		"capsule without width": func(d *robot.Description) { d.Capsules = []robot.Capsule{{}} },
	} {
		d := planar()
		breakIt(d)
		if d.Validate() == nil {
			t.Errorf("%s: Validate gave nil", name)
		}
	}
}

func TestObservationAgeIsThatOfTheOldestSample(t *testing.T) {
	o := robot.Observation{At: 100, State: robot.State{At: 90}, Frames: []robot.Frame{{Camera: "front", At: 70}}}
	if o.Age() != 30 {
		t.Errorf("Age = %d, want 30", o.Age())
	}
	o.Scene = &robot.Scene{At: 60}
	if o.Oldest() != 60 {
		t.Errorf("Oldest = %d, want 60", o.Oldest())
	}
}
