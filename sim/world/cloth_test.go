package world

import (
	"math/rand/v2"
	"reflect"
	"testing"
)

// What demonstrations show is never what a suite outside of the ranges shows, and
// a cloth of their own changes nothing else of a look.
func TestClothsOfDemonstrations(t *testing.T) {
	outside := map[int]bool{}
	for i, name := range cloths {
		outside[1+i] = name == "checks" || name == "stripes"
	}
	own := 0
	for seed := range uint64(300) {
		draw := func(v Vary) look { return v.draw(rand.New(rand.NewPCG(seed, 1))) }
		shown, usual, beyond := draw(Demonstrations()), draw(Training()), draw(Vary{Texture: 1.6})
		if outside[shown.cloth] || outside[usual.cloth] || !outside[beyond.cloth] {
			t.Fatalf("seed %d: cloths %d in a demonstration, %d usually, %d outside", seed, shown.cloth, usual.cloth, beyond.cloth)
		}
		if usual.cloth > 2 {
			t.Errorf("seed %d: cloth %d is one that only demonstrations have", seed, usual.cloth)
		}
		if shown.cloth >= usualCloths {
			own++
		}
		if shown.cloth = usual.cloth; !reflect.DeepEqual(shown, usual) {
			t.Errorf("seed %d: the cloth changed something else", seed)
		}
	}
	if own < 150 || own > 210 {
		t.Errorf("%d of 300 demonstrations have a cloth of their own, want about 180", own)
	}
	if v := (Vary{Cloth: 1.5}); v.validate() == nil {
		t.Error("a cloth more often than always is no error")
	}
}
