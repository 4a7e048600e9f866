package daemon

import (
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/policy/agent"
)

// aim notes what the step that u tells of is about.
func (d *Daemon) aim(u *agent.Update) {
	if u.Kind != agent.StepStarted {
		d.targets.Store(nil)
		return
	}
	args := u.Plan.Steps[u.Step-1].Skill.Args
	d.targets.Store(&args)
}

// marks gives where the objects of the running step show in the simulator's
// pictures. Of other cameras nobody knows the pose.
func (d *Daemon) marks() []topics.Mark {
	names := d.targets.Load()
	if d.sim == nil || names == nil {
		return nil
	}
	c := &d.config.Sim
	aspect := float64(c.Camera.Width) / float64(c.Camera.Height)
	scene := d.sim.world.Scene()
	var marks []topics.Mark
	for _, camera := range d.sim.world.Cameras() {
		if !d.filmed(camera) {
			continue
		}
		for _, name := range *names {
			o, found := scene.Find(name)
			if !found {
				continue
			}
			if s, ok := d.sim.world.Project(camera, aspect, o.Pose.Position); ok {
				across := max(o.Size[0], o.Size[1], o.Size[2])
				marks = append(marks, topics.Mark{Camera: camera, Name: name, X: s.X, Y: s.Y, Size: s.Scale * across})
			}
		}
	}
	return marks
}

// filmed says whether the camera of this name shows the simulator's pictures.
func (d *Daemon) filmed(camera string) bool {
	for i := range d.config.Cameras {
		if c := &d.config.Cameras[i]; c.Name == camera {
			return c.URL == "rtsp://"+d.config.Sim.RTSP.Listen+"/"+camera
		}
	}
	return false
}
