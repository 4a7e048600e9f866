package kitchen

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/world/kitchen/layout"
	"github.com/kuai-robot/kuai/sim/world/machine"
)

// PhysicsStep is the length of one step of the simulation.
const PhysicsStep = 5 * time.Millisecond

// Pictures are at most this large.
const (
	MaxWidth  = 1280
	MaxHeight = 960
)

// slabM is how thick the boards of the furniture are.
const slabM = 0.03

// head is what every scene shares. Geoms of group 3 collide and are not drawn;
// those of group 2 are drawn and do not collide; those of group 1 do both.
// contype and conaffinity: furniture 1, things 2, the robot 4.
const head = `<mujoco model="kitchen">
  <compiler angle="radian" autolimits="true"/>
  <option timestep="%s" integrator="implicitfast" cone="pyramidal" solver="Newton" iterations="30" ls_iterations="20" sleep_tolerance="0.002">
    <flag autoreset="disable" sleep="enable"/>
  </option>
  <statistic center="0 0 0.6" extent="2.5"/>
  <visual>
    <global offwidth="%d" offheight="%d" fovy="50"/>
    <headlight ambient="0.42 0.42 0.44" diffuse="0.25 0.25 0.25" specular="0.05 0.05 0.05"/>
    <map znear="0.01" zfar="6" shadowclip="0.9"/>
    <quality shadowsize="1024" offsamples="0" numslices="20" numstacks="10" numquads="2"/>
  </visual>
  <asset>
    <texture name="sky" type="skybox" builtin="gradient" rgb1="0.90 0.92 0.94" rgb2="0.74 0.78 0.82" width="64" height="64"/>
    <texture name="floor" type="2d" builtin="checker" rgb1="0.72 0.66 0.58" rgb2="0.68 0.62 0.54" width="128" height="128"/>
    <material name="floor" texture="floor" texrepeat="9 9"/>
    <material name="wood" rgba="0.70 0.55 0.38 1" specular="0.2" shininess="0.2"/>
    <material name="stone" rgba="0.78 0.77 0.74 1" specular="0.3" shininess="0.4"/>
    <material name="cabinet" rgba="0.86 0.87 0.85 1"/>
    <material name="drawer" rgba="0.62 0.70 0.72 1"/>
    <material name="bin" rgba="0.35 0.38 0.42 1"/>
    <material name="basket" rgba="0.76 0.60 0.36 1"/>
    <material name="metal" rgba="0.72 0.74 0.77 1" specular="0.8" shininess="0.7"/>
    <material name="printed" rgba="0.92 0.92 0.90 1" specular="0.3" shininess="0.4"/>
    <material name="servo" rgba="0.13 0.14 0.16 1" specular="0.5" shininess="0.6"/>
    <material name="rubber" rgba="0.15 0.25 0.55 1"/>
    <material name="person" rgba="0.80 0.62 0.50 1"/>
    <material name="shirt" rgba="0.30 0.42 0.60 1"/>
  </asset>
  <default>
    <default class="seen"><geom group="2" contype="0" conaffinity="0" mass="0"/></default>
    <default class="fixed"><geom type="box" group="1" contype="1" conaffinity="6" friction="0.7 0.005 0.0001"/></default>
    <default class="thing"><geom type="box" group="3" contype="2" conaffinity="7" condim="4" friction="0.8 0.01 0.0001"/></default>
    <default class="sliding"><geom type="box" group="1" contype="1" conaffinity="6" friction="0.8 0.01 0.0001" material="drawer"/></default>
    <default class="link"><geom group="1" contype="4" conaffinity="3" friction="0.4"/></default>
  </default>
  <worldbody>
    <light name="key" pos="0.8 -0.6 3" dir="-0.25 0.25 -0.93" directional="true" diffuse="0.5 0.48 0.45" specular="0.2 0.2 0.2" castshadow="true"/>
    <camera name="room" pos="-2.6 -2.9 3.1" xyaxes="0.72 -0.69 0 0.42 0.44 0.79" fovy="50"/>
    <geom name="floor" type="plane" size="2.4 2.4 0.1" material="floor" contype="1" conaffinity="6"/>
    <geom class="seen" type="box" pos="2.05 0 0.6" size="0.02 2.05 0.6" rgba="0.88 0.90 0.88 1"/>
    <geom class="seen" type="box" pos="0 2.05 0.6" size="2.05 0.02 0.6" rgba="0.90 0.89 0.86 1"/>
`

// modelText writes the model of a scene with these things, and with the drawers.
func modelText(things []*layout.Thing) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, head, numbers(PhysicsStep.Seconds()), MaxWidth, MaxHeight)
	places := layout.Places()
	for i := range places {
		writePlace(&b, &places[i])
	}
	writeRobot(&b)
	for i, t := range things {
		writeThing(&b, t, i)
	}
	b.WriteString("  </worldbody>\n  <equality>\n")
	for i := range places {
		if places[i].Kind == layout.Drawer {
			writeWeld(&b, places[i].Name)
		}
	}
	for _, t := range things {
		writeWeld(&b, t.Name)
	}
	b.WriteString("  </equality>\n")
	writeActuators(&b)
	b.WriteString("</mujoco>\n")
	return []byte(b.String())
}

// The bellows: what is held swings and is back within two steps or so.
func writeWeld(b *strings.Builder, name string) {
	fmt.Fprintf(b, "    <weld name=%q body1=\"wrist\" body2=%q active=\"false\" solref=\"0.012 1\" solimp=\"0.9 0.98 0.002\"/>\n", name, name)
}

func writeActuators(b *strings.Builder) {
	d, servos := layout.Description(), layout.Servos()
	b.WriteString("  <actuator>\n")
	for i := range d.Joints {
		s := &servos[i]
		fmt.Fprintf(b, "    <position name=%q joint=%q kp=\"%s\" kv=\"%s\" forcerange=\"%s\" inheritrange=\"1\"/>\n",
			d.Joints[i].Name, d.Joints[i].Name, numbers(s.Stiffness), numbers(s.Damping), numbers(-s.Force, s.Force))
	}
	b.WriteString("  </actuator>\n")
}

// writePlace writes what does not move of a place, and a drawer.
func writePlace(b *strings.Builder, p *layout.Place) {
	pose := p.Frame(0)
	pose.Position[2] = 0
	fmt.Fprintf(b, "    <body name=%q %s>\n", p.Name+" frame", frame(pose))
	switch p.Kind {
	case layout.Surface:
		writeSurface(b, p)
	case layout.Person:
		writePerson(b, p)
	case layout.Drawer:
		writeChest(b, p)
		b.WriteString("    </body>\n")
		writeDrawer(b, p)
		return
	default:
		writeVessel(b, p)
	}
	b.WriteString("    </body>\n")
}

func writeSurface(b *strings.Builder, p *layout.Place) {
	material := "stone"
	if p.Name == "table" || p.Name == "shelf" {
		material = "wood"
	}
	box(b, "fixed", material, robot.Vec3{0, 0, p.Floor - slabM/2}, robot.Vec3{p.Depth, p.Width, slabM})
	if p.Name == "table" {
		for _, x := range []float64{-1, 1} {
			for _, y := range []float64{-1, 1} {
				at := robot.Vec3{x * (p.Depth/2 - 0.03), y * (p.Width/2 - 0.03), (p.Floor - slabM) / 2}
				box(b, "seen", material, at, robot.Vec3{0.04, 0.04, p.Floor - slabM})
			}
		}
	} else {
		box(b, "seen", "cabinet", robot.Vec3{0.02, 0, (p.Floor - slabM) / 2}, robot.Vec3{p.Depth - 0.04, p.Width - 0.02, p.Floor - slabM})
	}
	for i := range dirtCells {
		at := cellAt(p, i)
		fmt.Fprintf(b, "      <geom name=%q class=\"seen\" type=\"box\" pos=\"%s\" size=\"%s\" rgba=\"%s\"/>\n",
			dirtName(p, i), numbers(at[0], at[1], p.Floor+0.0005), numbers(0.03, layout.StripWidth/dirtCells/2, 0.0008), dirtColour)
	}
}

// A person: a tray that two hands hold, and who stands behind it.
func writePerson(b *strings.Builder, p *layout.Place) {
	box(b, "fixed", "wood", robot.Vec3{0, 0, p.Floor - 0.01}, robot.Vec3{p.Depth, p.Width, 0.02})
	behind := p.Depth/2 + 0.1
	for _, y := range []float64{-1, 1} {
		fmt.Fprintf(b, "      <geom class=\"seen\" type=\"capsule\" fromto=\"%s\" size=\"0.04\" material=\"person\"/>\n",
			numbers(p.Depth/2-0.02, y*p.Width/2, p.Floor-0.02, behind, y*p.Width/2, p.Floor+0.3))
		fmt.Fprintf(b, "      <geom class=\"seen\" type=\"capsule\" fromto=\"%s\" size=\"0.07\" material=\"servo\"/>\n",
			numbers(behind, y*0.1, 0.07, behind, y*0.1, 0.75))
	}
	fmt.Fprintf(b, "      <geom class=\"seen\" type=\"capsule\" fromto=\"%s\" size=\"0.15\" material=\"shirt\"/>\n", numbers(behind, 0, 0.85, behind, 0, 1.2))
	fmt.Fprintf(b, "      <geom class=\"seen\" type=\"sphere\" pos=\"%s\" size=\"0.11\" material=\"person\"/>\n", numbers(behind, 0, 1.5))
}

// writeVessel writes a bin, basket or sink: a floor and four walls.
func writeVessel(b *strings.Builder, p *layout.Place) {
	material := map[string]string{layout.Bin: "bin", layout.Basket: "basket", layout.Sink: "metal"}[p.Kind]
	tray(b, "fixed", material, p, 0, p.Floor, p.Rim)
	switch p.Kind {
	case layout.Basket:
		box(b, "seen", "wood", robot.Vec3{0, 0, (p.Floor - slabM) / 2}, robot.Vec3{p.Depth, p.Width - 0.1, p.Floor - slabM})
	case layout.Sink:
		box(b, "seen", "cabinet", robot.Vec3{0, 0, (p.Floor - slabM) / 2}, robot.Vec3{p.Depth + 0.02, p.Width + 0.04, p.Floor - slabM})
		fmt.Fprintf(b, "      <geom class=\"seen\" type=\"capsule\" fromto=\"%s\" size=\"0.014\" material=\"metal\"/>\n",
			numbers(p.Depth/2+0.04, 0, p.Rim, p.Depth/2+0.04, 0, p.Rim+0.22))
	}
}

// tray writes a floor, whose top is at height floor less base, and walls up to
// rim less base.
func tray(b *strings.Builder, class, material string, p *layout.Place, base, floor, rim float64) {
	const w = layout.WallM
	tall := rim - floor
	box(b, class, material, robot.Vec3{0, 0, floor - base - w/2}, robot.Vec3{p.Depth + 2*w, p.Width + 2*w, w})
	for _, s := range []float64{-1, 1} {
		box(b, class, material, robot.Vec3{s * (p.Depth + w) / 2, 0, floor - base + tall/2}, robot.Vec3{w, p.Width + 2*w, tall})
		box(b, class, material, robot.Vec3{0, s * (p.Width + w) / 2, floor - base + tall/2}, robot.Vec3{p.Depth, w, tall})
	}
}

// The chest around a drawer: boards above, below and to the sides, so that what
// lies in the closed drawer is out of reach.
func writeChest(b *strings.Builder, p *layout.Place) {
	const w = layout.WallM
	const gap = 0.004
	front := -p.Depth/2 - w // of the closed drawer
	deep := p.Depth + 4*w
	middle := front + deep/2 + 0.006
	lid := p.Rim + 0.012
	box(b, "fixed", "cabinet", robot.Vec3{middle, 0, lid + slabM/2}, robot.Vec3{deep, p.Width + 6*w, slabM})
	for _, s := range []float64{-1, 1} {
		box(b, "fixed", "cabinet", robot.Vec3{middle, s * (p.Width/2 + 2*w + gap), lid / 2}, robot.Vec3{deep, w, lid})
	}
	bottom := p.Floor - w - gap
	box(b, "seen", "cabinet", robot.Vec3{middle, 0, bottom / 2}, robot.Vec3{deep, p.Width + 2*w, bottom})
	if top := 0.88; lid+slabM < top {
		box(b, "fixed", "cabinet", robot.Vec3{middle, 0, (lid + slabM + top) / 2}, robot.Vec3{deep, p.Width + 6*w, top - lid - slabM})
	}
}

func writeDrawer(b *strings.Builder, p *layout.Place) {
	const w = layout.WallM
	fmt.Fprintf(b, "    <body name=%q %s>\n", p.Name, frame(p.Frame(0)))
	fmt.Fprintf(b, "      <joint name=%q type=\"slide\" axis=\"-1 0 0\" range=\"0 %s\" damping=\"6\" frictionloss=\"4\" armature=\"0.3\"/>\n", p.Name, numbers(layout.DrawerStroke))
	fmt.Fprintf(b, "      <inertial pos=\"0 0 0.05\" mass=\"1.5\" diaginertia=\"0.03 0.03 0.05\"/>\n")
	tray(b, "sliding", "drawer", p, p.Floor, p.Floor, p.Rim)
	front := -p.Depth/2 - w
	box(b, "sliding", "metal", robot.Vec3{front - 0.033, 0, layout.HandleUp - 0.006}, robot.Vec3{0.066, 0.10, 0.012})
	b.WriteString("    </body>\n")
}

func writeThing(b *strings.Builder, t *layout.Thing, i int) {
	rgba := numbers(t.Colour[:]...) + " 1"
	half := t.Size.Scale(0.5)
	fmt.Fprintf(b, "    <body name=%q pos=\"%s\">\n      <freejoint name=%q/>\n", t.Name, numbers(0.3*float64(i), 0, 8), t.Name)
	fmt.Fprintf(b, "      <geom class=\"thing\" size=\"%s\" mass=\"%s\"/>\n", numbers(half[:]...), numbers(t.MassKg))
	switch t.Look {
	case "cylinder":
		fmt.Fprintf(b, "      <geom class=\"seen\" type=\"cylinder\" size=\"%s\" rgba=\"%s\"/>\n", numbers(half[0], half[2]), rgba)
	case "ball":
		fmt.Fprintf(b, "      <geom class=\"seen\" type=\"ellipsoid\" size=\"%s\" rgba=\"%s\"/>\n", numbers(half[:]...), rgba)
	case "bowl":
		fmt.Fprintf(b, "      <geom class=\"seen\" type=\"cylinder\" pos=\"0 0 %s\" size=\"%s\" rgba=\"%s\"/>\n", numbers(half[2]/2), numbers(half[0], half[2]/2), rgba)
		fmt.Fprintf(b, "      <geom class=\"seen\" type=\"cylinder\" pos=\"0 0 %s\" size=\"%s\" rgba=\"%s\"/>\n", numbers(-half[2]/2), numbers(0.6*half[0], half[2]/2), rgba)
	default:
		fmt.Fprintf(b, "      <geom class=\"seen\" type=\"box\" size=\"%s\" rgba=\"%s\"/>\n", numbers(half[:]...), rgba)
	}
	b.WriteString("    </body>\n")
}

func box(b *strings.Builder, class, material string, at, size robot.Vec3) {
	half := size.Scale(0.5)
	fmt.Fprintf(b, "      <geom class=%q type=\"box\" material=%q pos=\"%s\" size=\"%s\"/>\n", class, material, numbers(at[:]...), numbers(half[:]...))
}

// frame writes a pose as MJCF attributes, to the last bit.
func frame(p robot.Pose) string {
	return fmt.Sprintf(`pos="%s" quat="%s"`, numbers(p.Position[:]...), numbers(p.Orientation[:]...))
}

// numbers writes each v so that it reads back as the same number.
func numbers(vs ...float64) string {
	words := make([]string, len(vs))
	for i, v := range vs {
		words[i] = strconv.FormatFloat(v, 'g', -1, 64)
	}
	return strings.Join(words, " ")
}

// answers are the servos as the machine takes them.
func answers() []machine.Servo {
	var a []machine.Servo
	for _, s := range layout.Servos() {
		a = append(a, machine.Servo{Stiffness: s.Stiffness, Damping: s.Damping})
	}
	return a
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
