package robot

// LinkPoses writes the pose of every joint's link in the base frame at
// position q into poses, which must hold len(d.Joints) entries. It allocates
// nothing. d must have passed Validate.
func (d *Description) LinkPoses(q *Joints, poses []Pose) {
	for i := range d.Joints {
		j := &d.Joints[i]
		parent := IdentityPose
		if j.Parent != "" {
			parent = poses[d.Index(j.Parent)]
		}
		motion := IdentityPose
		if j.Kind == Prismatic {
			motion.Position = j.Axis.Scale(q[i])
		} else {
			motion.Orientation = AxisAngle(j.Axis, q[i])
		}
		poses[i] = parent.Mul(j.Origin).Mul(motion)
	}
}

// ToolPose gives the pose of the tool in the base frame at position q.
func (d *Description) ToolPose(q *Joints) Pose {
	var poses [MaxJoints]Pose
	d.LinkPoses(q, poses[:len(d.Joints)])
	link := IdentityPose
	if i := d.Index(d.ToolLink); i >= 0 {
		link = poses[i]
	}
	return link.Mul(d.Tool)
}
