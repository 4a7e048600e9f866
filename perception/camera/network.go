package camera

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/bluenviron/gortsplib/v4/pkg/liberrors"

	"github.com/kuai-robot/kuai/perception/rtsp"
	"github.com/kuai-robot/kuai/robot"
)

// networkSource reads RTSP. Packets are assembled on the connection's
// goroutine and decoded on play's own, with a unitQueue between.
type networkSource struct {
	cfg     rtsp.Config
	clock   robot.Clock
	packets *rtsp.Counters
}

func newNetworkSource(cfg Config, clock robot.Clock, packets *rtsp.Counters) (source, error) {
	if err := rtsp.CheckURL(cfg.URL); err != nil {
		return nil, err
	}
	return &networkSource{cfg: rtsp.Config{URL: cfg.URL, UDP: cfg.UDP}, clock: clock, packets: packets}, nil
}

// decoder turns units into pictures.
type decoder interface {
	// decode gives what u completes; want is false when a newer unit waits, so
	// that the pixels would only be thrown away.
	decode(u unit, want bool, out sink)
	close()
}

// track is one connection's way from packets to units.
type track struct {
	queue *unitQueue
	out   sink
	// made once the server has said what it sends.
	decoder chan decoder
}

func (s *networkSource) play(ctx context.Context, out sink) error {
	t := &track{queue: newUnitQueue(), out: out, decoder: make(chan decoder, 1)}
	ctx, stop := context.WithCancelCause(ctx)
	decoded := make(chan struct{})
	go func() {
		defer close(decoded)
		if err := robot.Guard(func() error { t.decodeAll(ctx); return nil }); err != nil {
			stop(err)
		}
	}()
	err := rtsp.Play(ctx, s.cfg, s.clock, t.choose, s.packets)
	stop(nil)
	<-decoded
	if p := robot.PanicIn(context.Cause(ctx)); p != nil {
		err = p
	}
	select {
	case d := <-t.decoder: // the connection failed before decodeAll took it
		d.close()
	default:
	}
	return err
}

// decodeAll runs the decoder until ctx ends.
func (t *track) decodeAll(ctx context.Context) {
	var d decoder
	select {
	case d = <-t.decoder:
	case <-ctx.Done():
		return
	}
	defer d.close()
	for {
		select {
		case <-t.queue.ready:
		case <-ctx.Done():
			return
		}
		for ctx.Err() == nil {
			u, more, ok := t.queue.take()
			if !ok {
				break
			}
			d.decode(u, !more, t.out)
		}
	}
}

// explain adds what a person can do about a failed connection.
func explain(err error) error {
	var status liberrors.ErrClientBadStatusCode
	var dns *net.DNSError
	switch {
	case err == nil:
		return errors.New("the stream ended")
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w (is the camera on? see kuai doctor)", err)
	case errors.As(err, &dns):
		return fmt.Errorf("%w (is the host name right?)", err)
	case errors.As(err, &status) && status.Code == 404:
		return fmt.Errorf("%w (is the path of the URL right?)", err)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%w: the camera closed the connection", err)
	case errors.As(err, &status) && status.Code == 401:
		return fmt.Errorf("%w (put the user and password in the URL: rtsp://user:password@host/path)", err)
	case strings.Contains(err.Error(), "timeout"), strings.Contains(err.Error(), "timed out"):
		return fmt.Errorf("%w (is the camera on this network? see kuai doctor)", err)
	}
	return err
}
