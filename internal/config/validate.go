package config

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

// Validate says everything that is wrong with c, each with its key, or nil.
func (c *Config) Validate() error {
	var errs []error
	for _, p := range c.problems() {
		errs = append(errs, fmt.Errorf("%s: %s", p.key, p.why))
	}
	return errors.Join(errs...)
}

// problem is a value that makes no sense.
type problem struct{ key, why string }

// checker gathers problems.
type checker []problem

func (k *checker) require(ok bool, key, format string, args ...any) {
	if !ok {
		*k = append(*k, problem{key, fmt.Sprintf(format, args...)})
	}
}

func (k *checker) oneOf(key, value string, known ...string) {
	k.require(slices.Contains(known, value), key, "%q is not known (did you mean %s? there is %s)",
		clip(value), robot.Nearest(clip(value), known), strings.Join(known, ", "))
}

func (k *checker) within(key string, value, low, high float64, unit string) {
	k.require(value >= low && value <= high, key, "%g is not %g to %g%s", value, low, high, unit)
}

func (k *checker) positive(key string, d time.Duration) {
	k.require(d > 0, key, "%v must be above 0s", d)
}

func (k *checker) listen(key, address string) {
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	k.require(err == nil, key, "%q is not HOST:PORT such as 127.0.0.1:8080", clip(address))
}

func (c *Config) problems() []problem {
	var k checker
	k.require(validName(c.Robot.Name), "robot.name", "%q: needs 1 to 64 letters, digits, - and _", clip(c.Robot.Name))
	k.require(c.Robot.Description != "", "robot.description", "is empty (%s is built in)", BuiltInRobot)
	k.oneOf("robot.driver", c.Robot.Driver, DriverSim, DriverMQTT, DriverFeetech, DriverGobot)
	k.require(c.Robot.Driver != DriverGobot || c.Robot.Pins != "", "robot.pins", "is empty: %s needs to know which joint hangs on which pin (docs/own-robot.md)", DriverGobot)
	k.require(c.Robot.Driver != DriverSim || c.Robot.Description == robotOf(c.Sim.World), "robot.description",
		"%q: the simulator knows %s alone where sim.world is %s", clip(c.Robot.Description), robotOf(c.Sim.World), clip(c.Sim.World))
	c.checkServos(&k)
	c.checkSim(&k)
	c.checkCameras(&k)
	c.checkNetwork(&k)
	k.within("control.rate_hz", c.Control.RateHz, 10, 1000, " Hz")
	c.Safety.check(&k)
	c.checkPlanner(&k)
	c.Voice.check(&k, c.Robot.Driver)
	k.require(c.Record.BudgetGB > 0 && !math.IsInf(c.Record.BudgetGB, 0), "record.budget_gb", "%g must be above 0", c.Record.BudgetGB)
	k.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	k.oneOf("log.format", c.Log.Format, "text", "json")
	return k
}

// serialBauds are what a servo can be set to and Linux has a name for.
var serialBauds = []int{38400, 57600, 115200, 500_000, 1_000_000}

func (c *Config) checkServos(k *checker) {
	f := &c.Robot.Feetech
	if c.Robot.Driver == DriverFeetech {
		k.require(f.Port != "", "robot.feetech.port", "is empty (ls /dev/serial/by-id shows what is plugged in)")
		k.require(f.Calibration != "", "robot.feetech.calibration", "is empty (name a file and let kuai calibrate write it)")
	}
	k.require(slices.Contains(serialBauds, f.Baud), "robot.feetech.baud", "%d is not one of %v", f.Baud, serialBauds)
	k.require(f.Timeout > 0 && f.Timeout <= 10*time.Second, "robot.feetech.timeout", "%v must be above 0s and at most 10s", f.Timeout)
	ids := map[int]bool{}
	for i, j := range f.Joints {
		key := fmt.Sprintf("robot.feetech.joints[%d]", i)
		k.require(j.Name != "", key+".name", "is empty")
		k.require(j.ID >= 0 && j.ID <= 253, key+".id", "%d is not 0 to 253", j.ID)
		k.require(!ids[j.ID], key+".id", "%d stands there twice", j.ID)
		ids[j.ID] = true
		k.within(key+".per_turn", j.PerTurn, 0, 1e3, "")
		k.within(key+".stall_effort", j.StallEffort, 0, 1e4, "")
	}
}

func (c *Config) checkSim(k *checker) {
	k.within("sim.camera.width", float64(c.Sim.Camera.Width), 16, 4096, " pixels")
	k.within("sim.camera.height", float64(c.Sim.Camera.Height), 16, 4096, " pixels")
	k.within("sim.camera.rate_hz", c.Sim.Camera.RateHz, 0.1, 120, " Hz")
	k.oneOf("sim.world", c.Sim.World, Worlds()...)
	k.require(len(c.Sim.Demo) <= 2000, "sim.demo", "has %d bytes, at most 2000 are read", len(c.Sim.Demo))
	k.listen("sim.rtsp.listen", c.Sim.RTSP.Listen)
}

func (c *Config) checkCameras(k *checker) {
	seen := map[string]bool{}
	for i, camera := range c.Cameras {
		key := fmt.Sprintf("cameras[%d]", i)
		k.require(validName(camera.Name), key+".name", "%q: needs 1 to 64 letters, digits, - and _", clip(camera.Name))
		k.require(!seen[camera.Name], key+".name", "two cameras are called %q", clip(camera.Name))
		seen[camera.Name] = true
		u, err := url.Parse(camera.URL)
		k.require(err == nil && slices.Contains([]string{"rtsp", "rtsps", "usb", "file"}, u.Scheme), key+".url",
			"not rtsp://HOST:PORT/PATH, usb:0 or file:PATH")
		k.require(camera.Width >= 0 && camera.Height >= 0, key+".width", "width and height must not be negative")
		k.require(camera.RateHz >= 0 && camera.RateHz <= 1000, key+".rate_hz", "%g is not 0 to 1000 Hz", camera.RateHz)
		k.positive(key+".freeze", camera.Freeze)
		k.require(camera.Still >= 0, key+".still", "%v must not be negative", camera.Still)
	}
}

func (c *Config) checkNetwork(k *checker) {
	if c.Broker.URL == "" {
		k.listen("broker.listen", c.Broker.Listen)
	} else {
		u, err := url.Parse(c.Broker.URL)
		k.require(err == nil && slices.Contains([]string{"tcp", "mqtt", "ssl", "mqtts", "ws", "wss"}, u.Scheme) && u.Host != "",
			"broker.url", "not tcp://HOST:1883, ssl://HOST:8883, ws:// or wss://")
	}
	k.require(c.Broker.Password == "" || c.Broker.PasswordFile == "", "broker.password", "give either password or password_file")
	k.require((c.Broker.Certificate == "") == (c.Broker.Key == ""), "broker.certificate", "needs broker.key, and the key it")
	seen := map[string]bool{}
	for i, u := range c.Access.Users {
		key := fmt.Sprintf("access.users[%d]", i)
		k.require(u.Name != "", key+".name", "is empty")
		k.require(!seen[u.Name], key+".name", "two users are called %q", clip(u.Name))
		seen[u.Name] = true
		k.oneOf(key+".role", u.Role, "view", "operate", "configure")
		k.require(u.Password == "" || u.PasswordFile == "", key+".password", "give either password or password_file")
		k.require(u.Password != "" || u.PasswordFile != "" || u.Certificate != "", key, "needs password, password_file or certificate")
	}
	k.require((c.TLS.Certificate == "") == (c.TLS.Key == ""), "tls.certificate", "needs tls.key, and the key it")
	k.require(c.TLS.ClientCA == "" || c.TLS.Certificate != "", "tls.client_ca", "needs tls.certificate")
	if c.Web.Listen != "" {
		k.listen("web.listen", c.Web.Listen)
	}
}

func (c *Config) checkPlanner(k *checker) {
	p := &c.Planner
	k.require(p.Model != "", "planner.model", "is empty (see kuai models list)")
	k.oneOf("planner.backend", p.Backend, BackendCPU, BackendRef, BackendCUDA)
	k.within("planner.threads", float64(p.Threads), 0, 256, "")
	k.require(p.Adapter != "", "planner.adapter", "is empty (want %s, %s or a folder)", Auto, None)
	k.require(p.Catalogue != "", "planner.catalogue", "is empty (%s, %s and %s are built in)", Tabletop, Workbench, Kitchen)
	k.within("planner.max_steps", float64(p.MaxSteps), 1, 1000, "")
	k.within("planner.max_seconds", p.MaxSeconds, 1, 86400, " s")
	k.within("planner.retries", float64(p.Retries), 0, 100, "")
	k.within("planner.candidates", float64(p.Candidates), 1, 100, "")
	k.require(len(p.Persona) <= 200, "planner.persona", "has %d bytes, at most 200", len(p.Persona))
	p.Remote.check(k)
	k.oneOf("affordance", c.Affordance, Scripted, Learned, None)
	k.require(c.Affordance != Learned || c.Runner == Learned, "affordance", "%s judges what the learned policy can do, and runner is %s (set runner to %s)", Learned, c.Runner, Learned)
	k.oneOf("runner", c.Runner, Scripted, Learned, None)
	k.oneOf("chunking", c.Chunking, Plain, RealTime)
	k.require(c.Policy != "", "policy", "is empty (want %s or a folder)", Auto)
	if c.Robot.Driver != DriverSim {
		k.require(c.Runner != Scripted, "runner", "%s reads the simulator's state, and robot.driver is %s (set it to %s)", Scripted, c.Robot.Driver, None)
		k.require(c.Affordance != Scripted, "affordance", "%s reads the simulator's state, and robot.driver is %s (set it to %s)", Scripted, c.Robot.Driver, None)
	}
}

func (s *Safety) check(k *checker) {
	for _, r := range []struct {
		key string
		Rule
	}{{"safety.policy", s.Policy}, {"safety.skill", s.Skill}, {"safety.teleop", s.Teleop}} {
		k.positive(r.key+".expiry", r.Expiry)
		k.positive(r.key+".max_age", r.MaxAge)
		k.require(r.Speed > 0 && r.Speed <= 1, r.key+".speed", "%g must be above 0 and at most 1", r.Speed)
	}
	k.positive("safety.max_state_age", s.MaxStateAge)
	k.positive("safety.max_tick", s.MaxTick)
	k.require(s.Ramp >= 0, "safety.ramp", "%v must not be negative", s.Ramp)
	k.within("safety.ramp_floor", s.RampFloor, 0, 1, "")
	k.within("safety.recovery", s.Recovery, 0, 1, "")
	k.require(s.DerateBand > 0 && s.DerateBand <= 1000, "safety.derate_band", "%g must be above 0 °C", s.DerateBand)
	k.within("safety.release_above", s.ReleaseAbove, 0, 1000, " °C")
	k.require(s.StallEffort > 0 && s.StallEffort <= 1, "safety.stall_effort", "%g must be above 0 and at most 1", s.StallEffort)
	k.within("safety.stall_velocity", s.StallVelocity, 0, 1, "")
	k.positive("safety.stall_time", s.StallTime)
	k.require(s.BackOff > s.StallTime, "safety.back_off", "%v must be longer than stall_time %v", s.BackOff, s.StallTime)
	k.require(s.StallTries > 0, "safety.stall_tries", "%d must be above 0", s.StallTries)
	k.require(s.StallForget > s.BackOff, "safety.stall_forget", "%v must be longer than back_off %v", s.StallForget, s.BackOff)
	k.within("safety.clearance", s.Clearance, 0, 10, " m")
}

// validName says whether name can stand in a topic and in a URL.
func validName(name string) bool {
	if name == "" || len(name) > 64 {
		return false
	}
	for _, r := range name {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_') {
			return false
		}
	}
	return true
}
