package record

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

const childDir = "KUAI_RECORD_CHILD_DIR"

// TestMain lets the test binary be the process that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		recordForever(dir)
		return
	}
	os.Exit(m.Run())
}

// recordForever writes joint states at 500 Hz and prints the time of each one
// before it hands it over.
func recordForever(dir string) {
	clock := robot.NewSystemClock()
	r, err := Open(Options{Dir: dir, Clock: clock, Description: twoJoints()})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go r.Run(context.Background())
	for {
		now := clock.Now()
		fmt.Println(int64(now))
		r.State(robot.State{At: now})
		if clock.Wait(context.Background(), now.Add(2*time.Millisecond)) != nil {
			return
		}
	}
}

func TestKillLosesLessThanASecond(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	atOnce := make(chan struct{}, 10)
	var runs sync.WaitGroup
	for i := range 50 {
		states := 50 + random.IntN(700)
		runs.Go(func() {
			atOnce <- struct{}{}
			defer func() { <-atOnce }()
			if err := recordAndKill(t.TempDir(), states); err != nil {
				t.Errorf("run %d: %v", i, err)
			}
		})
	}
	runs.Wait()
}

func recordAndKill(dir string, states int) error {
	last, err := killAfter(dir, states)
	if err != nil {
		return err
	}
	files, err := recordings(dir)
	if err != nil || len(files) != 1 {
		return fmt.Errorf("files %v, %v", files, err)
	}
	newest := robot.Time(0)
	if _, err := Read(files[0], func(r *Record) error { newest = r.At; return nil }); err != nil {
		return err
	}
	if lost := last.Sub(newest); lost >= time.Second {
		return fmt.Errorf("killed at %v, newest record is of %v: %v lost", last, newest, lost)
	}
	return nil
}

// killAfter lets a child record n states, kills it, and gives the time of the
// last one it spoke of.
func killAfter(dir string, n int) (last robot.Time, err error) {
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childDir+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := child.Start(); err != nil {
		return 0, err
	}
	for range n {
		if _, err := fmt.Fscan(out, (*int64)(&last)); err != nil {
			return 0, err
		}
	}
	if err := child.Process.Kill(); err != nil {
		return 0, err
	}
	child.Wait() // its exit status is the kill
	return last, nil
}
