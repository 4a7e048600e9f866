package dataset

import (
	"errors"
	"fmt"
	"os"
	"sort"
)

// Episode is the one that is being written.
type Episode struct {
	w         *Writer
	task      string
	taskIndex int
	index     int
	frames    int

	data       *table
	dataPath   string
	videos     []*videoWriter
	videoPaths []string
	stats      map[string]*gathered
}

// Add writes the next frame.
func (e *Episode) Add(f *Frame) error {
	n := len(e.w.o.Joints)
	values := [][]float64{f.State, f.Velocity, f.Effort, f.Action}
	row := make([]any, 0, 9)
	for i, v := range values {
		if len(v) != n {
			return fmt.Errorf("dataset: %s has %d entries, the robot has %d joints", vectors[i], len(v), n)
		}
		row = append(row, narrow(v))
	}
	if len(f.Pictures) != len(e.videos) {
		return fmt.Errorf("dataset: %d pictures for %d cameras", len(f.Pictures), len(e.videos))
	}
	timestamp, index := float64(e.frames)/float64(e.w.o.FPS), e.w.info.TotalFrames+e.frames
	row = append(row, float32(timestamp), int64(e.frames), int64(e.index), int64(index), int64(e.taskIndex))
	if err := e.data.add(row...); err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	for i, v := range e.videos {
		if err := v.add(f.Pictures[i]); err != nil {
			return err
		}
	}
	e.count(values, timestamp, index, f.Pictures)
	e.frames++
	return nil
}

// count takes a frame into the statistics of the episode.
func (e *Episode) count(values [][]float64, timestamp float64, index int, pictures [][]byte) {
	add := func(name string, vs ...float64) {
		g := e.stats[name]
		g.count++
		for i, v := range vs {
			g.feature[i].add(v)
		}
	}
	for i, v := range values {
		add(vectors[i], v...)
	}
	add("timestamp", timestamp)
	add("frame_index", float64(e.frames))
	add("episode_index", float64(e.index))
	add("index", float64(index))
	add("task_index", float64(e.taskIndex))
	for i, c := range e.w.o.Cameras {
		g := e.stats[imagePrefix+c.Name]
		g.count++
		g.feature.addPicture(pictures[i], c.Width, c.Height)
	}
}

func narrow(v []float64) []float32 {
	out := make([]float32, len(v))
	for i := range v {
		out[i] = float32(v[i])
	}
	return out
}

// End finishes the episode's files and makes it part of the dataset. An episode
// without frames is abandoned.
func (e *Episode) End() error {
	if e.frames == 0 {
		return e.Abandon()
	}
	err := e.data.close()
	e.data = nil
	for _, v := range e.videos {
		err = errors.Join(err, v.end(true))
	}
	if err != nil {
		return errors.Join(err, e.Abandon())
	}
	if err := os.Rename(e.dataPath+part, e.dataPath); err != nil {
		return err
	}
	for _, path := range e.videoPaths {
		if err := os.Rename(partOf(path), path); err != nil {
			return err
		}
	}
	return e.enter()
}

// enter writes the episode into meta/.
func (e *Episode) enter() error {
	w := e.w
	path, err := w.path(episodesPattern, "", e.index)
	if err != nil {
		return err
	}
	cols, values := e.row()
	t, err := createTable(path+part, cols, nil)
	if err != nil {
		return err
	}
	if err := t.add(values...); err != nil {
		t.abandon()
		return err
	}
	if err := t.close(); err != nil {
		return err
	}
	if err := os.Rename(path+part, path); err != nil {
		return err
	}
	if e.taskIndex == len(w.tasks) {
		w.tasks = append(w.tasks, e.task)
	}
	w.info.TotalEpisodes++
	w.info.TotalFrames += e.frames
	w.info.TotalTasks = len(w.tasks)
	w.info.Splits["train"] = fmt.Sprintf("0:%d", w.info.TotalEpisodes)
	for name, g := range e.stats {
		w.stats[name].merge(g)
	}
	w.episode = nil
	return w.writeMeta()
}

// row gives the episode's row of meta/episodes.
func (e *Episode) row() (cols []column, values []any) {
	put := func(c column, v any) { cols, values = append(cols, c), append(values, v) }
	chunk, file := int64(e.index/filesPerChunk), int64(e.index%filesPerChunk)
	first := int64(e.w.info.TotalFrames)
	put(int64s("episode_index"), int64(e.index))
	put(texts("tasks").listed(1), []string{e.task})
	put(int64s("length"), int64(e.frames))
	put(int64s("data/chunk_index"), chunk)
	put(int64s("data/file_index"), file)
	put(int64s("dataset_from_index"), first)
	put(int64s("dataset_to_index"), first+int64(e.frames))
	put(int64s("meta/episodes/chunk_index"), chunk)
	put(int64s("meta/episodes/file_index"), file)
	for _, c := range e.w.o.Cameras {
		video := "videos/" + imagePrefix + c.Name
		put(int64s(video+"/chunk_index"), chunk)
		put(int64s(video+"/file_index"), file)
		put(float64s(video+"/from_timestamp"), 0.0)
		put(float64s(video+"/to_timestamp"), float64(e.frames)/float64(e.w.o.FPS))
	}
	var names []string
	for name := range e.stats {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		g := e.stats[name]
		depth := 1
		if g.picture {
			depth = 3
		}
		for _, stat := range statNames {
			if key := "stats/" + name + "/" + stat; stat == "count" {
				put(int64s(key).listed(1), []int64{int64(g.count)})
			} else {
				put(float64s(key).listed(depth), g.feature.stat(stat))
			}
		}
	}
	return cols, values
}

// Abandon throws the episode away.
func (e *Episode) Abandon() error {
	if e.data != nil {
		e.data.abandon()
		e.data = nil
	}
	for _, v := range e.videos {
		_ = v.end(false) // what it had is thrown away
	}
	e.w.episode = nil
	errs := []error{removed(e.dataPath + part)}
	for _, path := range e.videoPaths {
		errs = append(errs, removed(partOf(path)))
	}
	return errors.Join(errs...)
}

// removed removes a file that may be gone already.
func removed(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
