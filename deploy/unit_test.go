package deploy_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/internal/config"
)

// tool gives where a program is, or skips and says what brings it.
func tool(t *testing.T, name, from string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed (%s)", name, from)
	}
	return path
}

// worstExposure is what systemd-analyze may give the unit: 0 is locked up, 10
// everything allowed. What remains is what a robot needs: devices, the network,
// real-time scheduling.
const worstExposure = 3.0

func TestUnit(t *testing.T) {
	analyze := tool(t, "systemd-analyze", "apt-get install systemd")
	data, err := os.ReadFile("systemd/kuai.service")
	if err != nil {
		t.Fatal(err)
	}
	// The program that it names is not installed on this machine.
	unit := filepath.Join(t.TempDir(), "kuai.service")
	if err := os.WriteFile(unit, []byte(strings.ReplaceAll(string(data), "/usr/bin/kuai", "/bin/true")), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", unit).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "kuai.service:") {
			t.Errorf("verify: %s", strings.TrimSpace(line))
		}
	}
	if err != nil && t.Failed() {
		t.Error(err)
	}
	out, err = exec.CommandContext(t.Context(), analyze, "security", "--offline=true", "--no-pager", unit).CombinedOutput()
	found := regexp.MustCompile(`Overall exposure level for kuai.service: ([0-9.]+)`).FindSubmatch(out)
	if found == nil {
		t.Skipf("this systemd-analyze looks at no unit offline: %v\n%s", err, out)
	}
	exposure, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("exposure %.1f of 10", exposure)
	if exposure > worstExposure {
		t.Errorf("exposure %.1f, want %.1f at most:\n%s", exposure, worstExposure, out)
	}
}

// What the unit must say whatever else changes.
func TestUnitKeepsItsPromises(t *testing.T) {
	data, err := os.ReadFile("systemd/kuai.service")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"Type=notify", "User=kuai", "NoNewPrivileges=yes", "ProtectSystem=strict", "Restart=on-failure", "MemoryMax=4G",
		"SupplementaryGroups=dialout video audio", "LimitRTPRIO=49", "LimitMEMLOCK=infinity", "CapabilityBoundingSet=",
		"ExecStopPost=/usr/bin/kuai release --bus --config /etc/kuai/robot.yaml",
	} {
		if !strings.Contains(string(data), "\n"+line+"\n") {
			t.Errorf("the unit does not say %s", line)
		}
	}
	for _, key := range []string{"WatchdogSec", "StartLimitBurst", "RestartSec"} {
		if !regexp.MustCompile(`(?m)^` + key + `=[1-9]`).Match(data) {
			t.Errorf("the unit has no %s", key)
		}
	}
}

// The installed configuration is one that kuai reads, that nobody reaches from
// elsewhere, and by which nothing moves.
func TestInstalledConfiguration(t *testing.T) {
	c, err := config.Load("etc/robot.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{c.Broker.Listen, c.Web.Listen, c.Sim.RTSP.Listen} {
		host, _, err := net.SplitHostPort(address)
		if err != nil || !net.ParseIP(host).IsLoopback() {
			t.Errorf("it listens on %s", address)
		}
	}
	if c.Broker.URL != "" || c.Sim.Demo != "" || c.Robot.Driver != config.DriverSim || c.Runner != config.None || c.Record.On {
		t.Errorf("it would move or record something: %+v", c)
	}
}

// The package gives every file to root; the service runs as another user.
func TestServiceMayReadItsConfiguration(t *testing.T) {
	unit, err := os.ReadFile("systemd/kuai.service")
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("debian/postinst")
	if err != nil {
		t.Fatal(err)
	}
	group := regexp.MustCompile(`(?m)^Group=(\w+)$`).FindSubmatch(unit)
	path := regexp.MustCompile(`(?m)^ExecStart=.* --config (\S+)$`).FindSubmatch(unit)
	if group == nil || path == nil {
		t.Fatal("the unit names no group or no configuration")
	}
	for _, line := range []string{"chown root:" + string(group[1]) + " " + string(path[1]), "chmod 0640 " + string(path[1])} {
		if !strings.Contains(string(script), line+"\n") {
			t.Errorf("postinst does not say %s", line)
		}
	}
}

func TestScriptsParse(t *testing.T) {
	for _, pattern := range []string{"debian/p*", "jetson/*.sh"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %v, %v", pattern, paths, err)
		}
		for _, path := range paths {
			shell := "sh"
			if strings.HasSuffix(path, ".sh") {
				shell = "bash"
			}
			if out, err := exec.CommandContext(t.Context(), shell, "-n", path).CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", path, err, out)
			}
		}
	}
}

// A rule that names no device file, or is no rule, is ignored without a word.
func TestUdevRules(t *testing.T) {
	data, err := os.ReadFile("udev/60-kuai.rules")
	if err != nil {
		t.Fatal(err)
	}
	term := regexp.MustCompile(`^(SUBSYSTEM|DRIVER|ATTRS?\{\w+\}|ENV\{\w+\}|GROUP|MODE|SYMLINK)(==|\+=|=)"[^"]+"$`)
	rules := 0
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		rules++
		for _, part := range strings.Split(line, ", ") {
			if !term.MatchString(part) {
				t.Errorf("%q is no term of a rule", part)
			}
		}
	}
	for _, name := range []string{"kuai-servo", "kuai-board", "kuai-camera-"} {
		if !strings.Contains(string(data), name) {
			t.Errorf("no rule makes /dev/%s", name)
		}
	}
	if rules < 5 {
		t.Errorf("%d rules", rules)
	}
}
