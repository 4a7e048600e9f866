package record

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/kuai-robot/kuai/robot"
)

// Names of the Foxglove schemas that are written.
const (
	schemaImage  = "foxglove.CompressedImage"
	schemaJoints = "foxglove.JointState"
	schemaAudio  = "foxglove.RawAudio"
	schemaLog    = "foxglove.Log"
)

type field struct {
	name     string
	number   int32
	kind     descriptorpb.FieldDescriptorProto_Type
	repeated bool
}

const (
	kindString  = descriptorpb.FieldDescriptorProto_TYPE_STRING
	kindBytes   = descriptorpb.FieldDescriptorProto_TYPE_BYTES
	kindDouble  = descriptorpb.FieldDescriptorProto_TYPE_DOUBLE
	kindFixed32 = descriptorpb.FieldDescriptorProto_TYPE_FIXED32
	kindEnum    = descriptorpb.FieldDescriptorProto_TYPE_ENUM
)

// messages lists the fields after timestamp = 1, which every one has.
var messages = map[string][]field{
	schemaImage: {{"data", 2, kindBytes, false}, {"format", 3, kindString, false}, {"frame_id", 4, kindString, false}},
	schemaJoints: {
		{"name", 2, kindString, true}, {"position", 3, kindDouble, true},
		{"velocity", 4, kindDouble, true}, {"effort", 5, kindDouble, true},
	},
	schemaAudio: {
		{"data", 2, kindBytes, false}, {"format", 3, kindString, false},
		{"sample_rate", 4, kindFixed32, false}, {"number_of_channels", 5, kindFixed32, false},
	},
	schemaLog: {
		{"level", 2, kindEnum, false}, {"message", 3, kindString, false}, {"name", 4, kindString, false},
		{"file", 5, kindString, false}, {"line", 6, kindFixed32, false},
	},
}

var logLevels = []string{"UNKNOWN", "DEBUG", "INFO", "WARNING", "ERROR", "FATAL"}

// descriptorSet gives the serialised FileDescriptorSet of one of messages: what
// MCAP stores as the data of a protobuf schema.
func descriptorSet(name string) ([]byte, error) {
	short := name[len("foxglove."):]
	message := &descriptorpb.DescriptorProto{Name: proto.String(short)}
	message.Field = append(message.Field, &descriptorpb.FieldDescriptorProto{
		Name: proto.String("timestamp"), Number: proto.Int32(1),
		Type:     descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum(),
		Label:    descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
		TypeName: proto.String(".google.protobuf.Timestamp"),
	})
	for _, f := range messages[name] {
		label := descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL
		if f.repeated {
			label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED
		}
		d := &descriptorpb.FieldDescriptorProto{
			Name: proto.String(f.name), Number: proto.Int32(f.number), Type: f.kind.Enum(), Label: label.Enum(),
		}
		if f.kind == kindEnum {
			d.TypeName = proto.String("." + name + ".Level")
			level := &descriptorpb.EnumDescriptorProto{Name: proto.String("Level")}
			for i, l := range logLevels {
				level.Value = append(level.Value, &descriptorpb.EnumValueDescriptorProto{Name: proto.String(l), Number: proto.Int32(int32(i))})
			}
			message.EnumType = []*descriptorpb.EnumDescriptorProto{level}
		}
		message.Field = append(message.Field, d)
	}
	return proto.Marshal(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{
		protodesc.ToFileDescriptorProto(timestamppb.File_google_protobuf_timestamp_proto),
		{
			Name: proto.String("foxglove/" + short + ".proto"), Package: proto.String("foxglove"), Syntax: proto.String("proto3"),
			Dependency:  []string{"google/protobuf/timestamp.proto"},
			MessageType: []*descriptorpb.DescriptorProto{message},
		},
	}})
}

func appendTimestamp(b []byte, unixNano int64) []byte {
	var stamp []byte
	stamp = protowire.AppendTag(stamp, 1, protowire.VarintType)
	stamp = protowire.AppendVarint(stamp, uint64(unixNano/1e9))
	stamp = protowire.AppendTag(stamp, 2, protowire.VarintType)
	stamp = protowire.AppendVarint(stamp, uint64(unixNano%1e9))
	b = protowire.AppendTag(b, 1, protowire.BytesType)
	return protowire.AppendBytes(b, stamp)
}

func appendString(b []byte, n protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, n, protowire.BytesType), s)
}

func appendBytes(b []byte, n protowire.Number, data []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, n, protowire.BytesType), data)
}

func appendFixed32(b []byte, n protowire.Number, v uint32) []byte {
	return protowire.AppendFixed32(protowire.AppendTag(b, n, protowire.Fixed32Type), v)
}

func appendDoubles(b []byte, n protowire.Number, vs []float64) []byte {
	b = protowire.AppendTag(b, n, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(8*len(vs)))
	for _, v := range vs {
		b = protowire.AppendFixed64(b, math.Float64bits(v))
	}
	return b
}

func encodeImage(b []byte, unixNano int64, camera, format string, data []byte) []byte {
	b = appendTimestamp(b, unixNano)
	b = appendBytes(b, 2, data)
	b = appendString(b, 3, format)
	return appendString(b, 4, camera)
}

func encodeJoints(b []byte, unixNano int64, joints []robot.Joint, s *robot.State) []byte {
	b = appendTimestamp(b, unixNano)
	for i := range joints {
		b = appendString(b, 2, joints[i].Name)
	}
	n := len(joints)
	b = appendDoubles(b, 3, s.Position[:n])
	b = appendDoubles(b, 4, s.Velocity[:n])
	return appendDoubles(b, 5, s.Effort[:n])
}

func encodeAudio(b []byte, unixNano int64, c *robot.Clip) []byte {
	b = appendTimestamp(b, unixNano)
	pcm := make([]byte, 0, 2*len(c.Samples))
	for _, s := range c.Samples {
		v := int16(math.Round(float64(max(-1, min(1, s))) * math.MaxInt16))
		pcm = append(pcm, byte(v), byte(uint16(v)>>8))
	}
	b = appendBytes(b, 2, pcm)
	b = appendString(b, 3, "pcm-s16")
	b = appendFixed32(b, 4, uint32(c.Rate))
	return appendFixed32(b, 5, 1)
}

func encodeLog(b []byte, unixNano int64, level int, name, message string) []byte {
	b = appendTimestamp(b, unixNano)
	b = protowire.AppendVarint(protowire.AppendTag(b, 2, protowire.VarintType), uint64(level))
	b = appendString(b, 3, message)
	return appendString(b, 4, name)
}
