package config_test

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kuai-robot/kuai/internal/config"
)

func written(t interface{ Fatal(...any) }, c config.Config) string {
	var out bytes.Buffer
	if err := c.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestDefaultIsValidAndWritesBack(t *testing.T) {
	c := config.Default()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	text := written(t, c)
	again, err := config.Read("written", strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if !reflect.DeepEqual(c, again) {
		t.Errorf("came back as\n%+v\nwant\n%+v", again, c)
	}
	for i, line := range strings.Split(text, "\n") {
		if n := len([]rune(line)); n > 100 {
			t.Errorf("line %d has %d characters: %s", i+1, n, line)
		}
	}
}

func TestEveryKeyIsExplained(t *testing.T) {
	for _, k := range config.Keys() {
		if k.Doc == "" {
			t.Errorf("%s has no comment in schema.go", k.Path)
		}
	}
}

func TestNothingIsTheDefault(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "---\n", "robot:\n  # all of it commented out\n", "{}"} {
		c, err := config.Read("test", strings.NewReader(text))
		if err != nil || !reflect.DeepEqual(c, config.Default()) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestWhatIsNotNamedKeepsItsDefault(t *testing.T) {
	c, err := config.Read("test", strings.NewReader(`
sim: {camera: {width: 640}, demo: ""}
cameras:
  - {name: door, url: "rtsp://10.0.0.7/stream1"}
safety: {teleop: {speed: 0.5}}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	want.Sim.Camera.Width, want.Sim.Demo = 640, ""
	want.Cameras = []config.Camera{{Name: "door", URL: "rtsp://10.0.0.7/stream1", Freeze: 2 * time.Second}}
	want.Safety.Teleop.Speed = 0.5
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got\n%+v\nwant\n%+v", c, want)
	}
}

func TestReadRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"unknown section", "robbot: {name: a}", "line 1: robbot: unknown key (did you mean robot?)"},
		{"unknown key", "sim:\n  camera:\n    widht: 3", "line 3: sim.camera.widht: unknown key (did you mean sim.camera.width?)"},
		{"key of a camera", "cameras:\n  - {name: a, uri: x}", "line 2: cameras[0].uri: unknown key (did you mean cameras[0].url?)"},
		{"key twice", "runner: scripted\nrunner: scripted", "runner"},
		{"no value", "sim:\n  seed:", "line 2: sim.seed: has no value"},
		{"no list", "cameras:", "line 1: cameras: has no value"},
		{"list for a section", "robot: [1]", "line 1: robot: must hold keys such as \"name\""},
		{"section for a list", "cameras: {front: 1}", "must be a list"},
		{"word for a number", "control:\n  rate_hz: fast", `line 2: control.rate_hz: "fast" is not a number`},
		{"half a thread", "planner: {threads: 1.5}", `"1.5" is not a whole number`},
		{"number without unit", "safety: {ramp: 2}", `"2" is not a duration such as 200ms`},
		{"text for a switch", "record: {on: perhaps}", `"perhaps" is not true or false`},
		{"negative seed", "sim: {seed: -1}", "0 or more"},
		{"anchor", "robot: &a {name: x}\nsim: *a", "anchors"},
		{"broken", "robot: {name: ", "line "},
		{"tab", "robot:\n\tname: x", "line 2"},
		{"two documents", "{}\n---\n{}", "second document"},
		{"top is a text", "hello", `must hold keys such as "robot"`},
		{"long", "# " + strings.Repeat("x", 1<<20), "longer than"},
		{"slow loop", "control:\n  rate_hz: 1", "line 2: control.rate_hz: 1 is not 10 to 1000 Hz"},
		{"not a number", "control: {rate_hz: .nan}", "NaN is not 10 to 1000"},
		{"endless budget", "record: {budget_gb: .inf}", "record.budget_gb"},
		{"driver", "robot: {driver: simm}", `"simm" is not known (did you mean sim? there is sim, mqtt, feetech, gobot)`},
		{"servo bus without calibration", `robot: {driver: feetech}`, "robot.feetech.calibration: is empty"},
		{"strange baud", `robot: {feetech: {baud: 9600}}`, "robot.feetech.baud: 9600 is not one of"},
		{"endless timeout", `robot: {feetech: {timeout: 1h}}`, "robot.feetech.timeout"},
		{"broadcast id", `robot: {feetech: {joints: [{name: a, id: 254}]}}`, "robot.feetech.joints[0].id: 254 is not"},
		{"id twice", `robot: {feetech: {joints: [{name: a, id: 1}, {name: b, id: 1}]}}`, "robot.feetech.joints[1].id: 1 stands there twice"},
		{"nameless joint", `robot: {feetech: {joints: [{id: 1}]}}`, "robot.feetech.joints[0].name: is empty"},
		{"name with a slash", `robot: {name: a/b}`, "robot.name"},
		{"own robot in the simulator", `robot: {description: own.yaml}`, "knows so101 alone"},
		{"scripted without simulator", `robot: {driver: mqtt}`, "set it to none"},
		{"camera without url", "cameras: [{name: a}]", "cameras[0].url"},
		{"two cameras", "cameras: [{name: a, url: usb:0}, {name: a, url: usb:1}]", `two cameras are called "a"`},
		{"camera password in an error", "cameras: [{name: a, url: 'http://u:secret@h'}]", "not rtsp"},
		{"address", "web: {listen: 8080}", "is not HOST:PORT"},
		{"broker scheme", "broker: {url: 'http://x'}", "broker.url"},
		{"user without password", "access: {users: [{name: a, role: view}]}", "needs password"},
		{"user without role", "access: {users: [{name: a, password: b}]}", "access.users[0].role"},
		{"user with two passwords", "access: {users: [{name: a, password: b, password_file: c, role: view}]}", "either password"},
		{"half a certificate", "tls: {certificate: a.pem}", "needs tls.key"},
		{"fast teleop", "safety: {teleop: {speed: 1.5}}", "safety.teleop.speed"},
		{"stall", "safety: {back_off: 100ms}", "must be longer than stall_time"},
	} {
		_, err := config.Read("test", strings.NewReader(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error tells a password: %v", c.name, err)
		}
	}
}

func TestAllErrorsAreTold(t *testing.T) {
	_, err := config.Read("robot.yaml", strings.NewReader("robot: {nme: a}\ncontrol: {rate_hz: x}\nlog:\n  level: loud\n"))
	for _, want := range []string{"robot.yaml", "robot.nme", "control.rate_hz", "line 4: log.level"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

func TestPathsCountFromTheFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "robot.yaml")
	text := "access: {users: [{name: a, password_file: a.secret, role: view}]}\nplanner: {catalogue: kitchen.yaml}\nrecord: {folder: /data}\n"
	for file, content := range map[string]string{"robot.yaml": text, "a.secret": "hunter2\n"} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if password, err := c.Access.Users[0].Secret(); err != nil || password != "hunter2" {
		t.Errorf("password %q, %v", password, err)
	}
	if c.Planner.Catalogue != filepath.Join(dir, "kitchen.yaml") || c.Record.Folder != "/data" || c.Robot.Description != "so101" {
		t.Errorf("paths: %q, %q, %q", c.Planner.Catalogue, c.Record.Folder, c.Robot.Description)
	}
	if _, err := config.Load(filepath.Join(dir, "other.yaml")); err == nil || !strings.Contains(err.Error(), "kuai config") {
		t.Errorf("missing file: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a.secret"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Access.Users[0].Secret(); err == nil {
		t.Error("an empty password was taken")
	}
}

// Whatever texts and numbers a valid configuration holds, it writes back.
func TestWriteThenRead(t *testing.T) {
	text := rapid.StringMatching(`[^\x00-\x08\x0b-\x1f\x7f\x{d800}-\x{dfff}\x{fffe}\x{ffff}]{0,30}`)
	rapid.Check(t, func(t *rapid.T) {
		c := config.Default()
		c.Sim.Demo = text.Draw(t, "demo")
		c.Broker.Password = text.Draw(t, "password")
		c.Web.Hosts = append([]string{}, rapid.SliceOfN(text, 0, 3).Draw(t, "hosts")...)
		c.Safety.Clearance = rapid.Float64Range(0, 10).Draw(t, "clearance")
		c.Safety.Ramp = time.Duration(rapid.Int64Range(0, math.MaxInt32).Draw(t, "ramp"))
		c.Sim.Seed = rapid.Uint64().Draw(t, "seed")
		if rapid.Bool().Draw(t, "users") {
			c.Access.Users = []config.User{{Name: "a b", Password: text.Draw(t, "secret") + "x", Role: "view"}, {Name: "#", Certificate: ": ", Role: "operate"}}
		}
		out := written(t, c)
		again, err := config.Read("written", strings.NewReader(out))
		if err != nil || !reflect.DeepEqual(c, again) {
			t.Fatalf("%v\n%s\ncame back as %+v\nwant %+v", err, out, again, c)
		}
	})
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"", "robot: {name: a}", "cameras: [{name: a, url: usb:0}]", "safety: {ramp: 1s}", "? [a]: b", "a: &b [*b]", "- 1", "sim: {seed: 0x10}",
		"control: {rate_hz: .inf}", "!!binary aGk=: 1", "robot: !!map {name: !!str 1}", "\xff", "sim: {demo: \"\\u0000\"}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, _ = config.ReadDescription("fuzz", strings.NewReader(text))
		c, err := config.Read("fuzz", strings.NewReader(text))
		if err != nil {
			return
		}
		if err := c.Validate(); err != nil {
			t.Fatalf("%q was taken and is not valid: %v", text, err)
		}
		out := written(t, c)
		again, err := config.Read("written", strings.NewReader(out))
		if err != nil || !reflect.DeepEqual(c, again) {
			t.Fatalf("%q came back as %+v, %v\n%s", text, again, err, out)
		}
	})
}

func TestReadDescription(t *testing.T) {
	const good = `
name: pan
joints:
  - name: pan
    kind: revolute
    limits: {min_position: -1, max_position: 1, max_velocity: 2, max_acceleration: 4, max_effort: 1, max_temperature: 60}
    origin: {position: [0, 0, 0.1], orientation: [1, 0, 0, 0]}
    axis: [0, 0, 1]
`
	d, err := config.ReadDescription("test", strings.NewReader(good))
	if err != nil || len(d.Joints) != 1 || d.Joints[0].Origin.Position[2] != 0.1 {
		t.Fatalf("%+v, %v", d, err)
	}
	for want, text := range map[string]string{
		"joints[0].limits.max_speed: unknown key": strings.Replace(good, "max_velocity", "max_speed", 1),
		"list of 3 numbers":                       strings.Replace(good, "[0, 0, 0.1]", "[0, 0]", 1),
		"axis":                                    strings.Replace(good, "[0, 0, 1]", "[0, 0, 2]", 1),
		"no name":                                 "joints: []",
	} {
		if _, err := config.ReadDescription("test", strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}
