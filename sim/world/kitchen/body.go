package kitchen

import (
	"fmt"
	"math"
	"strings"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/world/kitchen/layout"
)

// writeRobot writes the robot, link in link. Gravity is taken off by the motors
// of the lift, as a counterweight would.
func writeRobot(b *strings.Builder) {
	d := layout.Description()
	for i := range d.Joints {
		j := &d.Joints[i]
		kind := "hinge"
		if j.Kind == robot.Prismatic {
			kind = "slide"
		}
		fmt.Fprintf(b, "    <body name=%q gravcomp=\"1\" %s>\n", j.Name, frame(j.Origin))
		fmt.Fprintf(b, "      <joint name=%q type=%q axis=\"%s\" range=\"%s\"/>\n", j.Name, kind, numbers(j.Axis[:]...),
			numbers(j.Limits.MinPosition, j.Limits.MaxPosition))
		writeLink(b, i)
	}
	for range d.Joints {
		b.WriteString("    </body>\n")
	}
}

// writeLink writes the shapes of the link of joint i.
func writeLink(b *strings.Builder, i int) {
	line := func(format string, args ...any) { fmt.Fprintf(b, "      <geom "+format+"/>\n", args...) }
	inertia := func(kg, i float64) {
		fmt.Fprintf(b, "      <inertial pos=\"0 0 0\" mass=\"%s\" diaginertia=\"%s\"/>\n", numbers(kg), numbers(i, i, i))
	}
	switch i {
	case layout.BaseX:
		inertia(0.5, 0.01)
	case layout.BaseY:
		inertia(0.5, 0.01)
	case layout.BaseYaw:
		inertia(18, 0.5)
		line(`class="link" type="cylinder" pos="0 0 %s" size="%s" material="printed"`,
			numbers(0.03+layout.BaseHeight/2), numbers(layout.BaseRadius, layout.BaseHeight/2))
		line(`class="link" type="cylinder" pos="0 0 %s" size="%s" material="metal"`,
			numbers((layout.BaseHeight+layout.MastHeight)/2), numbers(0.028, (layout.MastHeight-layout.BaseHeight)/2))
		line(`class="seen" type="cylinder" pos="0 0 %s" size="0.205 0.012" material="servo"`, numbers(0.06+layout.BaseHeight))
		line(`class="seen" type="box" pos="0.01 0.09 %s" size="0.03 0.11 0.025" material="servo"`, numbers(layout.MastHeight+0.04))
		fmt.Fprintf(b, "      <camera name=\"front\" pos=\"0.05 0.16 %s\" xyaxes=\"0 -1 0 0.75 0 0.66\" fovy=\"75\"/>\n", numbers(layout.MastHeight+0.08))
		for k := range 3 {
			q := robot.AxisAngle(robot.Vec3{0, 0, 1}, 2.0944*float64(k))
			at := q.Rotate(robot.Vec3{0.17, 0, 0.04})
			wheel := q.Mul(robot.AxisAngle(robot.Vec3{0, 1, 0}, math.Pi/2)) // its axle points outwards
			line(`class="seen" type="cylinder" pos="%s" size="0.04 0.015" quat="%s" material="servo"`, numbers(at[:]...), numbers(wheel[:]...))
		}
	case layout.Lift:
		inertia(1, 0.01)
		line(`class="seen" type="box" size="0.05 0.045 0.045" material="servo"`)
	case layout.Shoulder:
		inertia(0.8, 0.02)
		line(`class="link" type="capsule" fromto="0.05 0 0 %s" size="0.024" material="printed"`, numbers(layout.ArmLength-0.05, 0, 0))
	case layout.Extend:
		inertia(0.7, 0.01)
		line(`class="link" type="capsule" fromto="%s" size="0.018" material="metal"`, numbers(-layout.ArmLength-0.1, 0, 0, 0, 0, 0))
	case layout.Wrist:
		inertia(0.3, 0.003)
		line(`class="seen" type="cylinder" fromto="0 0 0.03 0 0 -0.03" size="0.025" material="servo"`)
		line(`class="link" type="capsule" fromto="%s" size="0.009" material="metal"`, numbers(0, 0, -0.02, 0, 0, -layout.RodLength+0.04))
		line(`name="cup" class="link" type="box" pos="%s" size="%s" material="rubber"`,
			numbers(0, 0, -layout.RodLength+0.008), numbers(layout.CupRadius, layout.CupRadius, 0.008))
		fmt.Fprintf(b, "      <site name=\"tool\" pos=\"%s\" size=\"0.002\" group=\"4\"/>\n", numbers(0, 0, -layout.RodLength))
		fmt.Fprintf(b, "      <camera name=\"wrist\" pos=\"-0.05 0 -0.02\" xyaxes=\"0 -1 0 0.95 0 0.3\" fovy=\"75\"/>\n")
	case layout.Valve:
		inertia(0.05, 0.0005)
		line(`class="seen" type="cylinder" pos="0 0 %s" size="0.013 0.015" material="servo"`, numbers(-0.06))
	}
}
