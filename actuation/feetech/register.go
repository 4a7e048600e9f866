package feetech

// Registers of an STS servo; the first group lies in memory that keeps, which
// Lock protects.
const (
	RegID          = 5
	RegMinAngle    = 9
	RegMaxAngle    = 11
	RegOffset      = 31 // sign bit 11
	RegTorque      = 40
	RegGoal        = 42
	RegLock        = 55
	RegPosition    = 56
	RegSpeed       = 58 // sign bit 15
	RegLoad        = 60 // sign bit 10, per mille of full
	RegVoltage     = 62 // 0.1 V
	RegTemperature = 63 // °C
	RegCurrent     = 69 // 6.5 mA, sign bit 15

	// Registers is how many bytes there are.
	Registers = 71
)

// Counts a turn.
const Counts = 4096

const (
	speedSign   = 15
	loadSign    = 10
	offsetSign  = 11
	currentSign = 15

	voltsPerUnit   = 0.1
	ampersPerUnit  = 0.0065
	fullLoad       = 1000.0
	motionBytes    = 6 // position, speed, load
	wellbeingBytes = RegCurrent + 2 - RegVoltage
	commandBytes   = 8 // torque, acceleration, goal, time, speed
)

// Word reads a little-endian number.
func Word(b []byte) int { return int(b[0]) | int(b[1])<<8 }

// PutWord writes one.
func PutWord(b []byte, v int) { b[0], b[1] = byte(v), byte(v>>8) }

// Signed reads v with its sign in the given bit.
func Signed(v, bit int) int {
	if v&(1<<bit) != 0 {
		return -(v & (1<<bit - 1))
	}
	return v & (1<<bit - 1)
}

// SignBit writes v with its sign in the given bit.
func SignBit(v, bit int) int {
	if v < 0 {
		return -v&(1<<bit-1) | 1<<bit
	}
	return v & (1<<bit - 1)
}
