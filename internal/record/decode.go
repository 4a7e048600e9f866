package record

import (
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/kuai-robot/kuai/robot"
)

// walk calls see with each field of a protobuf message: data for the
// length-delimited ones, the bits for the others.
func walk(b []byte, see func(number protowire.Number, bits uint64, data []byte) error) error {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		var bits uint64
		var data []byte
		switch kind {
		case protowire.BytesType:
			data, n = protowire.ConsumeBytes(b)
		case protowire.VarintType:
			bits, n = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			bits, n = protowire.ConsumeFixed64(b)
		case protowire.Fixed32Type:
			var v uint32
			v, n = protowire.ConsumeFixed32(b)
			bits = uint64(v)
		default:
			return fmt.Errorf("field %d has wire type %d", number, kind)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		if err := see(number, bits, data); err != nil {
			return err
		}
	}
	return nil
}

// Image gives the picture in a foxglove.CompressedImage: the name of its
// camera and its file. The bytes are those of the record.
func (r *Record) Image() (camera, format string, file []byte, err error) {
	if r.Schema != schemaImage {
		return "", "", nil, fmt.Errorf("topic %s: %s is not a picture", r.Topic, r.Schema)
	}
	err = walk(r.Data, func(number protowire.Number, _ uint64, data []byte) error {
		switch number {
		case 2:
			file = data
		case 3:
			format = string(data)
		case 4:
			camera = string(data)
		}
		return nil
	})
	if err != nil {
		err = fmt.Errorf("topic %s: %w", r.Topic, err)
	}
	return camera, format, file, err
}

// JointState gives what is in a foxglove.JointState: names, and a state whose
// first entries are theirs, at the time of capture.
func (r *Record) JointState() (names []string, s robot.State, err error) {
	if r.Schema != schemaJoints {
		return nil, s, fmt.Errorf("topic %s: %s is not a state of joints", r.Topic, r.Schema)
	}
	s.At = r.At
	err = walk(r.Data, func(number protowire.Number, _ uint64, data []byte) error {
		switch number {
		case 2:
			if len(names) == robot.MaxJoints {
				return fmt.Errorf("more than %d joints", robot.MaxJoints)
			}
			names = append(names, string(data))
		case 3:
			return doubles(&s.Position, data)
		case 4:
			return doubles(&s.Velocity, data)
		case 5:
			return doubles(&s.Effort, data)
		}
		return nil
	})
	if err != nil {
		err = fmt.Errorf("topic %s: %w", r.Topic, err)
	}
	return names, s, err
}

func doubles(into *robot.Joints, packed []byte) error {
	if len(packed) > 8*robot.MaxJoints || len(packed)%8 != 0 {
		return errors.New("too many numbers for the joints")
	}
	for i := 0; len(packed) > 0; i++ {
		bits, n := protowire.ConsumeFixed64(packed)
		into[i], packed = math.Float64frombits(bits), packed[n:]
	}
	return nil
}

// Audio gives how much sound a foxglove.RawAudio holds, s.
func (r *Record) Audio() (seconds float64, err error) {
	if r.Schema != schemaAudio {
		return 0, fmt.Errorf("topic %s: %s is not sound", r.Topic, r.Schema)
	}
	var samples, rate, channels float64
	err = walk(r.Data, func(number protowire.Number, bits uint64, data []byte) error {
		switch number {
		case 2:
			samples = float64(len(data) / 2)
		case 4:
			rate = float64(bits)
		case 5:
			channels = float64(bits)
		}
		return nil
	})
	if err != nil || rate <= 0 || channels <= 0 {
		return 0, errors.Join(fmt.Errorf("topic %s: not sound", r.Topic), err)
	}
	return samples / channels / rate, nil
}
