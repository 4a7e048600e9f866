package dataset

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

const (
	testWidth, testHeight = 64, 48
	testFPS               = 10
)

func testOptions() Options {
	return Options{FPS: testFPS, RobotType: "two", Joints: []string{"pan", "lift"}, Cameras: []Camera{{"front", testWidth, testHeight}}}
}

// grey gives a picture of one brightness.
func grey(v byte) []byte {
	rgb := make([]byte, 3*testWidth*testHeight)
	for i := range rgb {
		rgb[i] = v
	}
	return rgb
}

func testFrame(i int) *Frame {
	x := float64(i)
	return &Frame{State: []float64{x, -x}, Velocity: []float64{1, 2}, Effort: []float64{0.5, 0}, Action: []float64{x + 0.5, 3}, Pictures: [][]byte{grey(byte(20 * i))}}
}

// writeEpisodes writes one episode for each task, of frames frames.
func writeEpisodes(t *testing.T, dir string, frames int, tasks ...string) *Writer {
	t.Helper()
	w, err := Create(dir, testOptions())
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		e, err := w.Begin(task)
		if err != nil {
			t.Fatal(err)
		}
		for i := range frames {
			if err := e.Add(testFrame(i)); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.End(); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func TestStatistics(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{1, 2, 100, 5000, 50000} {
		var s, half, rest series
		var all []float64
		for i := range n {
			v := 1e6 + random.NormFloat64()
			if i == n/2 {
				v = -3000
			}
			all = append(all, v)
			s.add(v)
			if i%3 == 0 {
				half.add(v)
			} else {
				rest.add(v)
			}
		}
		half.merge(&rest)
		slices.Sort(all)
		mean, squares := 0.0, 0.0
		for _, v := range all {
			mean += v / float64(n)
		}
		for _, v := range all {
			squares += (v - mean) * (v - mean) / float64(n)
		}
		span := all[n-1] - all[0]
		for name, got := range map[string]*series{"all": &s, "merged": &half} {
			if got.count != n || got.low != all[0] || got.high != all[n-1] || math.Abs(got.mean()-mean) > 1e-4 || math.Abs(got.std()-math.Sqrt(squares)) > 1e-3*math.Sqrt(squares)+1e-6 {
				t.Errorf("%d %s: %d %g…%g mean %g std %g, want %g…%g %g %g", n, name, got.count, got.low, got.high, got.mean(), got.std(), all[0], all[n-1], mean, math.Sqrt(squares))
			}
			for _, q := range quantiles {
				want := all[int(q.share*float64(n-1))]
				if n > 100 && math.Abs(got.quantile(q.share)-want) > span/1000 {
					t.Errorf("%d %s: %s is %g, want %g", n, name, q.name, got.quantile(q.share), want)
				}
			}
		}
	}
}

func TestACrashCostsNoEarlierEpisode(t *testing.T) {
	dir := t.TempDir()
	w := writeEpisodes(t, dir, 5, "one", "two")
	e, err := w.Begin("three")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if err := e.Add(testFrame(i)); err != nil {
			t.Fatal(err)
		}
	}
	// The program is gone here; nothing is closed.
	d, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if d.Info.TotalEpisodes != 2 || d.Info.TotalFrames != 10 || len(d.Episodes) != 2 {
		t.Errorf("%+v, %d episodes", d.Info, len(d.Episodes))
	}
	if err := e.Abandon(); err != nil {
		t.Fatal(err)
	}
	parts, err := filepath.Glob(filepath.Join(dir, "*", "*", "*", "*.part*"))
	if err != nil || len(parts) != 0 {
		t.Errorf("left behind: %v, %v", parts, err)
	}
}

func TestStatisticsFileHoldsTheShapes(t *testing.T) {
	dir := t.TempDir()
	writeEpisodes(t, dir, 11, "one", "two")
	data, err := os.ReadFile(filepath.Join(dir, statsPath))
	if err != nil {
		t.Fatal(err)
	}
	var stats map[string]map[string]json.RawMessage
	if err := json.Unmarshal(data, &stats); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"min": "[0,-10]", "max": "[10,0]", "mean": "[5,-5]", "count": "[22]", "q50": "[5,-5]"} {
		var got, wanted []float64
		if json.Unmarshal(stats[featureState][name], &got) != nil || json.Unmarshal([]byte(want), &wanted) != nil || !slices.EqualFunc(got, wanted, func(a, b float64) bool { return math.Abs(a-b) < 1e-9 }) {
			t.Errorf("%s of %s is %s, want %s", name, featureState, stats[featureState][name], want)
		}
	}
	var channels [3][1][1]float64
	if err := json.Unmarshal(stats[imagePrefix+"front"]["max"], &channels); err != nil || math.Abs(channels[1][0][0]-200.0/255) > 1e-9 {
		t.Errorf("max of the pictures is %v, %v", channels, err)
	}
}

func TestCreateRefuses(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(dir, testOptions()); err == nil {
		t.Error("a folder with something in it was taken")
	}
	for _, name := range []string{"../up", "a/b", "", ".hidden", "a b"} {
		o := testOptions()
		o.Cameras[0].Name = name
		if _, err := Create(filepath.Join(t.TempDir(), "d"), o); err == nil {
			t.Errorf("camera %q was taken", name)
		}
	}
}
