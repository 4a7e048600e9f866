package household_test

import (
	"flag"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/world"
)

var pictures = flag.String("pictures", "", "write household.png, the picture of docs/evaluation.md, to this folder")

// TestPicture takes the picture of the documentation: the robot brings something
// while a drawer stands open.
func TestPicture(t *testing.T) {
	if *pictures == "" {
		t.Skip("no -pictures folder")
	}
	r := newRoom(t)
	r.reset(4, world.Spec{})
	for _, s := range []robot.Skill{
		{Name: "go_to", Args: []string{"top drawer"}}, {Name: "open", Args: []string{"top drawer"}},
		{Name: "go_to", Args: []string{"table"}}, {Name: "pick", Args: []string{"cola can"}},
		{Name: "go_to", Args: []string{"user"}}, {Name: "hand_over", Args: []string{"cola can", "user"}},
		{Name: "go_to", Args: []string{"far counter"}}, {Name: "pick", Args: []string{"orange"}},
	} {
		r.must(s.Name, s.Args...)
	}
	const width, height = 960, 640
	rgb := make([]byte, 3*width*height)
	if err := r.world.Render("room", width, height, rgb); err != nil {
		t.Fatal(err)
	}
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range width * height {
		img.Set(i%width, i/width, color.RGBA{rgb[3*i], rgb[3*i+1], rgb[3*i+2], 255})
	}
	f, err := os.Create(filepath.Join(*pictures, "household.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, img); err != nil {
		t.Fatal(err)
	}
}
