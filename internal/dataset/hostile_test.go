package dataset

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/internal/replay"
	"github.com/kuai-robot/kuai/robot"
)

// spoil writes a dataset and changes its info.json.
func spoil(t *testing.T, change func(info map[string]any)) string {
	t.Helper()
	dir := t.TempDir()
	writeEpisodes(t, dir, 5, "one")
	path := filepath.Join(dir, infoPath)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var info map[string]any
	if err := json.Unmarshal(data, &info); err != nil {
		t.Fatal(err)
	}
	change(info)
	if data, err = json.Marshal(info); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestImportRefuses(t *testing.T) {
	feature := func(info map[string]any, name string) map[string]any {
		return info["features"].(map[string]any)[name].(map[string]any)
	}
	for name, c := range map[string]struct {
		change func(info map[string]any)
		says   string
	}{
		"a path upwards":         {func(i map[string]any) { i["data_path"] = "../{chunk_index:03d}.parquet" }, "leaves the dataset"},
		"an absolute path":       {func(i map[string]any) { i["data_path"] = "/etc/passwd" }, "leaves the dataset"},
		"a path within upwards":  {func(i map[string]any) { i["video_path"] = "videos/../../{video_key}.mp4" }, "leaves the dataset"},
		"a camera upwards":       {func(i map[string]any) { i["features"].(map[string]any)["../x"] = feature(i, imagePrefix+"front") }, "camera"},
		"an older layout":        {func(i map[string]any) { i["codebase_version"] = "v2.1" }, "only v3"},
		"no rate":                {func(i map[string]any) { i["fps"] = 0 }, "fps"},
		"a rate that is none":    {func(i map[string]any) { i["fps"] = "fast" }, "fps"},
		"more episodes":          {func(i map[string]any) { i["total_episodes"] = 7 }, "meta/episodes has 1"},
		"a million joints":       {func(i map[string]any) { feature(i, featureState)["shape"] = []int{1_000_000} }, "vector"},
		"other joints than data": {func(i map[string]any) { feature(i, featureState)["shape"] = []int{3} }, "holds 2 numbers"},
		"no state":               {func(i map[string]any) { delete(i["features"].(map[string]any), featureState) }, "vector"},
		"a table that is none":   {func(i map[string]any) { i["data_path"] = infoPath }, "info.json"},
		"a video that is none":   {func(i map[string]any) { i["video_path"] = infoPath }, "video"},
	} {
		dir := spoil(t, c.change)
		_, err := Import(t.Context(), dir, t.TempDir(), epoch, nil)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.says)
		}
	}
}

func TestImportRefusesFilesThatAreCutOff(t *testing.T) {
	for _, name := range []string{"data/chunk-000/file-000.parquet", "videos/" + imagePrefix + "front/chunk-000/file-000.mp4", "meta/episodes/chunk-000/file-000.parquet", tasksPath} {
		for _, share := range []float64{0, 0.3, 0.9} {
			dir := t.TempDir()
			writeEpisodes(t, dir, 30, "one")
			path := filepath.Join(dir, name)
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, data[:int(share*float64(len(data)))], 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Import(t.Context(), dir, t.TempDir(), epoch, nil); err == nil {
				t.Errorf("%s with %.0f %% of its bytes was imported", name, 100*share)
			}
		}
	}
}

func TestEpisodesWithoutSenseAreLeftOut(t *testing.T) {
	x := &exporter{}
	for _, e := range []replay.Episode{
		{Status: "succeeded", Started: 1, Ended: math.MaxInt64},
		{Status: "succeeded", Started: 5, Ended: 2},
		{Status: "succeeded", Started: -5, Ended: 2},
		{Status: "failed", Started: 1, Ended: 2},
	} {
		if !x.unwanted(e) {
			t.Errorf("%+v is wanted", e)
		}
	}
	if x.unwanted(replay.Episode{Status: "succeeded", Started: 1, Ended: robot.Time(maxEpisode)}) {
		t.Error("an episode of an hour is unwanted")
	}
}

// FuzzReadTable checks that a table from outside is rows or an error.
func FuzzReadTable(f *testing.F) {
	dir := f.TempDir()
	path := filepath.Join(dir, "t.parquet")
	table, err := createTable(path, []column{int64s("a"), float64s("v").listed(1), texts("s")}, map[string]string{"k": "v"})
	if err != nil {
		f.Fatal(err)
	}
	for i := range 3 {
		if err := table.add(int64(i), []float64{1, 2}, "text"); err != nil {
			f.Fatal(err)
		}
	}
	if err := table.close(); err != nil {
		f.Fatal(err)
	}
	seed, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add(seed[:len(seed)/2])
	f.Add([]byte("PAR1PAR1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "f.parquet")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		rows := 0
		err := readTable(path, []string{"a", "v", "s"}, func(v values) error {
			rows++
			_, _ = v.number("a")
			_, _ = v.floats("v", 2)
			_, _ = v.text("s")
			if rows > 1000 {
				return os.ErrInvalid
			}
			return nil
		})
		if err == nil && rows > 1000 {
			t.Errorf("%d rows", rows)
		}
	})
}

// FuzzVideo checks that a video from outside is pictures of a sane size or an
// error.
func FuzzVideo(f *testing.F) {
	path := filepath.Join(f.TempDir(), "v.mp4")
	v, err := createVideo(path, 16, 16, 10)
	if err != nil {
		f.Fatal(err)
	}
	for range 3 {
		if err := v.add(make([]byte, 3*16*16)); err != nil {
			f.Fatal(err)
		}
	}
	if err := v.end(true); err != nil {
		f.Fatal(err)
	}
	seed, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add(seed[:len(seed)*2/3])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "f.mp4")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		v, err := openVideo(path)
		if err != nil {
			return
		}
		defer v.close()
		for range 20 {
			p, ok, err := v.next()
			if err != nil || !ok {
				return
			}
			if len(p.rgb) != 3*p.width*p.height {
				t.Fatalf("%d bytes for %d×%d", len(p.rgb), p.width, p.height)
			}
		}
	})
}

// FuzzInfo checks that no info.json leads out of the dataset.
func FuzzInfo(f *testing.F) {
	f.Add([]byte(`{"codebase_version":"v3.0","fps":10,"data_path":"data/x","features":{"observation.state":{"shape":[2],"names":{"motors":["a","b"]}},"action":{"shape":[2]}}}`), int64(0))
	f.Add([]byte(`{"data_path":"../{file_index:03d}"}`), int64(-1))
	f.Fuzz(func(t *testing.T, data []byte, index int64) {
		var i Info
		if json.Unmarshal(data, &i) != nil {
			return
		}
		_ = i.check()
		for _, pattern := range []string{i.DataPath, i.VideoPath} {
			if p, err := expand(pattern, "front", index, index); err == nil && !filepath.IsLocal(p) {
				t.Errorf("%q leads to %q", pattern, p)
			}
		}
	})
}
