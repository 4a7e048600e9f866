// What each pin may be told, kept in EEPROM with a checksum.
//
// EEPROM from address 0: magic 4B 55 01, the pin count, six bytes a pin (struct limit, little
// endian), CRC-16/CCITT of all of that. All FF is an unwritten memory: no limits. Anything else
// that fails its checksum stops the board until the limits are erased.
#ifndef KUAI_LIMITS_H
#define KUAI_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "board.h"

enum stop_level { STOP_LEVEL_LOW = 0, STOP_LEVEL_HIGH = 1, STOP_LEVEL_FLOAT = 2 };

enum {
  SERVO_SHORTEST = 500,  // us, whatever is stored
  SERVO_LONGEST = 2500,
  SERVO_DEFAULT_MIN = 544,
  SERVO_DEFAULT_MAX = 2400,
  PWM_MAX = 255,
};

struct limit {
  uint8_t mode;  // the one mode the pin may be put in, or MODE_ANY
  uint8_t stop;  // enum stop_level of a digital output
  uint16_t min;  // us of a SERVO, duty of a PWM pin; unused otherwise
  uint16_t max;
};

// Reads the table; false when it is corrupt. Call once.
bool limits_load(void);

const struct limit *limit_of(uint8_t pin);

// Checks and stores; false when the limit makes no sense for the pin.
bool limit_set(uint8_t pin, struct limit limit);
void limits_erase(void);

// Says whether the EEPROM holds the table as it is.
bool limits_stored(void);

// Writes one byte that differs, when the EEPROM is ready for it; false once all is written.
bool limits_save_step(void);

#endif
