package loudspeaker

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/gen2brain/malgo"

	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/robot"
)

// ErrNoSound says that the machine has no sound system, or none that answers.
var ErrNoSound = errors.New("no sound system answers (is there a sound card, and are you in the group audio?)")

// Device is a loudspeaker of this machine. It is opened for each sound, so that
// others may use it in between and one that is plugged in later is found.
type Device struct {
	// Name is a part of the device's name, or default.
	Name  string
	Clock robot.Clock
}

const (
	devicePeriod = 10 // ms
	// deviceLag is what lies between the program and the air beside the period.
	deviceLag = 20 * time.Millisecond
)

// Emit implements Output.
func (d *Device) Emit(ctx context.Context, samples []float32, began func(at robot.Time)) error {
	system, err := malgo.InitContext([]malgo.Backend{malgo.BackendPulseaudio, malgo.BackendAlsa, malgo.BackendJack}, malgo.ContextConfig{}, nil)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoSound, err)
	}
	defer func() {
		_ = system.Uninit() // nothing can be done about a sound system that does not close
		system.Free()
	}()
	config := malgo.DefaultDeviceConfig(malgo.Playback)
	config.Playback.Format, config.Playback.Channels = malgo.FormatF32, 1
	config.SampleRate, config.PeriodSizeInMilliseconds = audio.Rate, devicePeriod
	id, err := d.find(system)
	if err != nil {
		return err
	}
	if id != nil {
		config.Playback.DeviceID = unsafe.Pointer(id)
	}
	e := &emission{clock: d.Clock, rest: samples, began: began, done: make(chan struct{})}
	device, err := malgo.InitDevice(system.Context, config, malgo.DeviceCallbacks{Data: e.give})
	if err != nil {
		return fmt.Errorf("device %s: %w", d.Name, err)
	}
	defer device.Uninit()
	if err := device.Start(); err != nil {
		return fmt.Errorf("device %s: %w", d.Name, err)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-e.done:
		return d.Clock.Wait(ctx, d.Clock.Now().Add(deviceLag))
	}
}

// find gives the device that Name means, nil for the default.
func (d *Device) find(system *malgo.AllocatedContext) (*malgo.DeviceID, error) {
	if d.Name == "" || d.Name == "default" {
		return nil, nil
	}
	infos, err := system.Devices(malgo.Playback)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoSound, err)
	}
	var names []string
	for i := range infos {
		name := strings.TrimRight(infos[i].Name(), "\x00")
		if strings.Contains(strings.ToLower(name), strings.ToLower(d.Name)) {
			return &infos[i].ID, nil
		}
		names = append(names, name)
	}
	return nil, fmt.Errorf("no loudspeaker is called %q (there is %s)", d.Name, strings.Join(names, ", "))
}

// emission is one sound on its way to a device.
type emission struct {
	clock robot.Clock
	rest  []float32
	began func(at robot.Time)
	first atomic.Bool
	once  sync.Once
	done  chan struct{}
}

// give fills the device's buffer, on its own thread.
func (e *emission) give(out, _ []byte, frames uint32) {
	if !e.first.Swap(true) {
		e.began(e.clock.Now().Add(deviceLag))
	}
	n := min(len(e.rest), int(frames))
	for i, x := range e.rest[:n] {
		binary.LittleEndian.PutUint32(out[4*i:], math.Float32bits(x))
	}
	clear(out[4*n:])
	e.rest = e.rest[n:]
	if n == 0 {
		e.once.Do(func() { close(e.done) })
	}
}
