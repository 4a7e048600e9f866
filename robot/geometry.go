package robot

import "math"

// Vec3 is a point or direction in metres, right-handed, z up.
type Vec3 [3]float64

// Add gives v + w.
func (v Vec3) Add(w Vec3) Vec3 { return Vec3{v[0] + w[0], v[1] + w[1], v[2] + w[2]} }

// Sub gives v − w.
func (v Vec3) Sub(w Vec3) Vec3 { return Vec3{v[0] - w[0], v[1] - w[1], v[2] - w[2]} }

// Scale gives s·v.
func (v Vec3) Scale(s float64) Vec3 { return Vec3{s * v[0], s * v[1], s * v[2]} }

// Dot gives the inner product.
func (v Vec3) Dot(w Vec3) float64 { return v[0]*w[0] + v[1]*w[1] + v[2]*w[2] }

// Cross gives v × w.
func (v Vec3) Cross(w Vec3) Vec3 {
	return Vec3{v[1]*w[2] - v[2]*w[1], v[2]*w[0] - v[0]*w[2], v[0]*w[1] - v[1]*w[0]}
}

// Norm gives the Euclidean length.
func (v Vec3) Norm() float64 { return math.Sqrt(v.Dot(v)) }

// Quat is a unit quaternion (w, x, y, z), MuJoCo's order.
type Quat [4]float64

// IdentityQuat is no rotation.
var IdentityQuat = Quat{1, 0, 0, 0}

// AxisAngle gives the rotation by rad about axis, which must have length 1.
func AxisAngle(axis Vec3, rad float64) Quat {
	s, c := math.Sincos(rad / 2)
	return Quat{c, s * axis[0], s * axis[1], s * axis[2]}
}

// Mul gives the rotation r followed by q.
func (q Quat) Mul(r Quat) Quat {
	return Quat{
		q[0]*r[0] - q[1]*r[1] - q[2]*r[2] - q[3]*r[3],
		q[0]*r[1] + q[1]*r[0] + q[2]*r[3] - q[3]*r[2],
		q[0]*r[2] - q[1]*r[3] + q[2]*r[0] + q[3]*r[1],
		q[0]*r[3] + q[1]*r[2] - q[2]*r[1] + q[3]*r[0],
	}
}

// Inverse gives the rotation back.
func (q Quat) Inverse() Quat { return Quat{q[0], -q[1], -q[2], -q[3]} }

func (q Quat) norm() float64 {
	return math.Sqrt(q[0]*q[0] + q[1]*q[1] + q[2]*q[2] + q[3]*q[3])
}

// Rotate applies q to v.
func (q Quat) Rotate(v Vec3) Vec3 {
	u := Vec3{q[1], q[2], q[3]}
	t := u.Cross(v).Scale(2)
	return v.Add(t.Scale(q[0])).Add(u.Cross(t))
}

// Pose is a position and orientation in some parent frame.
type Pose struct {
	Position    Vec3 `json:"position" yaml:"position"`
	Orientation Quat `json:"orientation" yaml:"orientation"`
}

// IdentityPose is the parent frame itself.
var IdentityPose = Pose{Orientation: IdentityQuat}

// Mul gives child, known in p's frame, in the frame p is known in.
func (p Pose) Mul(child Pose) Pose {
	return Pose{
		Position:    p.Position.Add(p.Orientation.Rotate(child.Position)),
		Orientation: p.Orientation.Mul(child.Orientation),
	}
}

// Transform gives point, known in p's frame, in the frame p is known in.
func (p Pose) Transform(point Vec3) Vec3 { return p.Position.Add(p.Orientation.Rotate(point)) }
