// The converter goes round the enabled channels by itself, 104 us each, and keeps the newest value.
#include <avr/interrupt.h>
#include <avr/io.h>
#include <util/atomic.h>

#include "../hal.h"

static volatile uint16_t enabled;  // a bit a channel
static volatile uint16_t values[ANALOG_CHANNELS];
static volatile uint8_t channel;
static volatile bool running;

static inline void convert(uint8_t next) {
  channel = next;
  ADMUX = 1 << REFS0 | (next & 7);
#ifdef MUX5
  ADCSRB = next & 8 ? 1 << MUX5 : 0;
#endif
  ADCSRA |= 1 << ADSC;
}

ISR(ADC_vect) {
  values[channel] = ADC;
  uint8_t next = channel;
  for (uint8_t i = 0; i < ANALOG_CHANNELS; i++) {
    next = next + 1 == ANALOG_CHANNELS ? 0 : next + 1;
    if (enabled & (uint16_t)1 << next) {
      convert(next);
      return;
    }
  }
  running = false;
}

void hal_analog_enable(uint8_t which, bool on) {
  uint16_t bit = (uint16_t)1 << which;
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    enabled = on ? enabled | bit : enabled & (uint16_t)~bit;
    if (on && !running) {
      running = true;
      convert(which);
    }
  }
}

uint16_t hal_analog_read(uint8_t which) {
  uint16_t value;
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) { value = values[which]; }
  return value;
}

void analog_init(void) {
  // Clock/128: 125 kHz, what ten bits need.
  ADCSRA = 1 << ADEN | 1 << ADIE | 1 << ADPS2 | 1 << ADPS1 | 1 << ADPS0;
}
