// Servo pulses, for pins.c; hal_servo_write is the portable part's way to them.
#ifndef KUAI_SERVO_H
#define KUAI_SERVO_H

#include <stdbool.h>
#include <stdint.h>

// The pin gets no more pulses; one under way is no longer ended here.
void servo_cut(uint8_t pin);

// The pin gets no more pulses; says whether one is under way, which is ended still. Interrupts
// must be off.
bool servo_end(uint8_t pin);

// From pins.c.
volatile uint8_t *pin_port(uint8_t pin);
uint8_t pin_mask(uint8_t pin);

#endif
