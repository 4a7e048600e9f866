package machine

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/mujoco"
)

// hinge is one joint with a servo, on its side so that weight does not pull.
const hinge = `<mujoco><option timestep="0.002" gravity="0 0 0"/><worldbody><body>
<joint name="hinge" type="hinge" axis="0 0 1" armature="0.05" damping="0.1"/><geom type="box" size=".1 .02 .02" mass="0.2"/></body></worldbody>
<actuator><position name="hinge" joint="hinge" kp="20" kv="1" forcerange="-2 2"/></actuator></mujoco>`

func newMachine(t *testing.T) (*Machine, *error) {
	t.Helper()
	model, err := mujoco.Load([]byte(hinge))
	if err != nil {
		t.Fatal(err)
	}
	data, err := model.NewData()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { data.Close(); model.Close() })
	d := &robot.Description{Joints: []robot.Joint{{Name: "hinge", Limits: robot.Limits{MinPosition: -1, MaxPosition: 1, MaxEffort: 2}}}}
	joints, err := FindJoints(model, d)
	if err != nil {
		t.Fatal(err)
	}
	fails := new(error)
	m := New(Options{Name: "hinge", Description: d, Servos: []Servo{{20, 1}}, Period: 2 * time.Millisecond, Step: func() error {
		return errors.Join(*fails, data.Step(1))
	}})
	m.Lock()
	m.Begin(model, data, joints)
	m.Unlock()
	return m, fails
}

func TestATargetIsHeldWithinTheLimits(t *testing.T) {
	m, _ := newMachine(t)
	if err := m.Write(&robot.Command{Enable: true, Position: robot.Joints{3}}); err != nil {
		t.Fatal(err)
	}
	m.Step(2 * time.Second)
	s, err := m.Read()
	if err != nil || s.Position[0] < 0.99 || s.Position[0] > 1.01 {
		t.Errorf("told 3, limited to 1, the joint stands at %g: %v", s.Position[0], err)
	}
	if s.At != defaultStart.Add(2*time.Second) || s.At != m.Now() {
		t.Errorf("after 2 s the state is of %v, now is %v", s.At, m.Now())
	}
	if s.Temperature[0] <= roomCelsius || s.Temperature[0] > roomCelsius+riseAtMax {
		t.Errorf("the motor that turned has %g °C", s.Temperature[0])
	}
}

func TestAStepThatFailedIsAnErrorUntilTheNextEpisode(t *testing.T) {
	m, fails := newMachine(t)
	*fails = errors.New("it flew apart")
	m.Step(time.Second)
	if _, err := m.Read(); err == nil || !strings.Contains(err.Error(), "hinge: it flew apart") || !strings.Contains(err.Error(), "Reset") {
		t.Errorf("read: %v", err)
	}
	if err := m.Write(&robot.Command{}); err == nil {
		t.Error("write: no error")
	}
	if m.Now() != defaultStart.Add(time.Second) {
		t.Errorf("time stands at %v", m.Now())
	}
	*fails = nil
	m.Lock()
	m.Begin(m.model, m.data, m.joints)
	m.Unlock()
	m.Step(time.Second)
	if _, err := m.Read(); err != nil {
		t.Error(err)
	}
}

func TestAfterTheEndAllIsClosed(t *testing.T) {
	m, _ := newMachine(t)
	m.Lock()
	if !m.End() || m.End() || !m.Closed() {
		t.Error("End does not say that it was open once")
	}
	m.Unlock()
	_, read := m.Read()
	for what, err := range map[string]error{"read": read, "write": m.Write(&robot.Command{}), "run": m.Run(t.Context(), robot.NewManualClock(time.Time{}, 0))} {
		if !errors.Is(err, mujoco.ErrClosed) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestJointsThatAreNotThereAreNamed(t *testing.T) {
	m, _ := newMachine(t)
	d := &robot.Description{Joints: []robot.Joint{{Name: "hinge"}, {Name: "knee"}}}
	if _, err := FindJoints(m.model, d); err == nil || !strings.Contains(err.Error(), "knee") {
		t.Errorf("got %v", err)
	}
}
