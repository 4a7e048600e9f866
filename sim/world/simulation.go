package world

import "github.com/kuai-robot/kuai/robot"

// step moves n physics steps on and keeps what is not in the scene where it is
// parked.
func (s *simulation) step(n int, p *parts) error {
	for range n {
		if err := s.data.Step(1); err != nil {
			return err
		}
		s.park(p)
	}
	return nil
}

func (s *simulation) park(p *parts) {
	qpos, qvel := s.data.QPos(), s.data.QVel()
	for i, present := range s.present {
		if present {
			continue
		}
		if p.mocap[i] >= 0 {
			qpos[p.qpos[i]], qvel[p.dof[i]] = 0, 0
			continue
		}
		setPose(qpos[p.qpos[i]:], robot.Pose{Position: things[i].parked, Orientation: robot.IdentityQuat})
		clear(qvel[p.dof[i] : p.dof[i]+6])
	}
}

// put places thing i, on its mocap body when it is a fixture.
func (s *simulation) put(p *parts, i int, pose robot.Pose) {
	if p.mocap[i] < 0 {
		setPose(s.data.QPos()[p.qpos[i]:], pose)
		return
	}
	position, orientation := s.data.MocapPose(p.mocap[i])
	copy(position, pose.Position[:])
	copy(orientation, pose.Orientation[:])
}

// pose of thing i; of a fixture that of its frame, and how far its part slid.
func (s *simulation) pose(p *parts, i int) (pose robot.Pose, slid float64) {
	if p.mocap[i] < 0 {
		return poseAt(s.data.QPos()[p.qpos[i]:]), 0
	}
	position, orientation := s.data.MocapPose(p.mocap[i])
	return robot.Pose{Position: robot.Vec3(position), Orientation: robot.Quat(orientation)}, s.data.QPos()[p.qpos[i]]
}

// setPose writes a pose where a free joint's position begins.
func setPose(qpos []float64, pose robot.Pose) {
	copy(qpos[:3], pose.Position[:])
	copy(qpos[3:7], pose.Orientation[:])
}

// poseAt reads a pose from where a free joint's position begins.
func poseAt(qpos []float64) robot.Pose {
	return robot.Pose{Position: robot.Vec3(qpos[:3]), Orientation: robot.Quat(qpos[3:7])}
}
