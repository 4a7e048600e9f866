package emulator

import (
	"math"
	"time"

	"github.com/kuai-robot/kuai/actuation/feetech"
)

// Servo is one servo: its registers, and the count its shaft really stands at,
// without the offset register.
type Servo struct {
	id        byte
	registers [feetech.Registers]byte
	shaft     float64
	silent    bool
}

// fastest is how many counts a second a servo turns: about 4.7 rad/s.
const fastest = 3000

const offsetSign, speedSign = 11, 15

func newServo(id byte) *Servo {
	s := &Servo{id: id, shaft: feetech.Counts / 2}
	s.registers[feetech.RegID] = id
	s.registers[feetech.RegLock] = 1
	s.registers[feetech.RegVoltage] = 74
	s.registers[feetech.RegTemperature] = 31
	feetech.PutWord(s.registers[feetech.RegCurrent:], 20)
	feetech.PutWord(s.registers[feetech.RegMaxAngle:], feetech.Counts-1)
	s.present(0)
	return s
}

// present brings the registers up to the shaft.
func (s *Servo) present(speed float64) {
	offset := feetech.Signed(feetech.Word(s.registers[feetech.RegOffset:]), offsetSign)
	count := (int(math.Round(s.shaft)) - offset) % feetech.Counts
	if count < 0 {
		count += feetech.Counts
	}
	feetech.PutWord(s.registers[feetech.RegPosition:], count)
	feetech.PutWord(s.registers[feetech.RegSpeed:], feetech.SignBit(int(speed), speedSign))
}

// advance turns the shaft towards the goal, not beyond its range, if there is
// torque. A servo does not
// go across its seam: it takes the long way.
func (s *Servo) advance(d time.Duration) {
	if s.registers[feetech.RegTorque] == 0 || d <= 0 {
		s.present(0)
		return
	}
	count := float64(feetech.Word(s.registers[feetech.RegPosition:]))
	low, high := feetech.Word(s.registers[feetech.RegMinAngle:]), feetech.Word(s.registers[feetech.RegMaxAngle:])
	goal := max(low, min(high, feetech.Word(s.registers[feetech.RegGoal:])))
	way := float64(goal) - count
	most := fastest * d.Seconds()
	way = max(-most, min(most, way))
	s.shaft += way
	s.present(way / d.Seconds())
}

// set writes registers; the memory that keeps takes nothing while locked.
func (s *Servo) set(address int, data []byte) {
	for i, b := range data {
		a := address + i
		if a >= feetech.RegPosition || a < feetech.RegTorque && s.registers[feetech.RegLock] == 1 {
			continue
		}
		s.registers[a] = b
	}
	s.present(0)
}
