package so101

import (
	"math"
	"testing"

	"github.com/kuai-robot/kuai/robot"
)

func TestDescriptionIsValid(t *testing.T) {
	d := Description()
	if err := d.Validate(); err != nil {
		t.Fatal(err)
	}
	if len(d.Joints) != 6 || d.Gripper != "gripper" || d.Index("gripper") != 5 {
		t.Errorf("%d joints, gripper %q", len(d.Joints), d.Gripper)
	}
	d.Joints[0].Home = 1
	if Description().Joints[0].Home == 1 {
		t.Error("two descriptions share memory")
	}
}

// The proportions that the SO-101 has.
func TestProportions(t *testing.T) {
	d := Description()
	var zero robot.Joints
	poses := make([]robot.Pose, len(d.Joints))
	d.LinkPoses(&zero, poses)
	gap := func(a, b int) float64 { return poses[a].Position.Sub(poses[b].Position).Norm() }
	for _, c := range []struct {
		what      string
		got, want float64
	}{
		{"shoulder height", poses[1].Position[2], 0.117},
		{"upper arm", gap(1, 2), 0.116},
		{"forearm", gap(2, 3), 0.135},
		{"wrist to fingertip", d.ToolPose(&zero).Position.Sub(poses[3].Position).Norm(), 0.14},
	} {
		if math.Abs(c.got-c.want) > 0.002 {
			t.Errorf("%s: %.4f m, want %.3f", c.what, c.got, c.want)
		}
	}
	approach := d.ToolPose(&zero).Orientation.Rotate(robot.Vec3{0, 0, 1})
	if approach.Sub(robot.Vec3{1, 0, 0}).Norm() > 1e-12 {
		t.Errorf("at zero the hand approaches along %v, want x", approach)
	}
}

func TestHomeIsInsideTheWorkspace(t *testing.T) {
	d := Description()
	home := d.Home()
	poses := make([]robot.Pose, len(d.Joints))
	d.LinkPoses(&home, poses)
	for i, c := range d.Capsules {
		link := robot.IdentityPose
		if k := d.Index(c.Link); k >= 0 {
			link = poses[k]
		}
		for _, end := range []robot.Vec3{c.A, c.B} {
			p := link.Transform(end)
			for k := range 3 {
				if p[k]-c.Radius < d.WorkspaceMin[k] || p[k]+c.Radius > d.WorkspaceMax[k] {
					t.Errorf("capsule %d (%s) at %v leaves the workspace", i, c.Link, p)
				}
			}
		}
	}
	if z := d.ToolPose(&home).Position[2]; z < 0.1 {
		t.Errorf("at home the tool is %.3f m above the table: too low to clear a stack", z)
	}
}
