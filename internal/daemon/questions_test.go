package daemon

import (
	"reflect"
	"testing"

	"github.com/kuai-robot/kuai/fusion/embed"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/sim/scenes"
)

// Questions about the same pictures have the same answers, as many of each relation
// are true as are not, and the towers that kuai comes with know more than chance.
func TestQuestions(t *testing.T) {
	pair, err := embed.OpenOwn(cpu.New(cpu.Options{}), embed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer pair.Close()
	seen := 0
	o := QuestionOptions{Pictures: 20, Seed: 5_000_000, Each: 30, Renderer: "osmesa", Progress: func(n int) { seen = n }}
	r, err := Questions(t.Context(), pair, o)
	if err != nil {
		t.Fatal(err)
	}
	if seen != o.Pictures {
		t.Errorf("%d pictures were seen", seen)
	}
	for _, rates := range []QuestionRates{r.Unseen, r.Seen} {
		sum := 0
		for relation, rate := range rates.Relations {
			sum += rate.Of
			if rate.Of%2 != 0 || rate.Of > 2*o.Each || rate.Hits > rate.Of {
				t.Errorf("%s: %+v", relation, rate)
			}
		}
		if sum != rates.All.Of || sum == 0 {
			t.Errorf("%d questions, %+v", sum, rates)
		}
	}
	if there := r.Seen.Relations[scenes.There]; there.Of < 40 || there.Value() < 0.55 {
		t.Errorf("of what is there %d of %d questions are answered right", there.Hits, there.Of)
	}
	if _, ok := r.Unseen.Relations[scenes.There]; ok {
		t.Error("that a thing is there is not held out")
	}
	again, err := Questions(t.Context(), pair, o)
	if err != nil || !reflect.DeepEqual(again, r) {
		t.Errorf("asked again: %+v and %+v, %v", r, again, err)
	}
}
