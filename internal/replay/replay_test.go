package replay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/internal/record"
	"github.com/kuai-robot/kuai/robot"
)

func TestNumbersComeBackToTheBit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := Numbers{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), math.SmallestNonzeroFloat64, math.MaxFloat64}
		for range rapid.IntRange(0, 20).Draw(t, "n") {
			want = append(want, math.Float64frombits(rapid.Uint64().Draw(t, "bits")))
		}
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got Numbers
		if err := json.Unmarshal(data, &got); err != nil || !got.same(want) {
			t.Fatalf("%s came back as %v, %v", data, got, err)
		}
	})
}

func TestNumbersAreBounded(t *testing.T) {
	for _, bad := range []string{`[` + strings.Repeat("1,", 40) + `1]`, `["x"]`, `[{}]`, `1`, `[null]`} {
		var n Numbers
		if err := json.Unmarshal([]byte(bad), &n); err == nil {
			t.Errorf("%s was taken as %v", bad, n)
		}
	}
}

func text(t *testing.T, r *Report) string {
	t.Helper()
	var out bytes.Buffer
	if err := errors.Join(r.WriteTable(&out), r.WriteJSON(&out)); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestEpisodesPlayBackAsTheyWere(t *testing.T) {
	path := dream(t, t.TempDir())
	report, err := Replay(t.Context(), []string{path}, stages(t, nil), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if !report.Same() || len(report.Episodes) != 3 || report.Ticks < 350 {
		t.Fatal(text(t, report))
	}
	for i, want := range []string{"", "a hand came near", "somebody changed their mind"} {
		e := &report.Episodes[i]
		if e.Reason != want || e.Chunks < 3 {
			t.Errorf("%+v, want the reason %q", e, want)
		}
	}
}

func TestARunInSeveralFilesIsReplayedFromItsBegin(t *testing.T) {
	dir := t.TempDir()
	files := dreamInto(t, dir, true)
	other := dream(t, t.TempDir())
	if err := os.Rename(other, filepath.Join(dir, "0-of-another-run.mcap")); err != nil {
		t.Fatal(err)
	}
	_, found, err := Run(files[len(files)-1])
	if err != nil || len(files) != 2 || !slices.Equal(found, files) {
		t.Fatal(files, found, err)
	}
	report, err := Replay(t.Context(), found, stages(t, nil), "", nil)
	if err != nil || !report.Same() || len(report.Episodes) != 3 {
		t.Errorf("%v %s", err, text(t, report))
	}
	if report, err = Replay(t.Context(), files[1:], stages(t, nil), "", nil); err == nil {
		t.Errorf("the end of a run was replayed without its begin: %s", text(t, report))
	}
}

func TestAChangedAgentDiverges(t *testing.T) {
	path := dream(t, t.TempDir())
	for name, change := range map[string]func(*dreamer){
		"one chunk more": func(d *dreamer) { d.extra, d.seed = true, 5 },
		"another seed":   func(d *dreamer) { d.seed = 6 },
	} {
		report, err := Replay(t.Context(), []string{path}, stages(t, change), "", nil)
		if err != nil {
			t.Fatal(err)
		}
		if report.Same() || report.Episodes[0].Diverged == "" && report.Episodes[0].DifferentChunks == 0 {
			t.Errorf("%s: %s", name, text(t, report))
		}
	}
}

func TestReferencesTakeTheRecordingsPlace(t *testing.T) {
	path := dream(t, t.TempDir())
	other := stages(t, func(d *dreamer) { d.seed = 6 })
	out, err := CreateReferences(ReferencesOf(path))
	if err != nil {
		t.Fatal(err)
	}
	report, err := Replay(t.Context(), []string{path}, other, "", out.Add)
	if err := errors.Join(err, out.Close(true)); err != nil || report.DifferentTicks == 0 {
		t.Fatal(err, report)
	}
	if report, err = Replay(t.Context(), []string{path}, other, ReferencesOf(path), nil); err != nil || !report.Same() {
		t.Errorf("against its own references: %v %s", err, text(t, report))
	}
	if report, err = Replay(t.Context(), []string{path}, stages(t, nil), ReferencesOf(path), nil); err != nil || report.Same() || report.First == nil {
		t.Errorf("the agent of before against the references of another: %v %s", err, text(t, report))
	}
}

// TestHolesAreTold leaves records out.
func TestHolesAreTold(t *testing.T) {
	path := dream(t, t.TempDir())
	for _, topic := range []string{TopicCommand, TopicChunk, TopicPolicy, TopicObservation} {
		dir := t.TempDir()
		copyWithout(t, path, dir, topic, 20)
		files, err := filepath.Glob(filepath.Join(dir, "*.mcap"))
		if err != nil || len(files) != 1 {
			t.Fatal(files, err)
		}
		report, err := Replay(t.Context(), files, stages(t, nil), "", nil)
		if err != nil {
			t.Errorf("without one %s: %v", topic, err)
			continue
		}
		if report.Same() && len(report.Notes) == 0 {
			t.Errorf("without one %s nothing is missed: %s", topic, text(t, report))
		}
	}
}

// copyWithout copies a recording but for record n of a topic.
func copyWithout(t *testing.T, path, dir, topic string, n int) {
	t.Helper()
	clock := robot.NewManualClock(time.Unix(1e9, 0), 1)
	out, err := record.Open(record.Options{Dir: dir, Clock: clock, Description: description(), Queue: 20_000, Header: map[string]string{HeaderRun: "1"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := record.Read(path, func(r *record.Record) error {
		if r.Topic == topic {
			if n--; n == 0 {
				return nil
			}
		}
		if !strings.HasPrefix(r.Schema, "foxglove.") {
			out.Message(r.Topic, r.At, append([]byte(nil), r.Data...))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := out.Run(ended); err != nil {
		t.Fatal(err)
	}
}

func TestRingKeepsTheOrderAndCounts(t *testing.T) {
	r := ring{slots: make([]control.Tick, 4)}
	var got control.Tick
	for i := range uint64(6) {
		r.put(&control.Tick{Number: i})
	}
	for i := range uint64(4) {
		if !r.take(&got) || got.Number != i {
			t.Errorf("tick %d came as %d", i, got.Number)
		}
	}
	if r.take(&got) || r.dropped.Load() != 2 {
		t.Errorf("%d dropped, want 2", r.dropped.Load())
	}
}

// FuzzReplay feeds lines "topic JSON" as a recording would.
func FuzzReplay(f *testing.F) {
	f.Add([]byte("policy {\"seq\":1,\"do\":\"run\",\"id\":\"1\"}\nobservation {\"seq\":2}\npolicy {\"seq\":2,\"do\":\"now\",\"at\":5}\npolicy {\"seq\":3,\"do\":\"end\"}"))
	f.Add([]byte(`chunk {"number":1,"id":1,"source":"policy","step":1,"actions":[[1],[2]],"expires":9}` + "\n" + `command {"number":1,"at":1,"orders":[0,1,0,0],"state":{"at":1,"position":["NaN"]}}` + "\n" + `command {"number":2,"at":-9223372036854775808,"orders":[0,1,0,0]}`))
	f.Add([]byte(`command {"number":1,"position":[1,2,3]}` + "\ncommand {"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4096 {
			return
		}
		s := stages(t, nil)
		report := newReport([]string{"x"}, s.Joints)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		p := &policy{ctx: ctx, joints: 2, player: &Player{}, make: s.Agent, chunks: map[key]Chunk{}, report: report, changed: map[key]Chunk{}}
		again, err := control.NewReplayer(s.Limits, s.Control)
		if err != nil {
			t.Fatal(err)
		}
		m := &motions{ctx: ctx, again: again, joints: 2, changed: p.changed, report: report}
		for line := range bytes.Lines(data) {
			topic, body, _ := bytes.Cut(line, []byte(" "))
			r := &record.Record{Topic: string(topic), Data: body}
			if p.take(r) != nil || m.take(r) != nil {
				return
			}
		}
		if err := p.play(nil); err != nil {
			t.Fatal(err)
		}
		text(t, report)
	})
}
