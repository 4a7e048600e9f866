package eval

import (
	"context"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/world"
)

// joined is a robot whose motion comes in chunks.
type joined struct{ count int }

func (j *joined) Begin(context.Context, uint64, world.Spec) (*robot.Scene, error) {
	return &robot.Scene{}, nil
}
func (j *joined) Say(ctx context.Context, _ string) (Answer, error) { return j.Do(ctx, robot.Skill{}) }
func (j *joined) Do(context.Context, robot.Skill) (Answer, error) {
	j.count++
	return Answer{Succeeded: true, Scene: &robot.Scene{}}, nil
}

func (j *joined) Seams() Seams {
	return Seams{Count: 2 * j.count, Given: Jumps{0.02, 0.2, 0.1, 1.5}, Followed: Jumps{0.01, 0.1, 0.05, 0.7}}
}

func TestSeamsAreReported(t *testing.T) {
	suite, ok := Pixels("pixels-seen")
	if !ok {
		t.Fatal("there is no such suite")
	}
	r, err := Run(t.Context(), suite, &joined{}, Options{Episodes: 3, Given: true, Skills: learnedSkills, Can: "learned"})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := r.WriteTable(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"12 seams", "0.0200 rad", "0.70 at worst", "can learned"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in\n%s", want, text.String())
		}
	}
	found := 0
	for _, f := range r.Figures() {
		if strings.Contains(f.Name, ".seams.") {
			found++
		}
		if strings.HasSuffix(f.Name, ".seams.followed.velocity.worst") && (f.Value != 0.7 || f.N != 12) {
			t.Errorf("%+v", f)
		}
	}
	if found != 8 {
		t.Errorf("%d figures of seams", found)
	}
	// Of a robot that moves otherwise there is nothing to report.
	r.Seams = nil
	text.Reset()
	if err := r.WriteTable(&text); err != nil || strings.Contains(text.String(), "seams") {
		t.Errorf("%v\n%s", err, text.String())
	}
}
