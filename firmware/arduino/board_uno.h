// Arduino Uno and Nano: ATmega328P at 16 MHz.
#ifndef KUAI_BOARD_UNO_H
#define KUAI_BOARD_UNO_H

#define BOARD_NAME "kuai uno"

// Timer 1 makes the servo pulses and is the clock, so OC1A and OC1B (pins 9, 10) have no PWM.
enum { PIN_COUNT = 20, FIRST_ANALOG = 14, STOP_PIN_NUMBER = 2, SERVO_CHANNELS = 2 };

// clang-format off
#define KUAI_PINS(X)                                                   \
  X(D, 0, NONE, DUTY_LINK)     X(D, 1, NONE, DUTY_LINK)                \
  X(D, 2, NONE, DUTY_STOP)     X(D, 3, 2B, DUTY_DIGITAL)               \
  X(D, 4, NONE, DUTY_DIGITAL)  X(D, 5, 0B, DUTY_DIGITAL)               \
  X(D, 6, 0A, DUTY_DIGITAL)    X(D, 7, NONE, DUTY_DIGITAL)             \
  X(B, 0, NONE, DUTY_DIGITAL)  X(B, 1, NONE, DUTY_DIGITAL)             \
  X(B, 2, NONE, DUTY_DIGITAL)  X(B, 3, 2A, DUTY_DIGITAL)               \
  X(B, 4, NONE, DUTY_DIGITAL)  X(B, 5, NONE, DUTY_DIGITAL)             \
  X(C, 0, NONE, DUTY_ANALOG)   X(C, 1, NONE, DUTY_ANALOG)              \
  X(C, 2, NONE, DUTY_ANALOG)   X(C, 3, NONE, DUTY_ANALOG)              \
  X(C, 4, NONE, DUTY_ANALOG)   X(C, 5, NONE, DUTY_ANALOG)
// clang-format on

#endif
