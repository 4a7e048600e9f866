package dataset

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/kuai-robot/kuai/robot"
)

// Dataset is one that is read.
type Dataset struct {
	dir  string
	Info Info
	// Episodes in their order.
	Episodes []EpisodeInfo
	// Cameras are the names of the videos, without what stands before them.
	Cameras []string
	tasks   map[int64]string
}

// EpisodeInfo is a row of meta/episodes.
type EpisodeInfo struct {
	Index  int64
	Task   string
	Length int64

	chunk, file int64
	videos      map[string]span
}

// span is where the video of an episode lies.
type span struct {
	chunk, file int64
	from        float64
}

const (
	maxInfoBytes = 4 << 20
	maxFPS       = 1000
	maxEpisodes  = 1 << 20
)

// Open reads what is in meta/. Files of episodes are read by Read.
func Open(dir string) (*Dataset, error) {
	d := &Dataset{dir: dir, tasks: map[int64]string{}}
	for _, step := range []func() error{d.readInfo, d.readTasks, d.readEpisodes} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("dataset: %w", err)
		}
	}
	return d, nil
}

func (d *Dataset) path(name string) string { return filepath.Join(d.dir, filepath.FromSlash(name)) }

func (d *Dataset) readInfo() error {
	file, err := os.Open(d.path(infoPath))
	if err != nil {
		return fmt.Errorf("%w (is %s the folder of a LeRobot dataset?)", err, d.dir)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxInfoBytes))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, &d.Info); err != nil {
		return fmt.Errorf("%s: %w", file.Name(), err)
	}
	if err := d.Info.check(); err != nil {
		return fmt.Errorf("%s: %w", file.Name(), err)
	}
	for name, f := range d.Info.Features {
		if f.DType != "video" {
			continue
		}
		camera := strings.TrimPrefix(name, imagePrefix)
		if err := checkCamera(camera); err != nil {
			return fmt.Errorf("%s: %w", file.Name(), err)
		}
		d.Cameras = append(d.Cameras, camera)
	}
	sort.Strings(d.Cameras)
	return nil
}

func (i *Info) check() error {
	switch {
	case !strings.HasPrefix(i.CodebaseVersion, "v3."):
		return fmt.Errorf("codebase_version is %q, only v3 is read (lerobot converts older ones)", i.CodebaseVersion)
	case i.FPS < 1 || i.FPS > maxFPS:
		return fmt.Errorf("fps is %d, want 1 to %d", i.FPS, maxFPS)
	case i.TotalEpisodes < 0 || i.TotalEpisodes > maxEpisodes || i.TotalFrames < 0:
		return fmt.Errorf("total_episodes is %d, total_frames is %d", i.TotalEpisodes, i.TotalFrames)
	}
	for _, name := range []string{featureState, featureAction} {
		f, ok := i.Features[name]
		if !ok || len(f.Shape) != 1 || f.Shape[0] < 1 || f.Shape[0] > robot.MaxJoints {
			return fmt.Errorf("feature %s must be a vector of 1 to %d numbers", name, robot.MaxJoints)
		}
	}
	return nil
}

// Joints names the joints: the names of the state without what stands behind
// the last dot, or joint_0 and so on.
func (d *Dataset) Joints() []string {
	f := d.Info.Features[featureState]
	out := make([]string, f.Shape[0])
	for i := range out {
		out[i] = fmt.Sprintf("joint_%d", i)
		if len(f.Names) == len(out) && f.Names[i] != "" {
			out[i] = strings.TrimSuffix(f.Names[i], ".pos")
		}
	}
	return out
}

func (d *Dataset) readTasks() error {
	return readTable(d.path(tasksPath), []string{"task_index", "task"}, func(v values) error {
		index, err := v.number("task_index")
		if err != nil {
			return err
		}
		d.tasks[index], err = v.text("task")
		return err
	})
}

func (d *Dataset) readEpisodes() error {
	wanted := []string{"episode_index", "tasks", "length", "data/chunk_index", "data/file_index"}
	for _, c := range d.Cameras {
		key := "videos/" + d.feature(c)
		wanted = append(wanted, key+"/chunk_index", key+"/file_index", key+"/from_timestamp")
	}
	files, err := filepath.Glob(filepath.Join(escaped(d.path("meta/episodes")), "chunk-*", "file-*.parquet"))
	if err != nil {
		return err
	}
	for _, path := range files {
		if err := readTable(path, wanted, d.addEpisode); err != nil {
			return err
		}
	}
	sort.Slice(d.Episodes, func(i, k int) bool { return d.Episodes[i].Index < d.Episodes[k].Index })
	// What lies beyond info.json is of an episode that did not come to its end.
	if len(d.Episodes) > d.Info.TotalEpisodes {
		d.Episodes = d.Episodes[:d.Info.TotalEpisodes]
	}
	if len(d.Episodes) < d.Info.TotalEpisodes {
		return fmt.Errorf("%s: total_episodes is %d, meta/episodes has %d", d.path(infoPath), d.Info.TotalEpisodes, len(d.Episodes))
	}
	return nil
}

// feature gives the name of a camera's feature.
func (d *Dataset) feature(camera string) string {
	if _, ok := d.Info.Features[imagePrefix+camera]; ok {
		return imagePrefix + camera
	}
	return camera
}

func (d *Dataset) addEpisode(v values) error {
	e := EpisodeInfo{videos: map[string]span{}}
	var errs []error
	number := func(name string) int64 {
		n, err := v.number(name)
		errs = append(errs, err)
		return n
	}
	e.Index, e.Length = number("episode_index"), number("length")
	e.chunk, e.file = number("data/chunk_index"), number("data/file_index")
	for _, c := range d.Cameras {
		key := "videos/" + d.feature(c)
		s := span{chunk: number(key + "/chunk_index"), file: number(key + "/file_index")}
		from, err := v.floats(key+"/from_timestamp", 1)
		if errs = append(errs, err); err == nil {
			s.from = from[0]
		}
		e.videos[c] = s
	}
	var err error
	e.Task, err = v.text("tasks")
	errs = append(errs, err)
	if len(d.Episodes) == maxEpisodes {
		errs = append(errs, errors.New("too many episodes"))
	}
	d.Episodes = append(d.Episodes, e)
	return errors.Join(errs...)
}

// escaped makes filepath.Glob take a folder's name as it is.
func escaped(folder string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(folder)
}
