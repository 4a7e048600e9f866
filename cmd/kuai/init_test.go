package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/internal/config"
)

// machineWith makes the root of a machine that has these files.
func machineWith(t *testing.T, files map[string]string) map[string]string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return map[string]string{"KUAI_MACHINE": root}
}

var workshop = map[string]string{
	"dev/serial/by-id/usb-1a86_USB_Single_Serial_58FA-if00": "",
	"dev/ttyACM0": "", "dev/video0": "", "dev/video1": "", "dev/video2": "",
	"sys/class/video4linux/video0/index": "0\n", "sys/class/video4linux/video0/name": "Webcam C270\n",
	"sys/class/video4linux/video1/index": "1\n", "sys/class/video4linux/video1/name": "Webcam C270\n",
	"dev/snd/pcmC1D0c": "", "dev/snd/pcmC1D0p": "", "proc/asound/card1/id": "Jabra\n",
	"proc/device-tree/model": "NVIDIA Jetson Orin Nano\x00",
}

func TestLookAround(t *testing.T) {
	found := lookAround((&app{env: func(name string) string { return machineWith(t, workshop)[name] }}).machine())
	data, err := json.Marshal(found)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"serial":["/dev/serial/by-id/usb-1a86_USB_Single_Serial_58FA-if00"],` +
		`"cameras":[{"path":"/dev/video0","name":"Webcam C270"},{"path":"/dev/video2","name":"video2"}],` +
		`"microphones":[{"path":"/dev/snd/pcmC1D0c","name":"Jabra"}],"board":"NVIDIA Jetson Orin Nano"}`
	if string(data) != want {
		t.Errorf("found %s, want %s", data, want)
	}
}

func TestInitAsks(t *testing.T) {
	arduino := map[string]string{"dev/serial/by-id/usb-Arduino_Uno_85-if00": ""}
	for name, c := range map[string]struct {
		machine map[string]string
		answers []string
		check   func(*config.Config) bool
		says    []string
	}{
		"nothing is attached: a simulation": {nil, []string{"", "", ""}, func(c *config.Config) bool {
			return c.Robot.Driver == config.DriverSim && len(c.Cameras) == 2 && c.Runner == config.Scripted
		}, []string{"serial ports     none", "kuai run --config"}},
		"a servo arm with its cameras": {workshop, []string{"", "", "", "arm-2", "", "no", "rtsp://10.0.0.7/s1", "", "yes"}, func(c *config.Config) bool {
			return c.Robot.Driver == config.DriverFeetech && strings.Contains(c.Robot.Feetech.Port, "58FA") && c.Robot.Name == "arm-2" &&
				len(c.Cameras) == 2 && c.Cameras[0].URL == "usb:0" && c.Cameras[1].URL == "rtsp://10.0.0.7/s1" && c.Record.On && c.Runner == config.None
		}, []string{"Webcam C270", "kuai calibrate --config", "Jabra", "docs/voice.md"}},
		"a Firmata board": {arduino, []string{"", "", "", "", "", ""}, func(c *config.Config) bool {
			return c.Robot.Driver == config.DriverGobot && strings.HasSuffix(c.Robot.Pins, "pins.yaml")
		}, []string{"correct the pins"}},
		"joints over MQTT, after wrong answers": {nil, []string{"5", "four", "4", "none.yaml", "so101", "a/b", "arm", "ftp://x", "", "maybe", "n"}, func(c *config.Config) bool {
			return c.Robot.Driver == config.DriverMQTT && c.Robot.Name == "arm" && len(c.Cameras) == 0 && !c.Record.On
		}, []string{`"5" is not 1 to 4`, "no such file", "needs 1 to 64 letters", "not rtsp://", "neither yes nor no"}},
	} {
		path := filepath.Join(t.TempDir(), "robot.yaml")
		got := kuai(t.Context(), machineWith(t, c.machine), strings.Join(c.answers, "\n")+"\n", "init", path)
		if got.status != 0 {
			t.Errorf("%s: %+v", name, got)
			continue
		}
		settings, err := config.Load(path)
		if err != nil || !c.check(&settings) {
			text, _ := os.ReadFile(path)
			t.Errorf("%s: %v\n%s", name, err, text)
		}
		for _, want := range c.says {
			if !strings.Contains(got.out, want) {
				t.Errorf("%s: no %q in\n%s", name, want, got.out)
			}
		}
		if again := kuai(t.Context(), nil, "", "config", "--config", path); again.status != 0 {
			t.Errorf("%s: kuai config: %s", name, again.errors)
		}
	}
}

func TestInitWithoutQuestions(t *testing.T) {
	env := machineWith(t, workshop)
	path := filepath.Join(t.TempDir(), "robot.yaml")
	got := kuai(t.Context(), env, "", "init", path, "--yes", "--json", "--driver", "feetech", "--port", "/dev/ttyUSB3", "--name", "left", "--camera", "front=usb:2", "--record", "kept")
	var said struct {
		File string
		Next []string
	}
	if err := json.Unmarshal([]byte(got.out), &said); err != nil || got.status != 0 || said.File != path || len(said.Next) != 3 {
		t.Fatalf("%+v: %v", got, err)
	}
	c, err := config.Load(path)
	if err != nil || c.Robot.Name != "left" || c.Robot.Feetech.Port != "/dev/ttyUSB3" || c.Cameras[0].URL != "usb:2" || filepath.Base(c.Record.Folder) != "kept" {
		t.Errorf("%+v, %v", c, err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if again := kuai(t.Context(), env, "", "init", path, "--yes"); again.status != exitInput || !strings.Contains(again.errors, "--force") {
		t.Errorf("written over: %+v", again)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("changed: %v", err)
	}
	if forced := kuai(t.Context(), env, "", "init", path, "--yes", "--force", "--driver", "sim"); forced.status != 0 {
		t.Errorf("not forced: %+v", forced)
	}
}

func TestInitRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		stdin, want string
		args        []string
	}{
		"an input that ends":   {"1\n", "the input ended", nil},
		"an unknown driver":    {"", "did you mean feetech", []string{"--yes", "--driver", "fetech"}},
		"a camera without url": {"", "want NAME=URL", []string{"--yes", "--camera", "front"}},
		"a wrong url":          {"", "not rtsp://", []string{"--yes", "--camera", "front=front"}},
		"a wrong name":         {"", "needs 1 to 64 letters", []string{"--yes", "--name", "a b"}},
		"no such description":  {"", "no such file", []string{"--yes", "--driver", "mqtt", "--description", "none.yaml"}},
	} {
		path := filepath.Join(dir, "robot.yaml")
		got := kuai(t.Context(), machineWith(t, nil), c.stdin, append([]string{"init", path}, c.args...)...)
		if got.status == 0 || !strings.Contains(got.errors, c.want) {
			t.Errorf("%s: %+v, want %q", name, got, c.want)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s: a file was written", name)
		}
	}
	// A second file that is there keeps the first from being written.
	if err := os.WriteFile(filepath.Join(dir, "pins.yaml"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	got := kuai(t.Context(), machineWith(t, nil), "", "init", filepath.Join(dir, "robot.yaml"), "--yes", "--driver", "gobot")
	if got.status != exitInput || !strings.Contains(got.errors, "pins.yaml is there already") {
		t.Errorf("%+v", got)
	}
}
