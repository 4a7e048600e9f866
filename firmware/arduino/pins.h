// What each pin is doing. Every value that reaches an output passes through here, so the stored
// limits hold whatever the message was; whether anything may be driven at all is the guard's
// question and has been asked before.
#ifndef KUAI_PINS_H
#define KUAI_PINS_H

#include <stdbool.h>
#include <stdint.h>

#include "board.h"

// Takes every pin to where a session begins: what is capable of it in mode OUTPUT, as hosts assume
// of Firmata, but floating until the first message that drives it; what its limit makes an output
// at its stop level from the start.
void pins_start(void);

// The same for one pin, whose limit has changed.
void pin_start(uint8_t pin);

// Takes every output to its stop level; modes stay.
void pins_stop(void);

// Says how many outputs are away from their stop level.
uint8_t pins_active(void);

// Says whether the pin can be put in the mode, its limit included.
bool pin_capable(uint8_t pin, uint8_t mode);

// Each of these gives false, and does nothing, when the pin is not capable of it.
bool pin_set_mode(uint8_t pin, uint8_t mode);
bool pin_set_servo_range(uint8_t pin, uint16_t min, uint16_t max);
bool pin_drive(uint8_t pin, bool high);
// A SERVO pin takes degrees up to 180, or microseconds; a PWM pin a duty up to 255. What is beyond
// the pin's limits is brought to them.
bool pin_write(uint8_t pin, uint16_t value);

uint8_t pin_mode(uint8_t pin);
// What was last written: level, duty or microseconds; the pull-up of an input.
uint16_t pin_value(uint8_t pin);

#endif
