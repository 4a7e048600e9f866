package daemon

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/record"
	"github.com/kuai-robot/kuai/internal/replay"
	"github.com/kuai-robot/kuai/robot"
)

const childDir = "KUAI_DAEMON_CHILD_DIR"

// TestIsKilled is the robot that is killed, in a process of its own.
func TestIsKilled(t *testing.T) {
	dir := os.Getenv(childDir)
	if dir == "" {
		t.Skip("a test of another process")
	}
	t.Fatal(recordForever(dir))
}

// loud prints the time of each command.
type loud struct{ control.Driver }

func (l loud) Write(c *robot.Command) error {
	fmt.Println(int64(c.At))
	return l.Driver.Write(c)
}

// recordForever is a robot without skills or cameras that records.
func recordForever(dir string) error {
	c := config.Default()
	c.Runner, c.Affordance, c.Cameras, c.Sim.Demo = config.None, config.None, nil, ""
	c.Record.On, c.Record.Folder = true, dir
	c.Broker.Listen, c.Web.Listen, c.Sim.RTSP.Listen = "127.0.0.1:0", "", "127.0.0.1:0"
	d, err := New(Options{Config: &c, wrap: func(d control.Driver) control.Driver { return loud{d} }})
	if err != nil {
		return err
	}
	return d.Run(context.Background())
}

func TestKillLosesLessThanASecondOfTheRobot(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	atOnce := make(chan struct{}, 6)
	var runs sync.WaitGroup
	for i := range 50 {
		ticks := 20 + random.IntN(130)
		runs.Go(func() {
			atOnce <- struct{}{}
			defer func() { <-atOnce }()
			if err := recordAndKill(t.TempDir(), ticks); err != nil {
				t.Errorf("run %d: %v", i, err)
			}
		})
	}
	runs.Wait()
}

// recordAndKill lets a robot do so many ticks, kills it, and looks for the last
// of them.
func recordAndKill(dir string, ticks int) error {
	child := exec.Command(os.Args[0], "-test.run", "^TestIsKilled$")
	child.Env = append(os.Environ(), childDir+"="+dir, childConfig+"=none", "XDG_STATE_HOME="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		return err
	}
	if err := child.Start(); err != nil {
		return err
	}
	var first, last robot.Time
	for i := range ticks {
		if _, err := fmt.Fscan(out, (*int64)(&last)); err != nil {
			rest, _ := io.ReadAll(out)
			return fmt.Errorf("tick %d: %w: %s", i, err, rest)
		}
		if i == 0 {
			first = last
		}
	}
	if err := child.Process.Kill(); err != nil {
		return err
	}
	child.Wait() // its exit status is the kill
	files, err := filepath.Glob(filepath.Join(dir, "*.mcap"))
	if err != nil || len(files) != 1 {
		return fmt.Errorf("after %v: files %v, %v", last, files, err)
	}
	// Time runs from when the program starts, which is before the robot moves.
	newest := first
	if _, err := record.Read(files[0], func(r *record.Record) error {
		if r.Topic == replay.TopicCommand {
			newest = r.At
		}
		return nil
	}); err != nil {
		return err
	}
	if lost := last.Sub(newest); lost >= time.Second {
		return fmt.Errorf("of the ticks from %v to %v the newest recorded is of %v: %v lost", first, last, newest, lost)
	}
	return nil
}
