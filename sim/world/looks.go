package world

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/mujoco"
)

// Vary says how far an episode may differ from how the workbench usually looks.
// Each number is a share of the ranges that policies are trained in: 0 not at
// all, 1 anywhere within them, and v > 1 outside of them, up to v times as far.
type Vary struct {
	// Light: how bright the lights are and from where they shine.
	Light float64 `json:"light,omitempty"`
	// Colour: of the objects, the arm and the table.
	Colour float64 `json:"colour,omitempty"`
	// Texture of the table; above 1 patterns that training never shows.
	Texture float64 `json:"texture,omitempty"`
	// Camera: where the front camera stands, where it looks, how wide.
	Camera float64 `json:"camera,omitempty"`
	// Clutter that stands about; above 1 more of it, in the objects' own colours.
	Clutter float64 `json:"clutter,omitempty"`
	// Table: its height.
	Table float64 `json:"table,omitempty"`
}

// maxVary bounds each number of a Vary.
const maxVary = 3

// The ranges that a Vary's numbers are shares of.
const (
	varyBright    = 0.35  // of a light's brightness
	varyDirection = 0.35  // rad, of the key light
	varyColour    = 0.07  // of each channel
	varyTint      = 0.15  // of each channel of the table
	varyCameraM   = 0.015 // m
	varyCameraRad = 0.035
	varyFovy      = 1.5   // degrees
	varyTableM    = 0.004 // m
	clutterUsual  = 3     // pieces at most, within the ranges
)

// Training is the Vary of demonstrations.
func Training() Vary { return Vary{Light: 1, Colour: 1, Texture: 1, Camera: 1, Clutter: 1, Table: 1} }

func (v *Vary) fields() []float64 {
	return []float64{v.Light, v.Colour, v.Texture, v.Camera, v.Clutter, v.Table}
}

func (v *Vary) validate() error {
	for _, x := range v.fields() {
		if !(x >= 0 && x <= maxVary) {
			return fmt.Errorf("vary: %g is not a share of 0 to %d", x, maxVary)
		}
	}
	return nil
}

// amount draws how far something is from usual, as a share of its range.
func amount(random *rand.Rand, v float64) float64 {
	x := 2*random.Float64() - 1
	if v <= 1 {
		return v * x
	}
	return math.Copysign(1, x) * (1 + (v-1)*math.Abs(x))
}

// look is how one episode looks.
type look struct {
	tableM     float64
	key, fill  float32 // factors
	head       float32
	turn       [2]float64 // of the key light, rad
	camera     [7]float64 // m, rad, degrees
	colours    [][3]float32
	table      [3]float32
	cloth      int // 0 is the usual one
	clutter    []piece
	everything bool // false: exactly the usual
}

// piece is one thing that stands about.
type piece struct {
	at     [2]float64
	size   [3]float64
	turn   float64
	colour [4]float32
}

// draw makes a look; how many numbers it takes from random depends on nothing.
func (v *Vary) draw(random *rand.Rand) look {
	l := look{everything: *v != Vary{}}
	l.tableM = varyTableM * amount(random, v.Table)
	l.key, l.fill = float32(1+varyBright*amount(random, v.Light)), float32(1+varyBright*amount(random, v.Light))
	l.head = float32(1 + varyBright*amount(random, v.Light))
	l.turn = [2]float64{varyDirection * amount(random, v.Light), varyDirection * amount(random, v.Light)}
	for i := range l.camera {
		l.camera[i] = amount(random, v.Camera) * [7]float64{varyCameraM, varyCameraM, varyCameraM, varyCameraRad, varyCameraRad, varyCameraRad, varyFovy}[i]
	}
	for range things {
		var c [3]float32
		for k := range c {
			c[k] = float32(varyColour * amount(random, v.Colour))
		}
		l.colours = append(l.colours, c)
	}
	bright := varyTint * amount(random, v.Texture)
	for k := range l.table {
		l.table[k] = float32(1 + bright + varyTint/2*amount(random, v.Texture))
	}
	l.cloth = v.cloth(random)
	l.drawClutter(random, v.Clutter)
	return l
}

// cloth picks the table's material: the usual one and two more within the
// ranges, the last two outside.
func (v *Vary) cloth(random *rand.Rand) int {
	pick := random.Float64()
	switch {
	case v.Texture == 0:
		return 0
	case v.Texture <= 1:
		return min(int(3*pick), 2)
	}
	return 3 + min(int(2*pick), 1)
}

func (l *look) drawClutter(random *rand.Rand, v float64) {
	n := int(math.Round(min(v, 1) * clutterUsual * random.Float64()))
	if v > 1 {
		n = len(clutter)
	}
	for i := range len(clutter) {
		p := piece{at: besides(random, v), turn: math.Pi * random.Float64()}
		for k := range p.size {
			p.size[k] = 0.008 + 0.017*max(1, v)*random.Float64()
		}
		for k := range 3 {
			p.colour[k] = float32(0.15 + 0.7*random.Float64())
		}
		named := things[random.IntN(tabletopThings)].Colour
		if v > 1 {
			for k := range 3 {
				p.colour[k] = float32(palette[named][k])
			}
		}
		p.colour[3] = 1
		if i < n {
			l.clutter = append(l.clutter, p)
		}
	}
}

// besides draws a point of the table that the hand does not come to: beyond its
// reach, or behind it.
func besides(random *rand.Rand, v float64) [2]float64 {
	angle := (2*random.Float64() - 1) * 1.9
	r := 0.315 + 0.08*random.Float64()
	if v > 1 {
		r = 0.30 + 0.06*random.Float64()
	}
	at := [2]float64{r * math.Cos(angle), r * math.Sin(angle)}
	return [2]float64{min(max(at[0], tableMin[0]+0.03), tableMax[0]-0.03), min(max(at[1], tableMin[1]+0.03), tableMax[1]-0.03)}
}

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
