package embed_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/kuai-robot/kuai/fusion/embed"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/kernels/ref"
)

// ownWeights is what OpenOwn reads.
const ownWeights = "weights"

func ownFixture(t *testing.T) fixture {
	t.Helper()
	data, err := os.ReadFile("testdata/own.json") // train/vision/fixture.py
	if err != nil {
		t.Fatal(err)
	}
	var f fixture
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	if len(f.Texts) < 6 || len(f.Pictures) < 3 {
		t.Fatalf("own.json has %d texts and %d pictures", len(f.Texts), len(f.Pictures))
	}
	return f
}

// The sentences that it was trained with have the tokens and the embeddings that
// transformers gives them.
func TestOwnText(t *testing.T) {
	want := ownFixture(t)
	text, s := openText(t, ownWeights, cpu.New(cpu.Options{}), kernels.Float32)
	checkTexts(t, want, text, s, 0.99999, 1e-5)
	text, s = openText(t, ownWeights, ref.New(), kernels.Float32)
	checkTexts(t, want, text, s, 0.99999, 1e-5)
}

func TestOwnPictures(t *testing.T) {
	want := ownFixture(t)
	pair, err := embed.OpenOwn(cpu.New(cpu.Options{}), embed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer pair.Close()
	question := "is there a red block in a bowl?"
	quiz, err := pair.NewQuiz(t.Context(), []string{question})
	if err != nil {
		t.Fatal(err)
	}
	defer quiz.Close()
	for _, p := range want.Pictures {
		cosines, _ := similarities(&want, "clip", p.Embedding)
		answers, err := quiz.Answer(t.Context(), noise(p.Width, p.Height, p.Seed))
		if err != nil {
			t.Fatal(err)
		}
		// The first two texts are those that the question becomes.
		yes := 1 / (1 + math.Exp(-want.Scale*(cosines[0]-cosines[1])))
		if a := answers[0]; a.Affirms != want.Texts[0].Text || a.Denies != want.Texts[1].Text || math.Abs(a.Yes-yes) > 1e-4 {
			t.Errorf("picture %d: %+v, want yes with %.5f", p.Seed, a, yes)
		}
	}
	if _, err := pair.NewQuiz(t.Context(), []string{"how many?"}); err == nil {
		t.Error("a question that is none is taken")
	}
}
