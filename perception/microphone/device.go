package microphone

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/gen2brain/malgo"

	"github.com/kuai-robot/kuai/perception/rtsp"
	"github.com/kuai-robot/kuai/robot"
)

// Device is a microphone of this machine.
type Device struct {
	Name    string `json:"name"`
	Default bool   `json:"default"`

	id malgo.DeviceID
}

// ErrNoSound says that the machine has no sound system, or none that answers.
var ErrNoSound = errors.New("no sound system answers (is there a sound card, and are you in the group audio? see kuai doctor)")

// openSystem asks the sound systems of a Linux machine; miniaudio's own list
// would end with one that plays silence, which looks like a microphone that
// nobody speaks into.
func openSystem() (*malgo.AllocatedContext, error) {
	system, err := malgo.InitContext([]malgo.Backend{malgo.BackendPulseaudio, malgo.BackendAlsa, malgo.BackendJack}, malgo.ContextConfig{}, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoSound, err)
	}
	return system, nil
}

func closeSystem(s *malgo.AllocatedContext) {
	_ = s.Uninit() // nothing can be done about a sound system that does not close
	s.Free()
}

// Devices lists the microphones of this machine; ErrNoSound where there is no
// sound system.
func Devices() ([]Device, error) {
	system, err := openSystem()
	if err != nil {
		return nil, err
	}
	defer closeSystem(system)
	return devices(system)
}

func devices(system *malgo.AllocatedContext) ([]Device, error) {
	infos, err := system.Devices(malgo.Capture)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoSound, err)
	}
	var all []Device
	for i := range infos {
		name := strings.TrimRight(infos[i].Name(), "\x00")
		if strings.HasPrefix(name, "Discard all samples") {
			continue // what ALSA calls null, which a machine without a sound card has too
		}
		all = append(all, Device{Name: name, Default: infos[i].IsDefault != 0, id: infos[i].ID})
	}
	return all, nil
}

// deviceSource is a microphone of this machine.
type deviceSource struct {
	clock robot.Clock
	name  string
}

// captureRate is what devices are asked for: most run at it, and the sound
// system converts for the others.
const captureRate = 48000

const (
	capturePeriod = 10 // ms
	// A device that gives nothing for so long is gone, whatever it says.
	deviceSilent = 2 * time.Second
)

// Play implements Source.
func (s *deviceSource) Play(ctx context.Context, hear func(at robot.Time, rate int, samples []float32)) error {
	system, err := openSystem()
	if err != nil {
		return err
	}
	defer closeSystem(system)
	config := malgo.DefaultDeviceConfig(malgo.Capture)
	config.Capture.Format, config.Capture.Channels = malgo.FormatF32, 1
	config.SampleRate, config.PeriodSizeInMilliseconds = captureRate, capturePeriod
	found, err := s.find(system)
	if err != nil {
		return err
	}
	if s.name != "default" {
		config.Capture.DeviceID = unsafe.Pointer(&found.id)
	}
	c := &capture{clock: s.clock, hear: hear, stamper: rtsp.NewStamper(captureRate, s.clock.Epoch()), gone: make(chan struct{}, 1)}
	c.newest.Store(int64(s.clock.Now()))
	device, err := malgo.InitDevice(system.Context, config, malgo.DeviceCallbacks{Data: c.take, Stop: c.stop})
	if err != nil {
		return fmt.Errorf("device %s: %w (is another program using it?)", s.name, err)
	}
	defer device.Uninit()
	if err := device.Start(); err != nil {
		return fmt.Errorf("device %s: %w (is it plugged in?)", s.name, err)
	}
	return s.watch(ctx, c)
}

// find gives the device whose name holds s.name.
func (s *deviceSource) find(system *malgo.AllocatedContext) (*Device, error) {
	all, err := devices(system)
	if err != nil {
		return nil, err
	}
	var names []string
	if s.name == "default" && len(all) > 0 {
		return &all[0], nil
	}
	for i := range all {
		if strings.Contains(strings.ToLower(all[i].Name), strings.ToLower(s.name)) {
			return &all[i], nil
		}
		names = append(names, all[i].Name)
	}
	if len(names) == 0 {
		return nil, errors.New("this machine has no microphone (plug one in; kuai listen --devices lists them)")
	}
	return nil, fmt.Errorf("no microphone is called %q (there is %s)", s.name, strings.Join(names, ", "))
}

// watch returns when the device is gone.
func (s *deviceSource) watch(ctx context.Context, c *capture) error {
	silent := make(chan struct{})
	watching, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		for {
			due := robot.Time(c.newest.Load()).Add(deviceSilent)
			if s.clock.Now() >= due {
				close(silent)
				return
			}
			if s.clock.Wait(watching, due) != nil {
				return
			}
		}
	}()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-c.gone:
		return fmt.Errorf("device %s: it stopped (was it unplugged?)", s.name)
	case <-silent:
		return fmt.Errorf("device %s: no sample for %v (was it unplugged?)", s.name, deviceSilent)
	}
}

// capture takes what the device's own thread gives.
type capture struct {
	clock   robot.Clock
	hear    func(at robot.Time, rate int, samples []float32)
	stamper *rtsp.Stamper
	count   uint32 // samples so far, which the Stamper takes for an RTP clock
	samples []float32
	newest  atomic.Int64
	gone    chan struct{}
}

func (c *capture) take(_, in []byte, frames uint32) {
	now := c.clock.Now()
	c.newest.Store(int64(now))
	c.samples = c.samples[:0]
	for ; len(in) >= 4; in = in[4:] {
		c.samples = append(c.samples, math.Float32frombits(binary.LittleEndian.Uint32(in)))
	}
	// The count stands at the last sample when the samples arrive.
	c.count += frames
	end := c.stamper.Stamp(c.count, now).At
	c.hear(end.Add(-time.Duration(len(c.samples))*time.Second/captureRate), captureRate, c.samples)
}

func (c *capture) stop() {
	select {
	case c.gone <- struct{}{}:
	default:
	}
}
