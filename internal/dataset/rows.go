package dataset

import "fmt"

// Row is one frame without its pictures. Velocity and Effort are nil where the
// dataset has none.
type Row struct {
	// Frame counts from 0 in its episode.
	Frame                           int
	State, Velocity, Effort, Action []float64
}

// Rows calls each with the rows of an episode in their order.
func (d *Dataset) Rows(e *EpisodeInfo, each func(*Row) error) error {
	name, err := expand(d.Info.DataPath, "", e.chunk, e.file)
	if err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	wanted := []string{"episode_index", "frame_index", featureState, featureAction}
	for _, name := range []string{featureVelocity, featureEffort} {
		if f, ok := d.Info.Features[name]; ok && len(f.Shape) == 1 && f.Shape[0] == d.Info.Features[featureState].Shape[0] {
			wanted = append(wanted, name)
		}
	}
	count := int64(0)
	err = readTable(d.path(name), wanted, func(v values) error {
		index, err := v.number("episode_index")
		if err != nil || index != e.Index {
			return err
		}
		row, err := d.row(v)
		if err != nil {
			return err
		}
		if int64(row.Frame) != count {
			return fmt.Errorf("episode %d: frame %d is not where it belongs", e.Index, count)
		}
		count++
		return each(row)
	})
	if err == nil && count != e.Length {
		err = fmt.Errorf("%s: episode %d has %d frames, meta/episodes says %d", name, e.Index, count, e.Length)
	}
	if err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	return nil
}

func (d *Dataset) row(v values) (*Row, error) {
	frame, err := v.number("frame_index")
	if err != nil {
		return nil, err
	}
	r := &Row{Frame: int(frame)}
	for _, c := range []struct {
		name string
		into *[]float64
	}{{featureState, &r.State}, {featureVelocity, &r.Velocity}, {featureEffort, &r.Effort}, {featureAction, &r.Action}} {
		if _, ok := v[c.name]; !ok {
			continue
		}
		if *c.into, err = v.floats(c.name, d.Info.Features[c.name].Shape[0]); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// pictures are those of one camera in one episode.
type pictures struct {
	d     *Dataset
	e     *EpisodeInfo
	name  string
	video *videoReader
	from  float64
	count int64
}

func (d *Dataset) openPictures(e *EpisodeInfo, camera string) (*pictures, error) {
	s := e.videos[camera]
	name, err := expand(d.Info.VideoPath, d.feature(camera), s.chunk, s.file)
	if err != nil {
		return nil, err
	}
	v, err := openVideo(d.path(name))
	if err != nil {
		return nil, err
	}
	// Time stamps of a video are rounded to its own units.
	return &pictures{d: d, e: e, name: name, video: v, from: s.from - 0.5/float64(d.Info.FPS)}, nil
}

// next gives the next picture of the episode.
func (p *pictures) next() (videoPicture, error) {
	for {
		v, ok, err := p.video.next()
		switch {
		case err != nil:
			return v, fmt.Errorf("%s: %w", p.name, err)
		case !ok:
			return v, fmt.Errorf("%s: episode %d ends after %d of %d pictures", p.name, p.e.Index, p.count, p.e.Length)
		case v.seconds >= p.from:
			p.count++
			return v, nil
		}
	}
}

func (p *pictures) close() { p.video.close() }
