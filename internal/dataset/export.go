package dataset

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sort"
	"time"

	"github.com/kuai-robot/kuai/internal/record"
	"github.com/kuai-robot/kuai/internal/replay"
	"github.com/kuai-robot/kuai/robot"
)

// ExportOptions say what of recordings becomes a dataset.
type ExportOptions struct {
	// FPS is the rate of the frames; 0: that of the slowest camera.
	FPS int
	// Failed takes episodes that failed as well.
	Failed bool
	// Teleop, where it is not empty, is the task that a person demonstrated by
	// steering: each stretch of it becomes an episode, and nothing else does.
	Teleop string
	// Anonymise hides faces, scrubs texts and leaves sound out; Exported says
	// what was removed.
	Anonymise bool
	// Progress is told of each episode that is begun; nil: nobody.
	Progress func(number, of int, instruction string)
}

// Exported says what became of recordings.
type Exported struct {
	Episodes int      `json:"episodes"`
	Frames   int      `json:"frames"`
	FPS      int      `json:"fps"`
	Joints   []string `json:"joints"`
	Cameras  []string `json:"cameras"`
	// Skipped says which episodes are not in the dataset, and why.
	Skipped []string `json:"skipped,omitempty"`
	// Removed says what was taken out; nil when nothing was to be.
	Removed *Removed `json:"removed,omitempty"`
}

// Removed is the report of an anonymised export.
type Removed struct {
	// Faces were hidden in so many frames of each camera.
	Faces map[string]FaceCount `json:"faces"`
	// Texts counts what was replaced in the tasks, by kind.
	Texts map[string]int `json:"texts"`
	// SoundSeconds of each microphone were left out.
	SoundSeconds map[string]float64 `json:"sound_seconds"`
}

// FaceCount counts faces and the frames that had one.
type FaceCount struct {
	Faces  int `json:"faces"`
	Frames int `json:"frames"`
}

// exporter writes one dataset.
type exporter struct {
	ctx     context.Context
	o       ExportOptions
	w       *Writer
	done    Exported
	faces   []*faces // of each camera; nil unless anonymised
	episode *Episode
	total   int
	number  int
}

// Export writes the episodes of the recordings as a dataset in dir. Recordings
// of different robots or cameras do not fit into one.
func Export(ctx context.Context, files []string, dir string, o ExportOptions) (done *Exported, err error) {
	runs, err := scan(files)
	if err != nil {
		return nil, err
	}
	x := &exporter{ctx: ctx, o: o}
	settings, err := x.settings(runs)
	if err != nil {
		return nil, err
	}
	if x.total == 0 {
		return nil, errors.New("dataset: no episode that came to its end is in the recordings" + x.hint())
	}
	if x.w, err = Create(dir, settings); err != nil {
		return nil, err
	}
	if o.Anonymise {
		defer func() {
			for _, f := range x.faces {
				err = errors.Join(err, f.close())
			}
		}()
		if err := x.anonymise(runs, settings); err != nil {
			return nil, err
		}
	}
	for _, r := range runs {
		if err := x.run(r, settings); err != nil {
			if x.episode != nil {
				err = errors.Join(err, x.episode.Abandon())
			}
			return nil, err
		}
	}
	x.finish(settings)
	if x.done.Episodes == 0 {
		return nil, fmt.Errorf("dataset: no episode could be taken: %s", x.done.Skipped[len(x.done.Skipped)-1])
	}
	return &x.done, nil
}

func (x *exporter) hint() string {
	if x.o.Teleop != "" {
		return fmt.Sprintf(", nor did anybody steer for %v", steerLeast)
	}
	if len(x.done.Skipped) > 0 && !x.o.Failed {
		return " and succeeded (--failed takes those that failed as well)"
	}
	return ""
}

// settings gives what fits all runs, and picks their episodes.
func (x *exporter) settings(runs []*run) (Options, error) {
	var common Options
	for i, r := range runs {
		o, err := r.options(x.o.FPS)
		if err != nil {
			return o, err
		}
		if i == 0 {
			common = o
		}
		common.FPS = min(common.FPS, o.FPS)
		if !slices.Equal(o.Joints, common.Joints) || !slices.Equal(o.Cameras, common.Cameras) {
			return o, fmt.Errorf("dataset: %s has joints %v and cameras %v, %s has %v and %v (export them apart)",
				r.files[0], o.Joints, o.Cameras, runs[0].files[0], common.Joints, common.Cameras)
		}
		if x.o.Teleop != "" {
			r.episodes = r.steering.episodes(x.o.Teleop)
		}
		sort.SliceStable(r.episodes, func(i, k int) bool { return r.episodes[i].Started < r.episodes[k].Started })
		r.episodes = slices.DeleteFunc(r.episodes, x.unwanted)
		x.total += len(r.episodes)
	}
	return common, nil
}

// maxEpisode bounds an episode: a recording may say anything.
const maxEpisode = time.Hour

// unwanted says whether an episode is left out, and notes why.
func (x *exporter) unwanted(e replay.Episode) bool {
	switch took := e.Ended.Sub(e.Started); {
	case e.Started < 0 || took < 0 || took > maxEpisode:
		x.skip(&e, fmt.Sprintf("it took %v, at most %v are taken", took, maxEpisode))
	case e.Status != robot.Succeeded.String() && !x.o.Failed:
		x.skip(&e, "it "+e.Status+": "+e.Reason)
	default:
		return false
	}
	return true
}

func (x *exporter) skip(e *replay.Episode, why string) {
	x.done.Skipped = append(x.done.Skipped, fmt.Sprintf("%q at %v: %s", e.Instruction, e.Started, why))
}

// anonymise readies what hides faces and says what is left out.
func (x *exporter) anonymise(runs []*run, o Options) error {
	x.done.Removed = &Removed{Faces: map[string]FaceCount{}, Texts: map[string]int{}, SoundSeconds: map[string]float64{}}
	for range o.Cameras {
		f, err := newFaces(o.FPS)
		if err != nil {
			return err
		}
		x.faces = append(x.faces, f)
	}
	for _, r := range runs {
		for name, seconds := range r.sound {
			x.done.Removed.SoundSeconds[name] += seconds
		}
	}
	return nil
}

func (x *exporter) run(r *run, o Options) error {
	s := &sampler{
		cameras: o.Cameras, fps: o.FPS, episodes: r.episodes,
		begin: x.begin, frame: x.frame, end: x.end, pictures: make([][]shot, len(o.Cameras)),
	}
	for _, path := range r.files {
		if _, err := record.Read(path, s.take); err != nil {
			return err
		}
	}
	return s.until(math.MaxInt64)
}

func (x *exporter) begin(e *replay.Episode) (err error) {
	if err := x.ctx.Err(); err != nil {
		return err
	}
	x.number++
	if x.o.Progress != nil {
		x.o.Progress(x.number, x.total, e.Instruction)
	}
	task := e.Instruction
	if x.o.Anonymise {
		task = scrub(task, func(kind string) { x.done.Removed.Texts[kind]++ })
		for _, f := range x.faces {
			f.forget()
		}
	}
	x.episode, err = x.w.Begin(task)
	return err
}

func (x *exporter) frame(f *Frame) error {
	for i, hider := range x.faces {
		if err := hider.hide(f.Pictures[i], x.w.o.Cameras[i].Width, x.w.o.Cameras[i].Height); err != nil {
			return err
		}
	}
	return x.episode.Add(f)
}

func (x *exporter) end(e *replay.Episode, why error) error {
	episode := x.episode
	x.episode = nil
	if why != nil {
		x.skip(e, why.Error())
		return episode.Abandon()
	}
	return episode.End()
}

func (x *exporter) finish(o Options) {
	x.done.Episodes, x.done.Frames, x.done.FPS = x.w.info.TotalEpisodes, x.w.info.TotalFrames, o.FPS
	x.done.Joints = o.Joints
	for i, c := range o.Cameras {
		x.done.Cameras = append(x.done.Cameras, c.Name)
		if x.faces != nil {
			x.done.Removed.Faces[c.Name] = FaceCount{x.faces[i].found, x.faces[i].frames}
		}
	}
}

// WriteJSON writes what was done as one line.
func (e *Exported) WriteJSON(w io.Writer) error { return json.NewEncoder(w).Encode(e) }

// WriteText writes what was done for a person.
func (e *Exported) WriteText(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%d episodes, %d frames at %d Hz, %d joints, cameras %v\n", e.Episodes, e.Frames, e.FPS, len(e.Joints), e.Cameras)
	for _, s := range e.Skipped {
		_, also := fmt.Fprintf(w, "left out: %s\n", s)
		err = errors.Join(err, also)
	}
	if r := e.Removed; r != nil {
		_, also := fmt.Fprintf(w, "removed: faces %v, texts %v, sound %v s\nFaces are found by a classifier that misses some: look at the videos before you give them away.\n", r.Faces, r.Texts, r.SoundSeconds)
		err = errors.Join(err, also)
	}
	return err
}
