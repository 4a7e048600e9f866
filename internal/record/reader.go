package record

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/foxglove/mcap/go/mcap"

	"github.com/kuai-robot/kuai/robot"
)

// Bounds on what a file may ask for, so that a hostile one is an error and not
// the end of the process.
const (
	maxRecordBytes = 64 << 20
	maxChunkBytes  = 256 << 20
)

// Record is one message of a recording.
type Record struct {
	Topic string
	// Schema names the type: a Foxglove message or a topic's JSON schema.
	Schema string
	// At is the time of capture; LoggedAt is when the recorder wrote it down.
	At, LoggedAt robot.Time
	// Data is protobuf or JSON by the schema; it is valid until the callback
	// returns.
	Data []byte

	schema schema
	epoch  time.Time
	header map[string]string
}

// Header gives what made the recording: Options.Header of then.
func (r *Record) Header() map[string]string { return r.header }

// Wall gives the wall-clock time of t, an instant of this recording.
func (r *Record) Wall(t robot.Time) time.Time { return r.epoch.Add(time.Duration(t)) }

// Summary is what Read went through.
type Summary struct {
	Messages uint64
	// Truncated says that the file ended in the middle, as after a crash.
	Truncated bool
}

// Read calls each for every message of the file at path, in the order of
// writing. A file that was cut off is read up to the cut. The error names the
// file and the first thing that is not MCAP; an error of each ends the reading
// and is returned as it is.
func Read(path string, each func(*Record) error) (Summary, error) {
	return ReadTelling(path, nil, each)
}

// ReadTelling is Read that tells how far it is; tell may be nil.
func ReadTelling(path string, tell Progress, each func(*Record) error) (Summary, error) {
	f, err := os.Open(path)
	if err != nil {
		return Summary{}, err
	}
	defer f.Close()
	var from io.Reader = f
	if tell != nil {
		info, err := f.Stat()
		if err != nil {
			return Summary{}, err
		}
		from = &telling{from: f, tell: tell, of: info.Size()}
		defer tell(info.Size(), info.Size())
	}
	summary, err := read(from, each)
	var own *callerError
	if errors.As(err, &own) {
		return summary, own.err
	}
	if err != nil {
		return summary, fmt.Errorf("record: %s: %w", path, err)
	}
	return summary, nil
}

type callerError struct{ err error }

func (e *callerError) Error() string { return e.err.Error() }

func read(from io.Reader, each func(*Record) error) (Summary, error) {
	lexer, err := mcap.NewLexer(from, &mcap.LexerOptions{
		ValidateChunkCRCs: true, MaxRecordSize: maxRecordBytes, MaxDecompressedChunkSize: maxChunkBytes,
	})
	if err != nil {
		return Summary{}, err
	}
	defer lexer.Close()
	r := reader{each: each, schemas: map[uint16]*mcap.Schema{}, channels: map[uint16]*mcap.Channel{}}
	var buf []byte
	for {
		token, data, err := next(lexer, buf)
		if cutOff(err) {
			r.summary.Truncated = true
			return r.summary, nil
		}
		if err != nil {
			return r.summary, err
		}
		if token == mcap.TokenDataEnd || token == mcap.TokenFooter {
			return r.summary, nil
		}
		if err := r.token(token, data); err != nil {
			return r.summary, err
		}
		if cap(data) > cap(buf) {
			buf = data
		}
	}
}

// next is lexer.Next with its panics as errors: the library slices by some
// lengths of the file before it checks them.
func next(lexer *mcap.Lexer, buf []byte) (token mcap.TokenType, data []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("not MCAP: %v", p)
		}
	}()
	return lexer.Next(buf)
}

// cutOff says whether err is how the lexer meets the end of a file that was
// not finished.
func cutOff(err error) bool {
	var truncated *mcap.ErrTruncatedRecord
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &truncated)
}

type reader struct {
	each     func(*Record) error
	epoch    int64
	header   map[string]string
	schemas  map[uint16]*mcap.Schema
	channels map[uint16]*mcap.Channel
	summary  Summary
}

func (r *reader) token(token mcap.TokenType, data []byte) error {
	switch token {
	case mcap.TokenMetadata:
		return r.metadata(data)
	case mcap.TokenSchema:
		s, err := mcap.ParseSchema(data)
		if err != nil {
			return err
		}
		s.Data = append([]byte(nil), s.Data...)
		r.schemas[s.ID] = s
	case mcap.TokenChannel:
		c, err := mcap.ParseChannel(data)
		if err != nil {
			return err
		}
		r.channels[c.ID] = c
	case mcap.TokenMessage:
		return r.message(data)
	}
	return nil
}

func (r *reader) metadata(data []byte) error {
	m, err := mcap.ParseMetadata(data)
	if err != nil {
		return err
	}
	switch m.Name {
	case headerMetadata:
		r.header = m.Metadata
	case clockMetadata:
		if r.epoch, err = strconv.ParseInt(m.Metadata[epochKey], 10, 64); err != nil {
			return fmt.Errorf("metadata %s: %w", clockMetadata, err)
		}
	}
	return nil
}

func (r *reader) message(data []byte) error {
	m, err := mcap.ParseMessage(data)
	if err != nil {
		return err
	}
	channel, ok := r.channels[m.ChannelID]
	if !ok {
		return fmt.Errorf("a message is on channel %d, which the file does not describe", m.ChannelID)
	}
	record := Record{
		Topic: channel.Topic, Data: m.Data, epoch: time.Unix(0, r.epoch), header: r.header,
		At: robot.Time(int64(m.PublishTime) - r.epoch), LoggedAt: robot.Time(int64(m.LogTime) - r.epoch),
	}
	if s, ok := r.schemas[channel.SchemaID]; ok {
		record.Schema = s.Name
		record.schema = schema{name: s.Name, encoding: s.Encoding, data: s.Data}
	}
	r.summary.Messages++
	if err := r.each(&record); err != nil {
		return &callerError{err}
	}
	return nil
}
