package vla

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"

	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/robot/hand"
)

// ErrRobot marks a policy that was trained for another robot.
var ErrRobot = errors.New("the policy was trained for another robot")

// Policy is a compiled network. Sessions share it.
type Policy struct {
	Config  *Config
	program *kernels.Program
	ports   ports
}

// maxWeights bounds model.safetensors, bytes: a policy of this kind has some
// millions of numbers.
const maxWeights = 512 << 20

// Open reads the policy of a folder for the robot d. Close it after its sessions.
func Open(dir string, d *robot.Description, backend kernels.Backend, o kernels.Options) (*Policy, error) {
	p, err := OpenFS(os.DirFS(dir), d, backend, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return p, nil
}

// OpenFS is Open of a folder that may be part of the program.
func OpenFS(folder fs.FS, d *robot.Description, backend kernels.Backend, o kernels.Options) (*Policy, error) {
	c, err := ReadConfig(folder)
	if err != nil {
		return nil, err
	}
	if c.Robot != d.Name {
		return nil, fmt.Errorf("policy: it is for the robot %q, this is %q: %w (train one with kuai demos and make train-vla)", c.Robot, d.Name, ErrRobot)
	}
	data, err := readFile(folder, "model.safetensors", maxWeights)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	f, err := checkpoint.ParseSafetensors(data)
	if err != nil {
		return nil, fmt.Errorf("policy: model.safetensors: %w", err)
	}
	p := &Policy{Config: c}
	n, err := load(f, c)
	if err == nil {
		g := kernels.NewGraph("vla")
		p.ports = n.build(g)
		p.program, err = kernels.Compile(g, backend, o)
	}
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	return p, nil
}

// Close frees the weights.
func (p *Policy) Close() error { return p.program.Close() }

// flowSteps is in how many steps a flow goes from noise to actions.
const flowSteps = 5

// timeWaves is how many sines and cosines tell the time of a flow.
const timeWaves = 8

// Input is what the policy goes by.
type Input struct {
	Front, Wrist *robot.Frame
	Phrase       string
	Features     [hand.Features]float32
}

// Output is what it makes of it. Its slices are overwritten by the next Predict.
type Output struct {
	// Moves are relative to the present hand, Grip from shut; m and rad.
	Moves []hand.Hand
	// Done is the probability at each step that the skill is over.
	Done []float64
	// Where is where the first and the second thing are that the phrase names, m;
	// of a thing that it does not name this says nothing.
	Where [2]robot.Vec3
	// Sure is how the front picture's cells (Config.Cells, row by row) share what is
	// looked at for each of the two things.
	Sure [2][]float32
	// Judged says that the policy has a judge: Can is how likely the skill is to
	// succeed from here, Holds that what it is for is so now.
	Judged     bool
	Can, Holds float64
}

// Session is one user of a Policy.
type Session struct {
	policy  *Policy
	session *kernels.Session
	out     Output
	random  *rand.Rand
}

// NewSession makes a session; seed is that of the noise of a flow.
func (p *Policy) NewSession(seed uint64) (*Session, error) {
	s, err := p.program.NewSession()
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	rows, columns := p.Config.Cells()
	out := Output{Moves: make([]hand.Hand, p.Config.Horizon), Done: make([]float64, p.Config.Horizon), Judged: p.Config.Judge > 0}
	for i := range out.Sure {
		out.Sure[i] = make([]float32, rows*columns)
	}
	return &Session{policy: p, session: s, random: rand.New(rand.NewPCG(seed, 0x666c6f77)), out: out}, nil
}

// Close frees the session.
func (s *Session) Close() error { return s.session.Close() }

// Predict runs the network once, or flowSteps times where it is a flow.
func (s *Session) Predict(ctx context.Context, in *Input) (*Output, error) {
	p, c := &s.policy.ports, s.policy.Config
	if in.Front == nil || in.Wrist == nil {
		return nil, errors.New("policy: needs the pictures of the front and the wrist camera")
	}
	if err := Shrink(s.session.U8(p.front), c.Front, in.Front); err != nil {
		return nil, err
	}
	if err := Shrink(s.session.U8(p.wrist), c.Wrist, in.Wrist); err != nil {
		return nil, err
	}
	c.Encode(in.Phrase, s.session.I32(p.words))
	copy(s.session.F32(p.features), in.Features[:])
	if c.Flow {
		return s.flow(ctx)
	}
	if err := s.session.Run(ctx); err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	return s.read(s.session.F32(p.action))
}

// flow follows the field from noise at time 0 to actions at time 1.
func (s *Session) flow(ctx context.Context) (*Output, error) {
	p := &s.policy.ports
	x := s.session.F32(p.noise)
	for i := range x {
		x[i] = float32(s.random.NormFloat64())
	}
	for k := range flowSteps {
		waves(float64(k)/flowSteps, s.session.F32(p.time))
		if err := s.session.Run(ctx); err != nil {
			return nil, fmt.Errorf("policy: %w", err)
		}
		for i, v := range s.session.F32(p.action) {
			x[i] += v / flowSteps
		}
	}
	return s.read(x)
}

func waves(time float64, out []float32) {
	for i := range timeWaves / 2 {
		sin, cos := math.Sincos(time * math.Pi * float64(int(1)<<i))
		out[i], out[i+timeWaves/2] = float32(sin), float32(cos)
	}
}

// read turns the network's numbers into hands. Numbers that are none are an
// error: a network that diverged moves nothing.
func (s *Session) read(actions []float32) (*Output, error) {
	p, c := &s.policy.ports, s.policy.Config
	done, where := s.session.F32(p.done), s.session.F32(p.where)
	for k := range s.out.Moves {
		var v [hand.Size]float64
		for i := range v {
			v[i] = float64(actions[k*hand.Size+i]) * c.Scale[i]
			if math.IsNaN(v[i]) || math.IsInf(v[i], 0) {
				return nil, fmt.Errorf("policy: action %d of step %d is %g", i, k, v[i])
			}
		}
		s.out.Moves[k] = hand.Of(v)
		s.out.Moves[k].Grip += c.MiddleGrip
		s.out.Done[k] = float64(done[k])
	}
	for i := range s.out.Where {
		for j := range 3 {
			s.out.Where[i][j] = float64(where[3*i+j]) * c.PlaceScale
		}
		channels := c.Stem[len(c.Stem)-1]
		for part, v := range p.sure {
			shares := s.session.F32(v)[i*channels : (i+1)*channels]
			copy(s.out.Sure[i][part*channels:], shares)
		}
	}
	if s.out.Judged {
		judge := s.session.F32(p.judge)
		s.out.Can, s.out.Holds = float64(judge[0]), float64(judge[1])
	}
	return &s.out, nil
}
