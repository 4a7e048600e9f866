package world

import (
	"errors"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/mujoco"
)

// looks is how the model looks by itself, so that every episode begins there,
// and where in the model what varies is.
type looks struct {
	key, fill                   int
	keyColour, fillColour       [3]float32
	keyWay                      robot.Vec3
	ambient, diffuse            [3]float32
	front                       int
	position                    [3]float64
	orientation                 [4]float64
	fovy                        float64
	table                       int
	materials                   []int // of the table
	tints                       [][4]float32
	coloured                    []int // geoms of things, and of which
	of                          []int
	colour                      [][4]float32
	clutterGeoms, clutterMocaps []int
	printed                     int
	print                       [4]float32
}

func newLooks(m *mujoco.Model) (*looks, error) {
	var errs []error
	id := func(kind mujoco.Kind, name string) int {
		i, err := m.ID(kind, name)
		errs = append(errs, err)
		return i
	}
	l := &looks{
		key: id(mujoco.Light, "key"), fill: id(mujoco.Light, "fill"), front: id(mujoco.Camera, "front"),
		table: id(mujoco.Geom, Table), printed: id(mujoco.Material, "printed"),
	}
	for _, name := range append([]string{"table"}, cloths...) {
		l.materials = append(l.materials, id(mujoco.Material, name))
	}
	for _, name := range clutter {
		l.clutterGeoms = append(l.clutterGeoms, id(mujoco.Geom, name))
		l.clutterMocaps = append(l.clutterMocaps, m.Mocap(id(mujoco.Body, name)))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	l.remember(m)
	return l, nil
}

func (l *looks) remember(m *mujoco.Model) {
	copy(l.keyColour[:], m.LightColour(l.key))
	copy(l.fillColour[:], m.LightColour(l.fill))
	copy(l.keyWay[:], m.LightDirection(l.key))
	ambient, diffuse := m.Headlight()
	copy(l.ambient[:], ambient)
	copy(l.diffuse[:], diffuse)
	position, orientation := m.CameraFrame(l.front)
	copy(l.position[:], position)
	copy(l.orientation[:], orientation)
	l.fovy = m.CameraAngle(l.front)[0]
	copy(l.print[:], m.MaterialColour(l.printed))
	for _, material := range l.materials {
		l.tints = append(l.tints, [4]float32(m.MaterialColour(material)))
	}
	bodies := map[int]int{}
	for i := range things {
		for _, name := range []string{things[i].Name, things[i].Name + " part"} {
			if body, err := m.ID(mujoco.Body, name); err == nil {
				bodies[body] = i
			}
		}
	}
	for g := range m.Count(mujoco.Geom) {
		if i, ok := bodies[m.GeomBody(g)]; ok {
			l.coloured, l.of = append(l.coloured, g), append(l.of, i)
			l.colour = append(l.colour, [4]float32(m.GeomColour(g)))
		}
	}
}

// dress gives the model the look.
func (l *looks) dress(m *mujoco.Model, to *look) {
	scale(m.LightColour(l.key), l.keyColour, to.key)
	scale(m.LightColour(l.fill), l.fillColour, to.fill)
	ambient, diffuse := m.Headlight()
	scale(ambient, l.ambient, to.head)
	scale(diffuse, l.diffuse, to.head)
	way := robot.AxisAngle(robot.Vec3{1, 0, 0}, to.turn[0]).Mul(robot.AxisAngle(robot.Vec3{0, 1, 0}, to.turn[1])).Rotate(l.keyWay)
	copy(m.LightDirection(l.key), way[:])

	position, orientation := m.CameraFrame(l.front)
	turned := robot.Quat(l.orientation)
	for k, axis := range []robot.Vec3{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}} {
		position[k] = l.position[k] + to.camera[k]
		turned = turned.Mul(robot.AxisAngle(axis, to.camera[3+k]))
	}
	copy(orientation, turned[:])
	m.CameraAngle(l.front)[0] = l.fovy + to.camera[6]

	m.SetGeomMaterial(l.table, l.materials[to.cloth])
	for i, material := range l.materials {
		c := m.MaterialColour(material)
		for k := range 3 {
			c[k] = clip(l.tints[i][k] * to.table[k])
		}
	}
	for i, g := range l.coloured {
		c := m.GeomColour(g)
		for k := range 3 {
			c[k] = clip(l.colour[i][k] + to.colours[l.of[i]][k])
		}
	}
	c := m.MaterialColour(l.printed)
	for k := range 3 {
		c[k] = clip(l.print[k] + to.colours[0][k])
	}
	for i, g := range l.clutterGeoms {
		if i < len(to.clutter) {
			copy(m.GeomSize(g), to.clutter[i].size[:])
			copy(m.GeomColour(g), to.clutter[i].colour[:])
		}
	}
}

// arrange puts the table and what stands about where the look has them.
func (l *looks) arrange(d *mujoco.Data, tableTop int, to *look) {
	position, _ := d.MocapPose(tableTop)
	position[2] = to.tableM
	for i, mocap := range l.clutterMocaps {
		position, orientation := d.MocapPose(mocap)
		pose := robot.Pose{Position: robot.Vec3{0, 0, parkedZ}, Orientation: robot.IdentityQuat}
		if i < len(to.clutter) {
			p := &to.clutter[i]
			pose = robot.Pose{Position: robot.Vec3{p.at[0], p.at[1], to.tableM + p.size[2]}, Orientation: robot.AxisAngle(robot.Vec3{0, 0, 1}, p.turn)}
		}
		copy(position, pose.Position[:])
		copy(orientation, pose.Orientation[:])
	}
}

// litColour is what a button shows once it was pressed.
var litColour = [3]float32{0.2, 0.95, 0.3}

// light shows which buttons were pressed.
func (l *looks) light(m *mujoco.Model, pressed []bool, button int, to *look) {
	for i, g := range l.coloured {
		if l.of[i] != button || m.Name(mujoco.Geom, g) != "button cap" {
			continue
		}
		c := m.GeomColour(g)
		for k := range 3 {
			c[k] = clip(l.colour[i][k] + to.colours[button][k])
			if pressed[button] {
				c[k] = litColour[k]
			}
		}
	}
}

func scale(out []float32, usual [3]float32, by float32) {
	for k := range usual {
		out[k] = clip(usual[k] * by)
	}
}

func clip(v float32) float32 { return min(max(v, 0), 1) }
