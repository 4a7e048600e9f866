package world

import (
	"fmt"
	"math"
	"math/rand/v2"
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
	// Cloth: how often, at a Texture within the ranges, the table has a cloth that
	// only demonstrations have, at most 1.
	Cloth float64 `json:"cloth,omitempty"`
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
	// demonstratedCloth is how often a demonstration has a cloth of its own kind.
	demonstratedCloth = 0.6
)

// Training is the Vary within which policies are trained and, where a suite does
// not say otherwise, measured.
func Training() Vary { return Vary{Light: 1, Colour: 1, Texture: 1, Camera: 1, Clutter: 1, Table: 1} }

// Demonstrations is the Vary of demonstrations: Training, with more kinds of cloth,
// so that no pattern of the table is one to rely on.
func Demonstrations() Vary {
	v := Training()
	v.Cloth = demonstratedCloth
	return v
}

func (v *Vary) fields() []float64 {
	return []float64{v.Light, v.Colour, v.Texture, v.Camera, v.Clutter, v.Table}
}

func (v *Vary) validate() error {
	for _, x := range v.fields() {
		if !(x >= 0 && x <= maxVary) {
			return fmt.Errorf("vary: %g is not a share of 0 to %d", x, maxVary)
		}
	}
	if !(v.Cloth >= 0 && v.Cloth <= 1) {
		return fmt.Errorf("vary: cloth: %g is not a share of 0 to 1", v.Cloth)
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
// ranges, two outside, and those that only demonstrations have.
func (v *Vary) cloth(random *rand.Rand) int {
	pick := random.Float64()
	switch {
	case v.Texture == 0:
		return 0
	case v.Texture <= 1 && pick < v.Cloth:
		return usualCloths + min(int(float64(ownCloths)*pick/v.Cloth), ownCloths-1)
	case v.Texture <= 1:
		return min(int(3*(pick-v.Cloth)/(1-v.Cloth)), 2)
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
