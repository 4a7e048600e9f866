// The subset of the Firmata protocol 2.6 that this firmware speaks, and its own sysex command.
//
// Bytes 0x80 and above start a message, bytes below are its data. Values wider than 7 bits are
// sent as two data bytes, the low seven bits first.
//
//   message              bytes                           direction  note
//   -------------------  ------------------------------  ---------  ------------------------------
//   digital port         90+port  low7 high1             both       pins in OUTPUT mode only
//   report analog        C0+channel  0|1                 to board
//   report digital       D0+port  0|1                    to board
//   analog               E0+pin|channel  low7 high7      both       servo or PWM to the board
//   set pin mode         F4 pin mode                     to board
//   set digital pin      F5 pin 0|1                      to board
//   protocol version     F9 [2 6]                        both       bare F9 asks
//   system reset         FF                              to board   outputs off, a session begins
//   extended analog      F0 6F pin value7... F7          to board   pins above 15
//   servo configuration  F0 70 pin min2 max2 F7          to board   microseconds, sets SERVO mode
//   capability query     F0 6B F7, answer 6C             both
//   analog mapping       F0 69 F7, answer 6A             both
//   pin state            F0 6D pin F7, answer 6E         both
//   string               F0 71 (low7 high1)... F7        to host    why the outputs stopped
//   firmware             F0 79 F7, answer 79             both       name and version
//   sampling interval    F0 7A ms2 F7                    to board   10 to 16383 ms, 19 at start
//   kuai                 F0 0A sub ... F7                both       the table below
//
//   kuai sub-command     bytes after F0 0A               note
//   -------------------  ------------------------------  ------------------------------------------
//   status               00                              asks; the answer also comes by itself
//                                                        whenever the reasons to stand still change
//     answer             00 stopped2 cause active        stopped: enum stop_reason, or-ed
//                        loop2 errors2 refused2 lost2    loop: longest pass so far, us
//   reset                01                              clears every reason that no longer holds
//   set limit            02 pin mode stop min2 max2 sum  sum: of the bytes before it, 7 bits
//   query limit          03 pin                          answer 03 pin mode stop min2 max2 stored
//   erase limits         04 2A                           no limits but those of the pin's mode
//   alive                05                              does nothing but count as a valid message
//   stop                 06                              stops every output until reset
//   hang                 7E 0|1                          test builds only: waits for the watchdog
#ifndef KUAI_FIRMATA_H
#define KUAI_FIRMATA_H

enum firmata_status {
  FIRMATA_DIGITAL = 0x90,
  FIRMATA_REPORT_ANALOG = 0xC0,
  FIRMATA_REPORT_DIGITAL = 0xD0,
  FIRMATA_ANALOG = 0xE0,
  FIRMATA_SYSEX = 0xF0,
  FIRMATA_PIN_MODE = 0xF4,
  FIRMATA_DIGITAL_PIN = 0xF5,
  FIRMATA_SYSEX_END = 0xF7,
  FIRMATA_VERSION = 0xF9,
  // Undefined by Firmata: the UART puts it where bytes were lost.
  FIRMATA_LOST = 0xFE,
  FIRMATA_RESET = 0xFF,
};

enum firmata_sysex {
  SYSEX_KUAI = 0x0A,
  SYSEX_MAPPING_QUERY = 0x69,
  SYSEX_MAPPING = 0x6A,
  SYSEX_CAPABILITY_QUERY = 0x6B,
  SYSEX_CAPABILITY = 0x6C,
  SYSEX_PIN_STATE_QUERY = 0x6D,
  SYSEX_PIN_STATE = 0x6E,
  SYSEX_EXTENDED_ANALOG = 0x6F,
  SYSEX_SERVO_CONFIG = 0x70,
  SYSEX_STRING = 0x71,
  SYSEX_FIRMWARE = 0x79,
  SYSEX_SAMPLING = 0x7A,
};

enum kuai_command {
  KUAI_STATUS = 0x00,
  KUAI_RESET = 0x01,
  KUAI_LIMIT_SET = 0x02,
  KUAI_LIMIT_QUERY = 0x03,
  KUAI_LIMIT_ERASE = 0x04,
  KUAI_ALIVE = 0x05,
  KUAI_STOP = 0x06,
  KUAI_HANG = 0x7E,
};

enum {
  KUAI_ERASE_KEY = 0x2A,
  PROTOCOL_MAJOR = 2,
  PROTOCOL_MINOR = 6,
  FIRMWARE_MAJOR = 1,
  FIRMWARE_MINOR = 0,
};

enum pin_mode {
  MODE_INPUT = 0x00,
  MODE_OUTPUT = 0x01,
  MODE_ANALOG = 0x02,
  MODE_PWM = 0x03,
  MODE_SERVO = 0x04,
  MODE_PULLUP = 0x0B,
  // In a limit: the pin may be put in any mode it is capable of.
  MODE_ANY = 0x7F,
};

#endif
