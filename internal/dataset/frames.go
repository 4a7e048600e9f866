package dataset

import "github.com/kuai-robot/kuai/robot"

// Frames calls each with the rows of an episode in their order and the pictures of
// each, in the order of Cameras. The pictures are each's own.
func (d *Dataset) Frames(e *EpisodeInfo, each func(*Row, []robot.Frame) error) error {
	var videos []*pictures
	defer func() {
		for _, v := range videos {
			v.close()
		}
	}()
	for _, c := range d.Cameras {
		v, err := d.openPictures(e, c)
		if err != nil {
			return err
		}
		videos = append(videos, v)
	}
	return d.Rows(e, func(r *Row) error {
		frames := make([]robot.Frame, len(videos))
		for i, v := range videos {
			p, err := v.next()
			if err != nil {
				return err
			}
			frames[i] = robot.Frame{Camera: d.Cameras[i], Width: p.width, Height: p.height, Pixels: append([]byte(nil), p.rgb...)}
		}
		return each(r, frames)
	})
}
