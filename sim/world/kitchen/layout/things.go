package layout

import "github.com/kuai-robot/kuai/robot"

// Thing is something that the robot can take. Its shape for contacts is a box;
// Look is what is drawn: box, cylinder, ball, bowl or flat.
type Thing struct {
	Name, Kind, Look string
	Size             robot.Vec3
	MassKg           float64
	Colour           [3]float64
	// Usual is where it is when a scene says nothing.
	Usual string
}

var things = []Thing{
	{"cola can", "drink", "cylinder", robot.Vec3{0.066, 0.066, 0.12}, 0.35, [3]float64{0.75, 0.08, 0.1}, "table"},
	{"soda can", "drink", "cylinder", robot.Vec3{0.066, 0.066, 0.12}, 0.35, [3]float64{0.2, 0.65, 0.35}, "far counter"},
	{"water bottle", "drink", "cylinder", robot.Vec3{0.07, 0.07, 0.19}, 0.5, [3]float64{0.6, 0.8, 0.95}, "near counter"},
	{"juice box", "drink", "box", robot.Vec3{0.06, 0.045, 0.12}, 0.22, [3]float64{0.95, 0.6, 0.15}, "near counter"},
	{"milk carton", "drink", "box", robot.Vec3{0.07, 0.07, 0.19}, 0.6, [3]float64{0.93, 0.95, 0.98}, "far counter"},
	{"red apple", "fruit", "ball", robot.Vec3{0.074, 0.074, 0.07}, 0.18, [3]float64{0.8, 0.12, 0.12}, "table"},
	{"green apple", "fruit", "ball", robot.Vec3{0.074, 0.074, 0.07}, 0.18, [3]float64{0.45, 0.7, 0.2}, "table"},
	{"banana", "fruit", "flat", robot.Vec3{0.17, 0.04, 0.036}, 0.12, [3]float64{0.95, 0.85, 0.2}, "far counter"},
	{"orange", "fruit", "ball", robot.Vec3{0.076, 0.076, 0.072}, 0.2, [3]float64{0.95, 0.5, 0.1}, "far counter"},
	{"lemon", "fruit", "ball", robot.Vec3{0.066, 0.056, 0.056}, 0.1, [3]float64{0.95, 0.9, 0.25}, "near counter"},
	{"chip bag", "snack", "box", robot.Vec3{0.16, 0.12, 0.05}, 0.12, [3]float64{0.85, 0.35, 0.1}, "near counter"},
	{"cookie box", "snack", "box", robot.Vec3{0.15, 0.06, 0.08}, 0.25, [3]float64{0.5, 0.3, 0.6}, "shelf"},
	{"chocolate bar", "snack", "flat", robot.Vec3{0.15, 0.07, 0.014}, 0.1, [3]float64{0.35, 0.2, 0.12}, "bottom drawer"},
	{"rice cracker", "snack", "flat", robot.Vec3{0.09, 0.09, 0.016}, 0.05, [3]float64{0.9, 0.85, 0.7}, "shelf"},
	{"blue mug", "dish", "cylinder", robot.Vec3{0.082, 0.082, 0.095}, 0.3, [3]float64{0.15, 0.35, 0.8}, "table"},
	{"white mug", "dish", "cylinder", robot.Vec3{0.082, 0.082, 0.095}, 0.3, [3]float64{0.93, 0.93, 0.91}, "far counter"},
	{"dinner plate", "dish", "flat", robot.Vec3{0.19, 0.19, 0.02}, 0.4, [3]float64{0.9, 0.9, 0.93}, "table"},
	{"soup bowl", "dish", "bowl", robot.Vec3{0.14, 0.14, 0.06}, 0.35, [3]float64{0.85, 0.88, 0.9}, "shelf"},
	{"spoon", "cutlery", "flat", robot.Vec3{0.17, 0.035, 0.014}, 0.05, [3]float64{0.75, 0.77, 0.8}, "top drawer"},
	{"fork", "cutlery", "flat", robot.Vec3{0.17, 0.03, 0.014}, 0.05, [3]float64{0.7, 0.72, 0.76}, "top drawer"},
	{"knife", "sharp", "flat", robot.Vec3{0.19, 0.03, 0.014}, 0.08, [3]float64{0.6, 0.62, 0.66}, "near counter"},
	{"scissors", "sharp", "flat", robot.Vec3{0.16, 0.07, 0.014}, 0.09, [3]float64{0.4, 0.2, 0.2}, "far counter"},
	{"sponge", "sponge", "box", robot.Vec3{0.11, 0.08, 0.036}, 0.05, [3]float64{0.95, 0.8, 0.25}, "near counter"},
	{"bleach bottle", "chemical", "box", robot.Vec3{0.09, 0.07, 0.19}, 0.7, [3]float64{0.9, 0.92, 0.98}, "shelf"},
	{"kettle", "hot", "cylinder", robot.Vec3{0.15, 0.15, 0.17}, 0.9, [3]float64{0.5, 0.52, 0.55}, "far counter"},
	{"crumpled paper", "waste", "ball", robot.Vec3{0.08, 0.075, 0.06}, 0.02, [3]float64{0.88, 0.88, 0.84}, "table"},
	{"empty can", "waste", "cylinder", robot.Vec3{0.066, 0.066, 0.12}, 0.03, [3]float64{0.6, 0.6, 0.62}, "table"},
	{"pill bottle", "medicine", "cylinder", robot.Vec3{0.045, 0.045, 0.08}, 0.06, [3]float64{0.9, 0.55, 0.2}, "shelf"},
	{"toy car", "toy", "box", robot.Vec3{0.10, 0.05, 0.045}, 0.1, [3]float64{0.1, 0.5, 0.75}, "shelf"},
	// What follows is in a scene that asks for it by name, or for all there is.
	{"iced tea", "drink", "cylinder", robot.Vec3{0.066, 0.066, 0.15}, 0.4, [3]float64{0.6, 0.4, 0.15}, "near counter"},
	{"lemonade bottle", "drink", "cylinder", robot.Vec3{0.07, 0.07, 0.19}, 0.5, [3]float64{0.9, 0.9, 0.4}, "shelf"},
	{"pear", "fruit", "ball", robot.Vec3{0.07, 0.07, 0.08}, 0.17, [3]float64{0.7, 0.75, 0.3}, "table"},
	{"plum", "fruit", "ball", robot.Vec3{0.05, 0.05, 0.048}, 0.06, [3]float64{0.4, 0.15, 0.35}, "near counter"},
	{"peach", "fruit", "ball", robot.Vec3{0.07, 0.07, 0.066}, 0.15, [3]float64{0.95, 0.65, 0.45}, "basket"},
	{"granola bar", "snack", "flat", robot.Vec3{0.12, 0.04, 0.02}, 0.04, [3]float64{0.75, 0.6, 0.3}, "bottom drawer"},
	{"pretzel bag", "snack", "box", robot.Vec3{0.12, 0.09, 0.05}, 0.1, [3]float64{0.6, 0.35, 0.15}, "table"},
	{"popcorn box", "snack", "box", robot.Vec3{0.08, 0.08, 0.12}, 0.08, [3]float64{0.9, 0.3, 0.3}, "shelf"},
	{"green mug", "dish", "cylinder", robot.Vec3{0.082, 0.082, 0.095}, 0.3, [3]float64{0.2, 0.6, 0.3}, "near counter"},
	{"tea cup", "dish", "cylinder", robot.Vec3{0.075, 0.075, 0.07}, 0.2, [3]float64{0.9, 0.85, 0.8}, "sink"},
	{"saucer", "dish", "flat", robot.Vec3{0.12, 0.12, 0.016}, 0.15, [3]float64{0.9, 0.9, 0.88}, "far counter"},
	{"teaspoon", "cutlery", "flat", robot.Vec3{0.12, 0.03, 0.014}, 0.03, [3]float64{0.72, 0.74, 0.78}, "top drawer"},
	{"chopsticks", "cutlery", "flat", robot.Vec3{0.19, 0.03, 0.014}, 0.03, [3]float64{0.5, 0.35, 0.2}, "top drawer"},
	{"can opener", "sharp", "flat", robot.Vec3{0.15, 0.05, 0.03}, 0.15, [3]float64{0.5, 0.5, 0.55}, "bottom drawer"},
	{"soap bottle", "chemical", "cylinder", robot.Vec3{0.06, 0.06, 0.16}, 0.4, [3]float64{0.4, 0.75, 0.8}, "sink"},
	{"napkin", "waste", "flat", robot.Vec3{0.1, 0.1, 0.014}, 0.01, [3]float64{0.95, 0.95, 0.95}, "far counter"},
	{"egg carton", "waste", "box", robot.Vec3{0.15, 0.1, 0.06}, 0.05, [3]float64{0.6, 0.58, 0.52}, "shelf"},
	{"plaster box", "medicine", "box", robot.Vec3{0.09, 0.05, 0.03}, 0.05, [3]float64{0.95, 0.95, 0.9}, "shelf"},
	{"rubber duck", "toy", "ball", robot.Vec3{0.07, 0.06, 0.06}, 0.05, [3]float64{0.98, 0.85, 0.1}, "far counter"},
	{"building brick", "toy", "box", robot.Vec3{0.064, 0.032, 0.03}, 0.02, [3]float64{0.85, 0.15, 0.15}, "table"},
	// What follows is only in a scene that asks for it by name: names that no
	// training and no list of words has, for suites.
	{"kombucha bottle", "drink", "cylinder", robot.Vec3{0.07, 0.07, 0.18}, 0.45, [3]float64{0.7, 0.5, 0.3}, "near counter"},
	{"malt can", "drink", "cylinder", robot.Vec3{0.066, 0.066, 0.12}, 0.35, [3]float64{0.55, 0.4, 0.1}, "far counter"},
	{"clementine", "fruit", "ball", robot.Vec3{0.064, 0.064, 0.058}, 0.09, [3]float64{0.97, 0.55, 0.15}, "table"},
	{"star fruit", "fruit", "flat", robot.Vec3{0.1, 0.06, 0.05}, 0.12, [3]float64{0.85, 0.85, 0.3}, "far counter"},
	{"blood orange", "fruit", "ball", robot.Vec3{0.074, 0.074, 0.07}, 0.18, [3]float64{0.85, 0.3, 0.15}, "near counter"},
	{"passion fruit", "fruit", "ball", robot.Vec3{0.06, 0.06, 0.056}, 0.07, [3]float64{0.4, 0.2, 0.35}, "table"},
	{"flapjack", "snack", "flat", robot.Vec3{0.1, 0.06, 0.03}, 0.06, [3]float64{0.75, 0.55, 0.25}, "table"},
	{"macaroon box", "snack", "box", robot.Vec3{0.13, 0.07, 0.05}, 0.15, [3]float64{0.9, 0.7, 0.8}, "shelf"},
	{"pistachio tub", "snack", "cylinder", robot.Vec3{0.08, 0.08, 0.09}, 0.2, [3]float64{0.55, 0.7, 0.4}, "shelf"},
	{"waffle", "snack", "flat", robot.Vec3{0.11, 0.11, 0.02}, 0.08, [3]float64{0.85, 0.65, 0.3}, "table"},
	{"tumbler", "dish", "cylinder", robot.Vec3{0.078, 0.078, 0.1}, 0.25, [3]float64{0.8, 0.85, 0.9}, "table"},
	{"casserole", "dish", "cylinder", robot.Vec3{0.16, 0.16, 0.09}, 0.8, [3]float64{0.7, 0.25, 0.2}, "far counter"},
	{"yellow mug", "dish", "cylinder", robot.Vec3{0.082, 0.082, 0.095}, 0.3, [3]float64{0.95, 0.8, 0.2}, "table"},
	{"egg cup", "dish", "cylinder", robot.Vec3{0.055, 0.055, 0.065}, 0.1, [3]float64{0.95, 0.93, 0.88}, "table"},
	{"pastry fork", "cutlery", "flat", robot.Vec3{0.15, 0.03, 0.014}, 0.04, [3]float64{0.74, 0.74, 0.78}, "top drawer"},
	{"pastry brush", "cutlery", "flat", robot.Vec3{0.17, 0.04, 0.016}, 0.05, [3]float64{0.7, 0.5, 0.3}, "top drawer"},
	{"pizza wheel", "sharp", "flat", robot.Vec3{0.17, 0.07, 0.02}, 0.12, [3]float64{0.6, 0.6, 0.64}, "far counter"},
	{"corkscrew", "sharp", "flat", robot.Vec3{0.13, 0.06, 0.02}, 0.1, [3]float64{0.5, 0.35, 0.25}, "bottom drawer"},
	{"descaler", "chemical", "box", robot.Vec3{0.08, 0.06, 0.17}, 0.5, [3]float64{0.3, 0.5, 0.85}, "shelf"},
	{"turpentine tin", "chemical", "box", robot.Vec3{0.09, 0.06, 0.15}, 0.5, [3]float64{0.5, 0.5, 0.2}, "shelf"},
	{"percolator", "hot", "cylinder", robot.Vec3{0.13, 0.13, 0.18}, 0.9, [3]float64{0.6, 0.6, 0.62}, "far counter"},
	{"lolly stick", "waste", "flat", robot.Vec3{0.11, 0.03, 0.014}, 0.01, [3]float64{0.85, 0.75, 0.55}, "near counter"},
	{"eggshell", "waste", "ball", robot.Vec3{0.06, 0.055, 0.045}, 0.02, [3]float64{0.95, 0.9, 0.82}, "far counter"},
	{"inhaler", "medicine", "box", robot.Vec3{0.06, 0.045, 0.05}, 0.06, [3]float64{0.3, 0.55, 0.85}, "shelf"},
	{"teddy bear", "toy", "box", robot.Vec3{0.12, 0.09, 0.12}, 0.15, [3]float64{0.6, 0.42, 0.25}, "shelf"},
	{"spinning top", "toy", "cylinder", robot.Vec3{0.07, 0.07, 0.06}, 0.06, [3]float64{0.85, 0.2, 0.5}, "near counter"},
	{"yo-yo", "toy", "cylinder", robot.Vec3{0.06, 0.06, 0.035}, 0.06, [3]float64{0.2, 0.3, 0.85}, "shelf"},
	{"jigsaw box", "toy", "box", robot.Vec3{0.14, 0.1, 0.04}, 0.2, [3]float64{0.3, 0.6, 0.5}, "shelf"},
}

// usualThings are those of a scene that names none; they come first. allThings
// are those of the largest one; they come before what is only there by name.
const (
	usualThings = 29
	allThings   = 49
)

// Things lists those of the usual household; callers must not write them.
func Things() []Thing { return things[:usualThings] }

// AllThings lists those of the largest one, for scaling.
func AllThings() []Thing { return things[:allThings] }

// EveryThing lists those that a scene may name.
func EveryThing() []Thing { return things }

// FindThing gives the thing called name.
func FindThing(name string) (*Thing, bool) {
	for i := range things {
		if things[i].Name == name {
			return &things[i], true
		}
	}
	return nil, false
}
