// Ports and pins of the AVR, and the PWM of its compare units.
#include <avr/io.h>
#include <util/atomic.h>

#include "../flash.h"
#include "../hal.h"
#include "servo.h"

// Ports lie at the same distance from their direction and input registers on every AVR here.
#define DDR_OF(port) (*((port)-1))
#define PIN_OF(port) (*((port)-2))

enum unit {
  UNIT_NONE,
  UNIT_0A,
  UNIT_0B,
  UNIT_2A,
  UNIT_2B,
  UNIT_3A,
  UNIT_3B,
  UNIT_3C,
  UNIT_4A,
  UNIT_4B,
  UNIT_4C,
  UNIT_5A,
  UNIT_5B,
  UNIT_5C
};

struct wiring {
  volatile uint8_t *port;
  uint8_t mask;
  uint8_t unit;  // enum unit
  uint8_t duty;  // enum pin_duty
};

#define WIRING(letter, bit, unit, duty) {&PORT##letter, 1 << bit, UNIT_##unit, duty},
static const struct wiring FLASH wirings[PIN_COUNT] = {KUAI_PINS(WIRING)};

enum pin_duty hal_pin_duty(uint8_t pin) { return wirings[pin].duty; }

bool hal_pin_has_pwm(uint8_t pin) { return wirings[pin].unit != UNIT_NONE; }

bool hal_pin_read(uint8_t pin) { return PIN_OF(wirings[pin].port) & wirings[pin].mask; }

volatile uint8_t *pin_port(uint8_t pin) { return wirings[pin].port; }

uint8_t pin_mask(uint8_t pin) { return wirings[pin].mask; }

// Connects a compare unit to its pin with this duty, or disconnects it at 0.
static void set_unit(uint8_t unit, uint8_t duty) {
  // High for duty of 256 counts: the unit clears one count after its compare value.
  uint8_t top = duty - 1;
#define UNIT(name, control, com, compare) \
  case UNIT_##name:                       \
    if (duty) {                           \
      compare = top;                      \
      control |= 1 << com;                \
    } else {                              \
      control &= (uint8_t) ~(1 << com);   \
    }                                     \
    break;
  switch (unit) {
    UNIT(0A, TCCR0A, COM0A1, OCR0A)
    UNIT(0B, TCCR0A, COM0B1, OCR0B)
    UNIT(2A, TCCR2A, COM2A1, OCR2A)
    UNIT(2B, TCCR2A, COM2B1, OCR2B)
#ifdef OCR3A
    UNIT(3A, TCCR3A, COM3A1, OCR3A)
    UNIT(3B, TCCR3A, COM3B1, OCR3B)
    UNIT(3C, TCCR3A, COM3C1, OCR3C)
    UNIT(4A, TCCR4A, COM4A1, OCR4A)
    UNIT(4B, TCCR4A, COM4B1, OCR4B)
    UNIT(4C, TCCR4A, COM4C1, OCR4C)
    UNIT(5A, TCCR5A, COM5A1, OCR5A)
    UNIT(5B, TCCR5A, COM5B1, OCR5B)
    UNIT(5C, TCCR5A, COM5C1, OCR5C)
#endif
  }
#undef UNIT
}

void hal_pin_float(uint8_t pin, bool pullup) {
  set_unit(wirings[pin].unit, 0);
  servo_cut(pin);
  volatile uint8_t *port = wirings[pin].port;
  uint8_t mask = wirings[pin].mask;
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    DDR_OF(port) &= (uint8_t)~mask;
    *port = pullup ? *port | mask : *port & (uint8_t)~mask;
  }
}

void hal_pin_drive(uint8_t pin, bool high) {
  set_unit(wirings[pin].unit, 0);
  if (high) servo_cut(pin);
  volatile uint8_t *port = wirings[pin].port;
  uint8_t mask = wirings[pin].mask;
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    // A pulse under way ends by itself.
    bool pulse = servo_end(pin);
    if (!pulse) *port = high ? *port | mask : *port & (uint8_t)~mask;
    DDR_OF(port) |= mask;
  }
}

void hal_pwm_write(uint8_t pin, uint8_t duty) {
  if (duty == 0 || duty == UINT8_MAX) {
    hal_pin_drive(pin, duty != 0);
    return;
  }
  set_unit(wirings[pin].unit, duty);
  volatile uint8_t *port = wirings[pin].port;
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) { DDR_OF(port) |= wirings[pin].mask; }
}

// Fast PWM of 8 bits at clock/64: 977 Hz.
void pwm_init(void) {
  TCCR0A = 1 << WGM01 | 1 << WGM00;
  TCCR0B = 1 << CS01 | 1 << CS00;
  TCCR2A = 1 << WGM21 | 1 << WGM20;
  TCCR2B = 1 << CS22;
#ifdef OCR3A
  TCCR3A = 1 << WGM30;
  TCCR3B = 1 << WGM32 | 1 << CS31 | 1 << CS30;
  TCCR4A = 1 << WGM40;
  TCCR4B = 1 << WGM42 | 1 << CS41 | 1 << CS40;
  TCCR5A = 1 << WGM50;
  TCCR5B = 1 << WGM52 | 1 << CS51 | 1 << CS50;
#endif
}
