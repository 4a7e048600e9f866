package dataset

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Camera is one video of a dataset. Width and Height are even.
type Camera struct {
	Name          string
	Width, Height int
}

// Options of a Writer; all are required, but for Cameras.
type Options struct {
	// FPS is how many frames a second there are.
	FPS       int
	RobotType string
	// Joints names the entries of the vectors.
	Joints  []string
	Cameras []Camera
}

// Frame is one instant of an episode. Vectors have an entry for each joint, rad
// or m and their like; Pictures are RGB, in the order of Options.Cameras.
type Frame struct {
	State, Velocity, Effort, Action []float64
	Pictures                        [][]byte
}

// Writer writes a dataset. Every episode has files of its own, and what lies in
// meta is replaced whole after each, so that whatever happens costs the episode
// that is being written and nothing else.
type Writer struct {
	dir     string
	o       Options
	info    Info
	tasks   []string
	stats   map[string]*gathered
	episode *Episode
}

// gathered are the statistics of one feature. count is in frames.
type gathered struct {
	feature feature
	count   int
	picture bool
}

// Create begins a dataset in dir, which must be empty or not be there.
func Create(dir string, o Options) (*Writer, error) {
	if o.FPS < 1 || o.FPS > 1000 || len(o.Joints) == 0 {
		return nil, fmt.Errorf("dataset %s: needs joints and 1 to 1000 frames a second", dir)
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	if len(entries) > 0 {
		return nil, fmt.Errorf("dataset %s: the folder is not empty (give another one with --out)", dir)
	}
	w := &Writer{dir: dir, o: o, stats: map[string]*gathered{}}
	names := func(suffix string) []string {
		out := make([]string, len(o.Joints))
		for i := range out {
			out[i] = o.Joints[i] + suffix
		}
		return out
	}
	w.info = Info{
		CodebaseVersion: Version, RobotType: o.RobotType, ChunksSize: filesPerChunk, DataFilesSizeMB: 100, VideoFilesSizeMB: 200,
		FPS: o.FPS, Splits: map[string]string{}, DataPath: dataPattern, VideoPath: videoPattern,
		Features: map[string]Feature{
			featureState: vectorFeature(names(".pos")), featureAction: vectorFeature(names(".pos")),
			featureVelocity: vectorFeature(names(".vel")), featureEffort: vectorFeature(names(".effort")),
			"timestamp": scalarFeature("float32"), "frame_index": scalarFeature("int64"), "episode_index": scalarFeature("int64"),
			"index": scalarFeature("int64"), "task_index": scalarFeature("int64"),
		},
	}
	for _, c := range o.Cameras {
		if err := checkCamera(c.Name); err != nil {
			return nil, err
		}
		w.info.Features[imagePrefix+c.Name] = videoFeature(c.Width, c.Height, o.FPS)
	}
	w.stats = w.gather()
	return w, os.MkdirAll(filepath.Join(dir, "meta"), 0o755)
}

// gather gives empty statistics of every feature.
func (w *Writer) gather() map[string]*gathered {
	all := map[string]*gathered{}
	for name, f := range w.info.Features {
		g := &gathered{picture: f.DType == "video"}
		if g.picture {
			g.feature = make(feature, 3)
		} else {
			g.feature = make(feature, f.Shape[0])
		}
		all[name] = g
	}
	return all
}

// vectors are the features that hold a value for each joint, in the order of
// the columns.
var vectors = []string{featureState, featureVelocity, featureEffort, featureAction}

// dataColumns are those of data/.
func dataColumns() []column {
	var cols []column
	for _, name := range vectors {
		cols = append(cols, float32s(name).listed(1))
	}
	return append(cols, float32s("timestamp"), int64s("frame_index"), int64s("episode_index"), int64s("index"), int64s("task_index"))
}

// path gives where a file of the dataset lies, and makes its folder.
func (w *Writer) path(pattern, video string, episode int) (string, error) {
	name, err := expand(pattern, video, int64(episode/filesPerChunk), int64(episode%filesPerChunk))
	if err != nil {
		return "", err
	}
	path := filepath.Join(w.dir, filepath.FromSlash(name))
	return path, os.MkdirAll(filepath.Dir(path), 0o755)
}

// Begin starts the next episode, of a task in words.
func (w *Writer) Begin(task string) (*Episode, error) {
	if w.episode != nil {
		return nil, errors.New("dataset: the episode before has not ended")
	}
	e := &Episode{w: w, task: task, index: w.info.TotalEpisodes, stats: w.gather()}
	e.taskIndex = slices.Index(w.tasks, task)
	if e.taskIndex < 0 {
		e.taskIndex = len(w.tasks)
	}
	path, err := w.path(dataPattern, "", e.index)
	if err != nil {
		return nil, err
	}
	e.dataPath = path
	if e.data, err = createTable(path+part, dataColumns(), nil); err != nil {
		return nil, err
	}
	for _, c := range w.o.Cameras {
		path, err := w.path(videoPattern, imagePrefix+c.Name, e.index)
		if err == nil {
			var v *videoWriter
			if v, err = createVideo(partOf(path), c.Width, c.Height, w.o.FPS); err == nil {
				e.videos, e.videoPaths = append(e.videos, v), append(e.videoPaths, path)
			}
		}
		if err != nil {
			return nil, errors.Join(err, e.Abandon())
		}
	}
	w.episode = e
	return e, nil
}

// part marks a file that is being written.
const part = ".part"

// partOf keeps the extension, by which FFmpeg knows what to write.
func partOf(path string) string {
	return strings.TrimSuffix(path, filepath.Ext(path)) + part + filepath.Ext(path)
}

// replace writes a file of meta/ whole, so that there is always one.
func (w *Writer) replace(name string, write func(path string) error) error {
	path := filepath.Join(w.dir, filepath.FromSlash(name))
	if err := write(path + part); err != nil {
		return errors.Join(err, os.Remove(path+part))
	}
	return os.Rename(path+part, path)
}

func writeJSON(v any) func(path string) error {
	return func(path string) error {
		data, err := json.MarshalIndent(v, "", "    ")
		if err != nil {
			return err
		}
		return os.WriteFile(path, append(data, '\n'), 0o644)
	}
}

// pandasTasks says that the column task is the index of the table: that is how
// LeRobot looks tasks up.
const pandasTasks = `{"index_columns": ["task"], "column_indexes": [{"name": null, "field_name": null, "pandas_type": "unicode", "numpy_type": "object", "metadata": {"encoding": "UTF-8"}}], "columns": [{"name": "task_index", "field_name": "task_index", "pandas_type": "int64", "numpy_type": "int64", "metadata": null}, {"name": "task", "field_name": "task", "pandas_type": "unicode", "numpy_type": "object", "metadata": null}], "attributes": {}, "creator": {"library": "kuai", "version": "1"}, "pandas_version": "2.0.0"}`

// writeMeta brings meta/ up to date. info.json comes last: it says how much of
// the rest counts.
func (w *Writer) writeMeta() error {
	err := w.replace(tasksPath, func(path string) error {
		t, err := createTable(path, []column{int64s("task_index"), texts("task")}, map[string]string{"pandas": pandasTasks})
		if err != nil {
			return err
		}
		for i, task := range w.tasks {
			if err := t.add(int64(i), task); err != nil {
				t.abandon()
				return err
			}
		}
		return t.close()
	})
	if err != nil {
		return err
	}
	stats := map[string]map[string]any{}
	for name, g := range w.stats {
		stats[name] = g.json()
	}
	if err := w.replace(statsPath, writeJSON(stats)); err != nil {
		return err
	}
	return w.replace(infoPath, writeJSON(w.info))
}

// json gives the statistics as meta/stats.json has them: those of a picture are
// of the shape (3, 1, 1).
func (g *gathered) json() map[string]any {
	out := map[string]any{}
	for _, name := range statNames {
		switch {
		case name == "count":
			out[name] = []int{g.count}
		case g.picture:
			channels := make([][][]float64, 3)
			for c, v := range g.feature.stat(name) {
				channels[c] = [][]float64{{v}}
			}
			out[name] = channels
		default:
			out[name] = g.feature.stat(name)
		}
	}
	return out
}
