package rtsp

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpmjpeg"
	"github.com/bluenviron/gortsplib/v4/pkg/liberrors"
	"github.com/pion/rtcp"

	"github.com/kuai-robot/kuai/robot"
)

// rtpRate is RTP/JPEG's clock in Hz (RFC 3551 §6).
const rtpRate = 90_000

// stream is the path of one camera.
type stream struct {
	clock   robot.Clock
	quality int

	media   *description.Media
	stream  *gortsplib.ServerStream
	packets rtpmjpeg.Encoder
	ssrc    uint32
	readers atomic.Int64

	// What the sender reports count.
	sentPackets, sentBytes uint32
}

func newStream(server *gortsplib.Server, o Options) (*stream, error) {
	s := &stream{clock: o.Clock, quality: o.Quality,
		media: &description.Media{Type: description.MediaTypeVideo, Formats: []format.Format{&format.MJPEG{}}}}
	s.stream = &gortsplib.ServerStream{Server: server, Desc: &description.Session{Medias: []*description.Media{s.media}}}
	if err := s.stream.Initialize(); err != nil {
		return nil, err
	}
	s.ssrc = s.stream.Stats().Medias[s.media].Formats[s.media.Formats[0]].LocalSSRC
	return s, s.packets.Init()
}

func (s *stream) watched() bool { return s.readers.Load() > 0 }

// publish sends a sender report and then the packets of the picture, so that
// even the first one that a reader sees has its time of capture.
func (s *stream) publish(frame *robot.Frame) error {
	file, err := jpegOf(frame, s.quality)
	if err != nil {
		return err
	}
	packets, err := s.packets.Encode(file)
	if err != nil {
		return fmt.Errorf("jpeg: %w", err)
	}
	ticks := rtpTime(frame.At)
	captured := s.clock.Epoch().Add(time.Duration(frame.At))
	report := &rtcp.SenderReport{SSRC: s.ssrc, NTPTime: ntp(captured), RTPTime: ticks,
		PacketCount: s.sentPackets, OctetCount: s.sentBytes}
	if err := s.stream.WritePacketRTCP(s.media, report); err != nil {
		return unlessClosed(err)
	}
	for _, p := range packets {
		p.Timestamp = ticks
		if err := s.stream.WritePacketRTPWithNTP(s.media, p, captured); err != nil {
			return unlessClosed(err)
		}
		s.sentPackets++
		s.sentBytes += uint32(len(p.Payload))
	}
	return nil
}

// unlessClosed drops the error of a server that was closed meanwhile.
func unlessClosed(err error) error {
	var closed liberrors.ErrServerStreamClosed
	if errors.As(err, &closed) {
		return nil
	}
	return err
}

// rtpTime gives At on RTP's clock; it wraps.
func rtpTime(at robot.Time) uint32 { return uint32(int64(at) / 1000 * (rtpRate / 1000) / 1000) }

// ntpEpoch is 1 January 1900, in seconds before 1970.
const ntpEpoch = 2_208_988_800

// ntp writes RFC 3550's time stamp: seconds since 1900 in the upper half,
// 2^-32 seconds in the lower.
func ntp(t time.Time) uint64 {
	fraction := (uint64(t.Nanosecond())<<32 + uint64(time.Second)/2) / uint64(time.Second)
	return uint64(t.Unix()+ntpEpoch)<<32 + fraction
}
