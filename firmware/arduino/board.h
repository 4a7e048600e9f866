// What a board is made of: its pins in the order of their Arduino numbers.
//
// KUAI_PINS expands X(port, bit, pwm, duty) for every pin: the port letter and bit, the compare
// unit behind it (0A is OCR0A; NONE), and what the pin may be used for.
#ifndef KUAI_BOARD_H
#define KUAI_BOARD_H

// What a pin may be used for.
enum pin_duty {
  DUTY_LINK,     // the UART to the host: nothing else
  DUTY_STOP,     // the stop pin: read only
  DUTY_DIGITAL,  // in, out, servo, PWM where there is a compare unit
  DUTY_ANALOG,   // digital, and analog in
};

#if defined(__AVR_ATmega2560__) || defined(KUAI_HOST_MEGA)
#include "board_mega.h"
#else
#include "board_uno.h"
#endif

enum { ANALOG_CHANNELS = PIN_COUNT - FIRST_ANALOG, PORT_COUNT = (PIN_COUNT + 7) / 8 };

#endif
