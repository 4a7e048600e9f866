package microphone

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/g711"
	"github.com/pion/rtp"

	"github.com/kuai-robot/kuai/perception/rtsp"
	"github.com/kuai-robot/kuai/robot"
)

// networkSource is an audio track of an RTSP server.
type networkSource struct {
	cfg     rtsp.Config
	clock   robot.Clock
	packets *rtsp.Counters
}

// Play implements Source.
func (s *networkSource) Play(ctx context.Context, hear func(at robot.Time, rate int, samples []float32)) error {
	var d decoder
	err := rtsp.Play(ctx, s.cfg, s.clock, func(all []format.Format) (format.Format, rtsp.Handler, error) {
		track, made, err := choose(all)
		if err != nil {
			return nil, nil, err
		}
		d = made
		return track, func(p *rtp.Packet, at rtsp.Stamp) {
			samples, err := d.decode(p.Payload)
			if err != nil {
				s.packets.Broken.Add(1)
				return
			}
			hear(at.At, d.rate(), samples)
		}, nil
	}, s.packets)
	if d != nil {
		d.close()
	}
	return err
}

// decoder turns the payload of a packet into mono samples, valid until the next
// call. One goroutine uses it.
type decoder interface {
	rate() int
	decode(payload []byte) ([]float32, error)
	close()
}

// choose picks the first track that can be decoded.
func choose(all []format.Format) (format.Format, decoder, error) {
	var names []string
	var why error
	for _, f := range all {
		d, err := newDecoder(f)
		if err == nil {
			return f, d, nil
		}
		names = append(names, f.Codec())
		if !errors.Is(err, errCodec) {
			why = errors.Join(why, err)
		}
	}
	if len(names) == 0 {
		return nil, nil, errors.New("the server offers no track")
	}
	return nil, nil, errors.Join(fmt.Errorf("no audio track that kuai decodes among %s (PCMU, PCMA, L16 and Opus are)", strings.Join(names, ", ")), why)
}

var errCodec = errors.New("not a codec of microphones")

// Rates and channels of a network track that make sense.
const (
	minTrackRate = 8000
	maxTrackRate = 96000
	maxChannels  = 8
)

func newDecoder(f format.Format) (decoder, error) {
	var d decoder
	var channels int
	switch f := f.(type) {
	case *format.G711:
		channels = f.ChannelCount
		d = &pcmDecoder{hz: f.SampleRate, channels: channels, expand: alaw}
		if f.MULaw {
			d = &pcmDecoder{hz: f.SampleRate, channels: channels, expand: mulaw}
		}
	case *format.LPCM:
		if f.BitDepth != 16 {
			return nil, fmt.Errorf("linear samples of %d bits: only 16 bits are read", f.BitDepth)
		}
		channels = f.ChannelCount
		d = &pcmDecoder{hz: f.SampleRate, channels: channels, expand: func(b []byte) []byte { return b }}
	case *format.Opus:
		return newOpusDecoder()
	default:
		return nil, errCodec
	}
	if hz := d.rate(); hz < minTrackRate || hz > maxTrackRate || channels < 1 || channels > maxChannels {
		return nil, fmt.Errorf("%s at %d Hz with %d channels: want %d to %d Hz and 1 to %d channels", f.Codec(), hz, channels, minTrackRate, maxTrackRate, maxChannels)
	}
	return d, nil
}

func alaw(b []byte) []byte {
	var out g711.Alaw
	out.Unmarshal(b)
	return out
}

func mulaw(b []byte) []byte {
	var out g711.Mulaw
	out.Unmarshal(b)
	return out
}

// pcmDecoder reads samples of 16 bits, big endian, interleaved (RFC 3551
// §4.5.11), which G.711 expands to.
type pcmDecoder struct {
	hz, channels int
	expand       func([]byte) []byte
	samples      []float32
}

func (d *pcmDecoder) rate() int { return d.hz }
func (d *pcmDecoder) close()    {}

func (d *pcmDecoder) decode(payload []byte) ([]float32, error) {
	b := d.expand(payload)
	if len(b)%(2*d.channels) != 0 {
		return nil, fmt.Errorf("a packet of %d bytes holds no whole number of samples", len(payload))
	}
	d.samples = d.samples[:0]
	for len(b) > 0 {
		sum := 0
		for range d.channels {
			sum += int(int16(uint16(b[0])<<8 | uint16(b[1])))
			b = b[2:]
		}
		d.samples = append(d.samples, float32(sum)/float32(d.channels)/(1<<15))
	}
	return d.samples, nil
}
