package camera

import (
	"errors"
	"fmt"

	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtph264"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtph265"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
	"github.com/pion/rtp"

	"github.com/kuai-robot/kuai/internal/jpeg"
	"github.com/kuai-robot/kuai/perception/rtsp"
)

// choose prefers the codec that costs least to decode.
func (t *track) choose(offered []format.Format) (format.Format, rtsp.Handler, error) {
	var names []string
	for _, f := range offered {
		if jpeg, ok := f.(*format.MJPEG); ok {
			t.decoder <- jpegDecoder{}
			return jpeg, t.jpegPackets(), nil
		}
		names = append(names, f.Codec())
	}
	for _, f := range offered {
		switch f := f.(type) {
		case *format.H264:
			return t.chooseH264(f)
		case *format.H265:
			return t.chooseH265(f)
		}
	}
	return nil, nil, fmt.Errorf("the server offers %q, none of which is M-JPEG, H264 or H265 (change the camera's codec)", names)
}

func (t *track) jpegPackets() rtsp.Handler {
	var assembler jpegAssembler
	return func(packet *rtp.Packet, stamp rtsp.Stamp) {
		file, err := assembler.add(packet)
		if err != nil {
			t.out.corrupt(err)
		}
		if file != nil {
			t.out.drop(t.queue.put(unit{stamp: stamp, data: file, key: true}))
		}
	}
}

func (t *track) chooseH264(f *format.H264) (format.Format, rtsp.Handler, error) {
	packets, err := f.CreateDecoder()
	if err != nil {
		return nil, nil, err
	}
	sps, pps := f.SafeParams()
	d, err := newVideoDecoder(codecH264, [][]byte{sps, pps})
	if err != nil {
		return nil, nil, err
	}
	t.decoder <- d
	return f, t.accessUnits(packets.Decode, h264.IsRandomAccess,
		rtph264.ErrMorePacketsNeeded, rtph264.ErrNonStartingPacketAndNoPrevious), nil
}

func (t *track) chooseH265(f *format.H265) (format.Format, rtsp.Handler, error) {
	packets, err := f.CreateDecoder()
	if err != nil {
		return nil, nil, err
	}
	vps, sps, pps := f.SafeParams()
	d, err := newVideoDecoder(codecH265, [][]byte{vps, sps, pps})
	if err != nil {
		return nil, nil, err
	}
	t.decoder <- d
	return f, t.accessUnits(packets.Decode, h265.IsRandomAccess,
		rtph265.ErrMorePacketsNeeded, rtph265.ErrNonStartingPacketAndNoPrevious), nil
}

// accessUnits gives the handler for H.264 (RFC 6184) and H.265 (RFC 7798),
// whose depacketisers differ in type only.
func (t *track) accessUnits(depacketise func(*rtp.Packet) ([][]byte, error), isKey func([][]byte) bool,
	benign ...error,
) rtsp.Handler {
	return func(packet *rtp.Packet, stamp rtsp.Stamp) {
		parts, err := depacketise(packet)
		if err != nil {
			for _, b := range benign {
				if errors.Is(err, b) {
					return
				}
			}
			t.out.corrupt(err)
			return
		}
		t.out.drop(t.queue.put(unit{stamp: stamp, data: annexB(parts), key: isKey(parts)}))
	}
}

// annexB joins NAL units by start codes (H.264 and H.265, Annex B).
func annexB(parts [][]byte) []byte {
	size := 0
	for _, p := range parts {
		size += 4 + len(p)
	}
	joined := make([]byte, 0, size)
	for _, p := range parts {
		if len(p) > 0 {
			joined = append(append(joined, 0, 0, 0, 1), p...)
		}
	}
	return joined
}

// jpegDecoder is stateless.
type jpegDecoder struct{}

func (jpegDecoder) decode(u unit, want bool, out sink) {
	if !want {
		out.drop(1)
		return
	}
	width, height, pixels, err := jpeg.Decode(u.data)
	if err != nil {
		out.corrupt(err)
		return
	}
	out.deliver(picture{stamp: u.stamp, width: width, height: height, pixels: pixels, jpeg: u.data})
}

func (jpegDecoder) close() {}
