package record

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/foxglove/mcap/go/mcap"

	"github.com/kuai-robot/kuai/robot"
)

const (
	// clockMetadata names the MCAP metadata record that carries the epoch of
	// the clock: log time minus epoch is robot.Time.
	clockMetadata = "kuai.clock"
	epochKey      = "epoch_unix_nano"
	// headerMetadata names the one that carries Options.Header.
	headerMetadata = "kuai.header"

	encodingJSON     = "json"
	encodingProtobuf = "protobuf"
)

// file writes one MCAP file. It belongs to one goroutine.
type file struct {
	out     *os.File
	w       *mcap.Writer
	options *mcap.WriterOptions
	epoch   int64

	schemas  map[string]uint16
	channels map[string]*mcap.Channel
	counts   map[uint16]uint32

	flushEvery time.Duration
	flushed    robot.Time
	syncing    syncer
}

func createFile(path string, epoch time.Time, now robot.Time, flushEvery time.Duration, header map[string]string) (*file, error) {
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o640)
	if err != nil {
		return nil, err
	}
	f := &file{
		out: out, epoch: epoch.UnixNano(), flushEvery: flushEvery, flushed: now,
		options:  &mcap.WriterOptions{Chunked: true, ChunkSize: chunkBytes, Compression: mcap.CompressionLZ4, CompressionLevel: mcap.CompressionLevelFastest, IncludeCRC: true},
		schemas:  map[string]uint16{},
		channels: map[string]*mcap.Channel{},
		counts:   map[uint16]uint32{},
	}
	if err := f.start(header); err != nil {
		return nil, errors.Join(err, out.Close(), os.Remove(path))
	}
	return f, nil
}

func (f *file) start(header map[string]string) (err error) {
	if f.w, err = mcap.NewWriter(f.out, f.options); err != nil {
		return err
	}
	if err := f.w.WriteHeader(&mcap.Header{Library: "kuai"}); err != nil {
		return err
	}
	err = f.w.WriteMetadata(&mcap.Metadata{
		Name: clockMetadata, Metadata: map[string]string{epochKey: strconv.FormatInt(f.epoch, 10)},
	})
	if err != nil || len(header) == 0 {
		return err
	}
	return f.w.WriteMetadata(&mcap.Metadata{Name: headerMetadata, Metadata: header})
}

// write appends one message. schema names a Foxglove message, or is the JSON
// schema text of a JSON topic.
func (f *file) write(topic string, s schema, at, now robot.Time, data []byte) error {
	channel, err := f.channel(topic, s)
	if err != nil {
		return err
	}
	// The library closes a chunk when a message makes it larger than
	// ChunkSize and reads that option at every message: lowering it is how a
	// chunk is closed by time.
	due := now.Sub(f.flushed) >= f.flushEvery
	f.options.ChunkSize = chunkBytes
	if due {
		f.options.ChunkSize = 1
	}
	f.counts[channel.ID]++
	err = f.w.WriteMessage(&mcap.Message{
		ChannelID: channel.ID, Sequence: f.counts[channel.ID],
		LogTime: uint64(f.epoch + int64(now)), PublishTime: uint64(f.epoch + int64(at)), Data: data,
	})
	if err != nil || !due {
		return err
	}
	f.flushed = now
	return f.syncing.start(f.out)
}

func (f *file) channel(topic string, s schema) (*mcap.Channel, error) {
	if c, ok := f.channels[topic]; ok {
		return c, nil
	}
	id, ok := f.schemas[s.name]
	if !ok {
		id = uint16(len(f.schemas) + 1)
		if err := f.w.WriteSchema(&mcap.Schema{ID: id, Name: s.name, Encoding: s.encoding, Data: s.data}); err != nil {
			return nil, err
		}
		f.schemas[s.name] = id
	}
	encoding := encodingProtobuf
	if s.encoding == schemaEncodingJSON {
		encoding = encodingJSON
	}
	c := &mcap.Channel{ID: uint16(len(f.channels) + 1), SchemaID: id, Topic: topic, MessageEncoding: encoding}
	if err := f.w.WriteChannel(c); err != nil {
		return nil, err
	}
	f.channels[topic] = c
	return c, nil
}

// size is what the file holds, without the open chunk.
func (f *file) size() int64 { return int64(f.w.Offset()) }

func (f *file) close() error {
	return errors.Join(f.w.Close(), f.syncing.wait(), f.out.Sync(), f.out.Close())
}

// abandon closes the file as it is, for when it cannot be written any more.
func (f *file) abandon() {
	f.syncing.wait() // its error is the one that led here, or is told already
	f.out.Close()
}

// syncer brings what was written to the disk beside the writing, which a slow
// disk would hold up. That what was written survives the process needs no sync;
// that it survives a power cut does.
type syncer struct {
	running sync.WaitGroup
	busy    atomic.Bool
	failed  atomic.Pointer[error]
}

// start begins a sync unless one is running, and gives the error of the last.
func (s *syncer) start(f *os.File) error {
	if s.busy.CompareAndSwap(false, true) {
		s.running.Go(func() {
			if err := f.Sync(); err != nil {
				s.failed.Store(&err)
			}
			s.busy.Store(false)
		})
	}
	return s.error()
}

func (s *syncer) error() error {
	if err := s.failed.Load(); err != nil {
		return *err
	}
	return nil
}

func (s *syncer) wait() error {
	s.running.Wait()
	return s.error()
}

const (
	chunkBytes         = 1 << 20
	schemaEncodingJSON = "jsonschema"
)

// schema is what MCAP says of the bytes of a channel.
type schema struct {
	name     string
	encoding string
	data     []byte
}

func foxgloveSchema(name string) (schema, error) {
	data, err := descriptorSet(name)
	if err != nil {
		return schema{}, fmt.Errorf("record: schema %s: %w", name, err)
	}
	return schema{name: name, encoding: encodingProtobuf, data: data}, nil
}
