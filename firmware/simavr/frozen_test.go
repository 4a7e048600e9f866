package simavr_test

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"gobot.io/x/gobot/v2/platforms/firmata"

	"github.com/kuai-robot/kuai/firmware/simavr"
	"github.com/kuai-robot/kuai/robot"
)

// hostPort names the port of the program that drives a board for the test below.
const hostPort = "KUAI_TEST_PORT"

// TestChildHost is no test but a program that drives a board through Gobot's
// adaptor for as long as it lives.
func TestChildHost(t *testing.T) {
	port := os.Getenv(hostPort)
	if port == "" {
		t.Skip("runs as a child of another test")
	}
	a := firmata.NewAdaptor(port)
	if err := a.Connect(); err != nil {
		t.Fatal(err)
	}
	if err := a.ServoConfig("9", 600, 2400); err != nil {
		t.Fatal(err)
	}
	clock := robot.NewSystemClock()
	for n := byte(0); clock.Wait(t.Context(), clock.Now().Add(10*time.Millisecond)) == nil; n++ {
		if err := a.ServoWrite("9", 60+n%60); err != nil {
			t.Fatal(err)
		}
		if err := a.PwmWrite("6", 100); err != nil {
			t.Fatal(err)
		}
		if err := a.DigitalWrite("13", 1); err != nil {
			t.Fatal(err)
		}
	}
}

// startHost starts that program and waits until it drives the board.
func startHost(t *testing.T, s *served) *exec.Cmd {
	t.Helper()
	host := exec.Command(os.Args[0], "-test.run=^TestChildHost$")
	host.Env = append(os.Environ(), hostPort+"="+s.port)
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = host.Process.Signal(syscall.SIGCONT)
		_ = host.Process.Kill()
		_ = host.Wait() // the kill is its status
	})
	s.until(t, "the host drives the board", func() bool { return s.Level(13) == simavr.High && s.lastPulse(9) > 0 && s.lastPulse(6) > 0 })
	return host
}

// The program that steers stops dead, with the link up: by a signal, as a
// debugger, a full swap or a hung kernel stop it, or killed.
func TestFrozenHostStopsEveryOutput(t *testing.T) {
	for name, signal := range map[string]syscall.Signal{"frozen": syscall.SIGSTOP, "killed": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			s := serve(t)
			host := startHost(t, s)
			s.Forget()
			if err := host.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			s.until(t, "the board stops its outputs", func() bool { return s.Level(13) != simavr.High })
			last := s.LastByte()
			off := since(lastEdge(t, s.Board, 13), last)
			t.Logf("%s: outputs off %.2f ms after the last byte", name, off.Seconds()*1e3)
			if (off - deadMan).Abs() > tolerance {
				t.Errorf("outputs off %v after the last byte, want %v", off, deadMan)
			}
			if pwm := since(lastEdge(t, s.Board, 6), last); (pwm - deadMan).Abs() > tolerance {
				t.Errorf("PWM off %v after the last byte, want %v", pwm, deadMan)
			}
			pulses := s.Pulses(9)
			if begun := since(pulses[len(pulses)-1].Start, last); begun > deadMan+tolerance || begun < deadMan-tolerance-20*time.Millisecond {
				t.Errorf("the last servo pulse began %v after the last byte", begun)
			}
		})
	}
}
