// Arduino Mega 2560: ATmega2560 at 16 MHz.
#ifndef KUAI_BOARD_MEGA_H
#define KUAI_BOARD_MEGA_H

#define BOARD_NAME "kuai mega"

// Timer 1 makes the servo pulses and is the clock, so OC1A and OC1B (pins 11, 12) have no PWM.
enum { PIN_COUNT = 70, FIRST_ANALOG = 54, STOP_PIN_NUMBER = 2, SERVO_CHANNELS = 3 };

// clang-format off
#define KUAI_PINS(X)                                                   \
  X(E, 0, NONE, DUTY_LINK)     X(E, 1, NONE, DUTY_LINK)                \
  X(E, 4, NONE, DUTY_STOP)     X(E, 5, 3C, DUTY_DIGITAL)               \
  X(G, 5, 0B, DUTY_DIGITAL)    X(E, 3, 3A, DUTY_DIGITAL)               \
  X(H, 3, 4A, DUTY_DIGITAL)    X(H, 4, 4B, DUTY_DIGITAL)               \
  X(H, 5, 4C, DUTY_DIGITAL)    X(H, 6, 2B, DUTY_DIGITAL)               \
  X(B, 4, 2A, DUTY_DIGITAL)    X(B, 5, NONE, DUTY_DIGITAL)             \
  X(B, 6, NONE, DUTY_DIGITAL)  X(B, 7, 0A, DUTY_DIGITAL)               \
  X(J, 1, NONE, DUTY_DIGITAL)  X(J, 0, NONE, DUTY_DIGITAL)             \
  X(H, 1, NONE, DUTY_DIGITAL)  X(H, 0, NONE, DUTY_DIGITAL)             \
  X(D, 3, NONE, DUTY_DIGITAL)  X(D, 2, NONE, DUTY_DIGITAL)             \
  X(D, 1, NONE, DUTY_DIGITAL)  X(D, 0, NONE, DUTY_DIGITAL)             \
  X(A, 0, NONE, DUTY_DIGITAL)  X(A, 1, NONE, DUTY_DIGITAL)             \
  X(A, 2, NONE, DUTY_DIGITAL)  X(A, 3, NONE, DUTY_DIGITAL)             \
  X(A, 4, NONE, DUTY_DIGITAL)  X(A, 5, NONE, DUTY_DIGITAL)             \
  X(A, 6, NONE, DUTY_DIGITAL)  X(A, 7, NONE, DUTY_DIGITAL)             \
  X(C, 7, NONE, DUTY_DIGITAL)  X(C, 6, NONE, DUTY_DIGITAL)             \
  X(C, 5, NONE, DUTY_DIGITAL)  X(C, 4, NONE, DUTY_DIGITAL)             \
  X(C, 3, NONE, DUTY_DIGITAL)  X(C, 2, NONE, DUTY_DIGITAL)             \
  X(C, 1, NONE, DUTY_DIGITAL)  X(C, 0, NONE, DUTY_DIGITAL)             \
  X(D, 7, NONE, DUTY_DIGITAL)  X(G, 2, NONE, DUTY_DIGITAL)             \
  X(G, 1, NONE, DUTY_DIGITAL)  X(G, 0, NONE, DUTY_DIGITAL)             \
  X(L, 7, NONE, DUTY_DIGITAL)  X(L, 6, NONE, DUTY_DIGITAL)             \
  X(L, 5, 5C, DUTY_DIGITAL)    X(L, 4, 5B, DUTY_DIGITAL)               \
  X(L, 3, 5A, DUTY_DIGITAL)    X(L, 2, NONE, DUTY_DIGITAL)             \
  X(L, 1, NONE, DUTY_DIGITAL)  X(L, 0, NONE, DUTY_DIGITAL)             \
  X(B, 3, NONE, DUTY_DIGITAL)  X(B, 2, NONE, DUTY_DIGITAL)             \
  X(B, 1, NONE, DUTY_DIGITAL)  X(B, 0, NONE, DUTY_DIGITAL)             \
  X(F, 0, NONE, DUTY_ANALOG)   X(F, 1, NONE, DUTY_ANALOG)              \
  X(F, 2, NONE, DUTY_ANALOG)   X(F, 3, NONE, DUTY_ANALOG)              \
  X(F, 4, NONE, DUTY_ANALOG)   X(F, 5, NONE, DUTY_ANALOG)              \
  X(F, 6, NONE, DUTY_ANALOG)   X(F, 7, NONE, DUTY_ANALOG)              \
  X(K, 0, NONE, DUTY_ANALOG)   X(K, 1, NONE, DUTY_ANALOG)              \
  X(K, 2, NONE, DUTY_ANALOG)   X(K, 3, NONE, DUTY_ANALOG)              \
  X(K, 4, NONE, DUTY_ANALOG)   X(K, 5, NONE, DUTY_ANALOG)              \
  X(K, 6, NONE, DUTY_ANALOG)   X(K, 7, NONE, DUTY_ANALOG)
// clang-format on

#endif
