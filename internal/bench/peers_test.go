package bench_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/internal/bench"
)

const peers = "../../scripts/peers"

// decodeRows reads rows strictly: scripts/peers must write this package's form.
func decodeRows(t *testing.T, text []byte) map[string][]bench.Row {
	t.Helper()
	rows := map[string][]bench.Row{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		decoder := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		decoder.DisallowUnknownFields()
		var r bench.Row
		if err := decoder.Decode(&r); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		rows[r.Name] = append(rows[r.Name], r)
	}
	return rows
}

// TestRowsOfPeers gives samples to the arithmetic that turns them into rows.
func TestRowsOfPeers(t *testing.T) {
	samples := `
{"item":"encode.x.f32","program":"kuai","ms":[30,20,21],"work":1,"embedding":[1,0],"peak_mb":110,"weights_mb":90,"sessions_mb":10}
{"item":"encode.x.f32","program":"slow","ms":[40,42,44],"work":1,"embedding":[1,0]}
{"item":"encode.x.f32","program":"fast","ms":[14,15,14],"work":1,"embedding":[0,1]}
{"item":"encode.x.int8","program":"kuai","ms":[7,7,7],"work":1,"embedding":[3,4]}
{"item":"encode.x.int8","program":"fast","ms":[14,14,14],"work":1,"embedding":[0,1]}
{"item":"lm.y.prefill","program":"kuai","ms":[500,400,600],"work":512}
{"item":"lm.y.prefill","program":"peer","ms":[1000,1000,2000],"work":512}
{"item":"asr.z","program":"kuai","ms":[100],"work":1,"text":"go forward"}
{"item":"asr.z","program":"peer","ms":[500],"work":1,"text":"go backward"}
{"item":"wer.w","program":"kuai","ms":[100],"work":1,"errors":3,"words":100}
{"item":"wer.w","program":"peer","ms":[400],"work":1,"errors":6,"words":100}
`
	command := exec.Command("python3", filepath.Join(peers, "rows.py"))
	command.Stdin = strings.NewReader(samples)
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	rows := decodeRows(t, out)
	for _, want := range []struct {
		name, peer   string
		value, ratio float64
		met, known   bool
	}{
		{"encode.x.f32", "fast", 21, 1.5, false, true},
		{"encode.x.f32.p99", "fast", 30, 2, false, false},
		{"encode.x.f32.agrees", "slow", 1, 1, true, true},
		{"encode.x.int8", "fast", 7, 0.5, true, true},
		{"encode.x.int8.cosine", "", 0.6, 0, false, true},
		{"encode.x.int8.speedup", "", 3, 0, true, true},
		{"lm.y.prefill", "peer", 1024, 0.5, false, true}, // twice as fast, three times is the bar
		{"lm.y.prefill.p99", "peer", 512 / 0.6, 0.3, false, false},
		{"asr.z", "peer", 100, 0.2, true, true},
		{"asr.z.same_words", "peer", 0, 1, false, true},
		{"wer.w.errors", "peer", 0.03, 0.5, true, true},
		{"memory.encode.x.f32", "", 1.1, 0, true, true},
	} {
		if len(rows[want.name]) == 0 {
			t.Errorf("no row %s", want.name)
			continue
		}
		r := rows[want.name][0]
		met, known := r.Met()
		if r.Peer != want.peer || math.Abs(r.Value-want.value) > 1e-9 || math.Abs(r.Ratio-want.ratio) > 1e-9 || met != want.met || known != want.known {
			t.Errorf("%+v, want %+v", r, want)
		}
	}
	if n := len(rows["encode.x.f32"]); n != 2 || rows["encode.x.f32"][1].Bar != "" {
		t.Errorf("%d rows of encode.x.f32 beside two peers, the bar belongs to the first: %+v", n, rows["encode.x.f32"])
	}
}

// TestPeersTakeTurns runs the driver with programs that always say the same.
func TestPeersTakeTurns(t *testing.T) {
	dir := t.TempDir()
	entrant := func(program string, ms int) map[string]any {
		script := fmt.Sprintf(`echo noise; echo ready; while read -r _; do echo %s >> order; echo '{"ms": %d}'; done`, program, ms)
		return map[string]any{"item": "encode.x.f32", "program": program, "command": []string{"sh", "-c", script}, "burst": 2}
	}
	plan, err := json.Marshal(map[string]any{"encode": []any{entrant("kuai", 10), entrant("peer", 20)}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "plan.json"), plan, 0o600); err != nil {
		t.Fatal(err)
	}
	script, err := filepath.Abs(peers)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command("python3", script, "--plan", "plan.json", "--rounds", "3", "--json", "--out", "rows.jsonl")
	command.Dir = dir
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(dir, "rows.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	rows := decodeRows(t, text)["encode.x.f32"]
	if len(rows) != 1 || rows[0].Value != 10 || rows[0].Ratio != 0.5 || rows[0].Peer != "peer" {
		t.Errorf("rows %+v", rows)
	}
	order, err := os.ReadFile(filepath.Join(dir, "order"))
	if err != nil {
		t.Fatal(err)
	}
	// One turn is a warming one and two that count; one round is for warming.
	if want := strings.Repeat(strings.Repeat("kuai\n", 3)+strings.Repeat("peer\n", 3), 4); string(order) != want {
		t.Errorf("turns were taken in the order\n%s", order)
	}
}
