package turns_test

import (
	"encoding/json"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/internal/turns"
)

// TestTurnsServe measures the random tower as scripts/peers does: a line in, a
// line out.
func TestTurnsServe(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 350 MB")
	}
	dir := filepath.Join(t.TempDir(), "tower")
	if err := turns.WriteTower(dir); err != nil {
		t.Fatal(err)
	}
	var embeddings [][]float32
	for _, precision := range []string{"bf16", "int8"} {
		w, err := turns.Open(turns.Work{Kind: "encode", Model: dir, Precision: precision, Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		if err := w.Serve(t.Context(), strings.NewReader("\n\n"), &out); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != 3 || lines[0] != "ready" {
			t.Fatalf("%d lines, the first %q; want ready and two turns", len(lines), lines[0])
		}
		var first, second turns.Turn
		if err := json.Unmarshal([]byte(lines[1]), &first); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(lines[2]), &second); err != nil {
			t.Fatal(err)
		}
		if !(first.Milliseconds > 0) || first.WeightsMB < 80 || !slices.Equal(first.Embedding, second.Embedding) {
			t.Errorf("%s: %.1f ms, %.0f MB of weights; the same picture twice must give one embedding", precision, first.Milliseconds, first.WeightsMB)
		}
		embeddings = append(embeddings, first.Embedding)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	dot, length := 0.0, 0.0
	for i, x := range embeddings[0] {
		dot += float64(x) * float64(embeddings[1][i])
		length += float64(x) * float64(x)
	}
	if math.Abs(length-1) > 1e-3 || dot < 0.999 || dot > 1.001 {
		t.Errorf("length %g, int8 beside bf16 %g", length, dot)
	}
}

func TestTurnsErrors(t *testing.T) {
	for _, c := range []struct {
		work turns.Work
		want string
	}{
		{turns.Work{Kind: "sing"}, `"sing": want encode`},
		{turns.Work{Kind: "encode", Precision: "f64"}, `"f64": want stored`},
		{turns.Work{Kind: "encode", Model: t.TempDir()}, "config.json"},
		{turns.Work{Kind: "encode", Input: "none.rgb"}, "none.rgb"},
		{turns.Work{Kind: "asr", Input: "none.raw"}, "none.raw"},
		{turns.Work{Kind: "prefill", Model: "none.gguf"}, "none.gguf"},
	} {
		if _, err := turns.Open(c.work); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want %q", c.work, err, c.want)
		}
	}
}
