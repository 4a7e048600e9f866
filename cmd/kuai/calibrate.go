package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/kuai-robot/kuai/actuation/feetech"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/daemon"
	"github.com/kuai-robot/kuai/robot"
)

func (a *app) calibrateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "calibrate",
		Short: "Measure where the joints of a servo arm stand (SO-100, SO-101, LeKiwi)",
		Long: "Cuts the torque of all servos, asks you to move each joint by hand, and writes what it measured\n" +
			"into the file that robot.feetech.calibration names. It does not matter at which angle a servo was\n" +
			"screwed on nor in which sense it turns. Needed once for each arm, and after a servo was replaced.\n" +
			"kuai run must not be running: the bus takes one program.",
		Example: "  kuai calibrate --config robot.yaml",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			settings, err := config.Load(a.configPath)
			if err != nil {
				return &exitError{exitInput, err}
			}
			if settings.Robot.Driver != config.DriverFeetech {
				return exitf(exitInput, "robot.driver is %s: only joints on a servo bus (%s) are calibrated by hand", settings.Robot.Driver, config.DriverFeetech)
			}
			return a.calibrate(c.Context(), &settings)
		},
	}
}

// lookEvery is how often the servos are read while somebody moves the joints:
// more often than a joint can be turned half around.
const lookEvery = 10 * time.Millisecond

// calibration is one run of kuai calibrate.
type calibration struct {
	*app
	robot  *robot.Description
	servos []feetech.Servo
	hand   *feetech.ByHand
	counts []int
	lines  <-chan error // one for each Enter; an error when the input ended
}

func (a *app) calibrate(ctx context.Context, c *config.Config) error {
	description, servos, err := daemon.Servos(c)
	if err != nil {
		return &exitError{exitInput, err}
	}
	f := &c.Robot.Feetech
	port, err := feetech.Open(f.Port, f.Baud)
	if err != nil {
		return err
	}
	bus := feetech.NewBus(port, f.Timeout)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	k := &calibration{
		app: a, robot: description, servos: servos, hand: feetech.NewByHand(description, bus, servos),
		counts: make([]int, len(servos)), lines: a.enters(ctx),
	}
	fitted, shifts, err := k.measure(ctx)
	if err == nil {
		err = k.keep(f.Calibration, fitted, shifts)
	}
	return errors.Join(err, bus.Close())
}

// enters tells each line that a person ends, until ctx ends.
func (a *app) enters(ctx context.Context) <-chan error {
	lines := make(chan error)
	go func() {
		in := bufio.NewReader(a.in)
		for {
			_, err := in.ReadString('\n')
			if err != nil {
				err = errors.New("calibrate: the input ended before the calibration did; nothing was changed")
			}
			select {
			case lines <- err:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return lines
}

// measure asks for every joint and gives the calibrated servos, and by how much
// the offset of each must be shifted.
func (k *calibration) measure(ctx context.Context) ([]feetech.Servo, []int, error) {
	k.out.line("%d servos on the bus. Their torque goes off: hold the arm, or lay it down. Then press Enter.", len(k.servos))
	if err := k.until(ctx, nil); err != nil {
		return nil, nil, err
	}
	if err := k.hand.Limp(); err != nil {
		return nil, nil, err
	}
	k.out.line("Move every joint to the middle of its range. Then press Enter.")
	middle := make([]int, len(k.servos))
	if err := k.until(ctx, func() string { copy(middle, k.counts); return fmt.Sprint(k.counts) }); err != nil {
		return nil, nil, err
	}
	fitted, shifts := make([]feetech.Servo, len(k.servos)), make([]int, len(k.servos))
	for i := range k.servos {
		for {
			sweep, err := k.sweep(ctx, i)
			if err != nil {
				return nil, nil, err
			}
			if fitted[i], shifts[i], err = k.hand.Fit(i, sweep, middle[i]); err == nil {
				break
			}
			k.out.line("%s", k.out.yellow(fmt.Sprintf("%s: %v. Once more.", k.servos[i].Joint, err)))
		}
	}
	return fitted, shifts, nil
}

// sweep follows one joint from its lowest position to its highest.
func (k *calibration) sweep(ctx context.Context, i int) (*feetech.Sweep, error) {
	s := &k.servos[i]
	down, up := senses(k.robot, k.robot.Index(s.Joint))
	k.out.line("%s (servo %d): move it to its lowest position (%s). Then press Enter.", k.out.bold(s.Joint), s.ID, down)
	if err := k.until(ctx, func() string { return fmt.Sprint(k.counts[i]) }); err != nil {
		return nil, err
	}
	sweep := &feetech.Sweep{}
	k.out.line("%s: now slowly to its highest position (%s). Then press Enter.", s.Joint, up)
	err := k.until(ctx, func() string {
		sweep.Add(k.counts[i])
		return fmt.Sprintf("%d counts from the lowest", max(sweep.Way(), -sweep.Way()))
	})
	return sweep, err
}

// until waits for Enter. With look, the servos are read all the while, at least
// once, and what look makes of them is shown.
func (k *calibration) until(ctx context.Context, look func() string) error {
	if look == nil {
		select {
		case err := <-k.lines:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for {
		if err := k.hand.Counts(k.counts); err != nil {
			return fmt.Errorf("calibrate: %w; nothing was changed", err)
		}
		k.out.move(look())
		select {
		case err := <-k.lines:
			k.out.clearLine()
			return err
		default:
		}
		if err := k.clock.Wait(ctx, k.clock.Now().Add(lookEvery)); err != nil {
			return err
		}
	}
}

// keep writes the servos and the file. The old file goes first: with the
// servos' new offsets it would make the arm move to where nobody wants it.
func (k *calibration) keep(path string, fitted []feetech.Servo, shifts []int) error {
	fresh, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*")
	if err != nil {
		return fmt.Errorf("calibrate: %w; nothing was changed", err)
	}
	defer os.Remove(fresh.Name()) // gone already when all went well
	var c feetech.Calibration
	for i := range fitted {
		s := &fitted[i]
		entry := feetech.Calibrated{Joint: s.Joint, ID: s.ID, Zero: s.Zero, Reverse: s.Reverse}
		if k.servos[i].PerTurn == 0 {
			entry.PerTurn = s.PerTurn
		}
		c.Servos = append(c.Servos, entry)
	}
	if err := errors.Join(c.Write(fresh), fresh.Sync(), fresh.Close()); err != nil {
		return fmt.Errorf("calibrate: %w; nothing was changed", err)
	}
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("calibrate: %w; nothing was changed", err)
	}
	for i := range fitted {
		if err := k.hand.Keep(&fitted[i], shifts[i]); err != nil {
			return fmt.Errorf("calibrate: %w; some servos are changed and the old calibration is gone: calibrate again", err)
		}
	}
	if err := os.Rename(fresh.Name(), path); err != nil {
		return fmt.Errorf("calibrate: %w; the servos are changed and the old calibration is gone: calibrate again", err)
	}
	if k.json {
		return k.printJSON(map[string]any{"calibration": path, "servos": len(fitted)})
	}
	k.out.line("%s %s; kuai run uses it", k.out.green("written:"), path)
	return nil
}

// senses says in words what joint i does towards its lowest and its highest
// position, from the middle of all ranges.
func senses(d *robot.Description, i int) (down, up string) {
	j := &d.Joints[i]
	if j.Name == d.Gripper {
		return "closed", "open"
	}
	var q robot.Joints
	for k := range d.Joints {
		q[k] = (d.Joints[k].Limits.MinPosition + d.Joints[k].Limits.MaxPosition) / 2
	}
	before := d.ToolPose(&q).Position
	const little = 0.1 // rad or m
	q[i] += little
	if way := d.ToolPose(&q).Position.Sub(before); way.Norm() > little/10 {
		return "the hand goes " + direction(way, true), "the hand goes " + direction(way, false)
	}
	poses := make([]robot.Pose, len(d.Joints))
	d.LinkPoses(&q, poses)
	seen := ", seen from " + map[string]string{
		"forward": "in front", "back": "behind", "left": "the left", "right": "the right", "up": "above", "down": "below",
	}[direction(poses[i].Orientation.Rotate(j.Axis), false)]
	return "it turns clockwise" + seen, "it turns anticlockwise" + seen
}

// direction names the one of the base's axes that v is nearest to.
func direction(v robot.Vec3, opposite bool) string {
	names := [3][2]string{{"forward", "back"}, {"left", "right"}, {"up", "down"}}
	most := 0
	for i := range v {
		if math.Abs(v[i]) > math.Abs(v[most]) {
			most = i
		}
	}
	if (v[most] < 0) != opposite {
		return names[most][1]
	}
	return names[most][0]
}
