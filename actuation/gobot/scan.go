package gobot

// Bytes of the Firmata protocol 2.6 as a host meets them.
const (
	digitalMessage  = 0x90
	analogMessage   = 0xE0
	sysexStart      = 0xF0
	sysexEnd        = 0xF7
	protocolVersion = 0xF9
	systemReset     = 0xFF

	mappingAnswer    = 0x6A
	capabilityAnswer = 0x6C
	extendedAnalog   = 0x6F
	stringMessage    = 0x71
	firmwareAnswer   = 0x79

	pinEnd = 0x7F // closes a pin's list in an answer
)

// longestSysex bounds what is kept of a message; a board of 128 pins needs half.
const longestSysex = 4096

// scanner cuts what a board sends into messages. The zero value is ready.
type scanner struct {
	message []byte // begun
	need    int    // data bytes to come; -1: until sysexEnd
	broken  uint64 // bytes and messages that made no sense
}

// feed takes one byte and gives the message that it completes, which is valid
// until the next call.
func (s *scanner) feed(b byte) []byte {
	switch {
	case b == sysexEnd && s.need < 0:
		return s.end(b)
	case b >= 0x80:
		s.begin(b)
		return nil
	case len(s.message) == 0:
		s.broken++
		return nil
	case len(s.message) == longestSysex:
		s.drop()
		return nil
	}
	s.message = append(s.message, b)
	if s.need--; s.need == 0 {
		message := s.message
		s.message = s.message[:0]
		return message
	}
	return nil
}

func (s *scanner) begin(b byte) {
	if len(s.message) > 0 {
		s.drop()
	}
	switch {
	case b == sysexStart:
		s.need = -1
	case b == protocolVersion, b&0xF0 == digitalMessage, b&0xF0 == analogMessage:
		s.need = 2
	default:
		s.broken++
		return
	}
	s.message = append(s.message, b)
}

func (s *scanner) end(b byte) []byte {
	message := append(s.message, b)
	s.message, s.need = s.message[:0], 0
	return message
}

func (s *scanner) drop() {
	s.broken++
	s.message, s.need = s.message[:0], 0
}

// Reasons for which kuai's firmware keeps its outputs still.
var stopReasons = []string{
	"no session since it started", "the host fell silent", "the host stopped it", "its stop switch is open",
	"its stored limits are corrupt (erase them)", "the link is too noisy",
}

// status is what kuai's firmware says of itself.
type status struct {
	stopped               int // bits, in the order of stopReasons
	active                int
	loopMicros            int
	errors, refused, lost int
}

// parseStatus reads the answer to the status query.
func parseStatus(message []byte) (status, bool) {
	if len(message) != 16 || message[1] != kuaiSysex || message[2] != kuaiStatus {
		return status{}, false
	}
	two := func(at int) int { return int(message[at]) | int(message[at+1])<<7 }
	return status{stopped: two(3), active: int(message[6]), loopMicros: two(7), errors: two(9), refused: two(11), lost: two(13)}, true
}

// Sub-commands of kuai's own sysex.
const (
	kuaiSysex  = 0x0A
	kuaiStatus = 0x00
	kuaiReset  = 0x01
)

// forGobot says whether Gobot's client can be given a message. It is only fed
// the answers of its handshake, and of them only what it does not panic on:
// it trusts every length.
func forGobot(message []byte, pins int) bool {
	switch message[0] {
	case protocolVersion:
		return true
	case sysexStart:
		switch message[1] {
		case firmwareAnswer:
			return len(message) >= 5
		case capabilityAnswer:
			return len(message) > 3
		case mappingAnswer:
			return len(message) > 3 && len(message)-3 <= pins
		}
	}
	return false
}

// countPins gives how many pins a capability answer describes.
func countPins(message []byte) int {
	pins := 0
	for _, b := range message[2 : len(message)-1] {
		if b == pinEnd {
			pins++
		}
	}
	return pins
}
