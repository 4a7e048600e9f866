// Timer 1 counts half microseconds without end. It is the clock, and its compare units make the
// servo pulses: each serves its slots one after the other in a frame of 20 ms.
#include "servo.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <util/atomic.h>

#include "../hal.h"

enum {
  TICKS_A_US = 2,
  FRAME_TICKS = 20000U * TICKS_A_US,
  // Seven of the longest pulses leave 2.5 ms of a frame.
  SLOTS = 7,
};

struct slot {
  volatile uint8_t *port;
  uint8_t mask;  // 0: the slot is free
  uint8_t pin;
  bool ending;     // no new pulse; the one under way is ended
  uint16_t ticks;  // of the pulse
};

static struct slot slots[SERVO_CHANNELS * SLOTS];

static struct channel {
  struct slot *first;  // of SLOTS
  struct slot *at;     // whose pulse is under way; 0 between frames
  uint16_t frame_at;
} channels[SERVO_CHANNELS];

// The slot that each pin had last.
static uint8_t slot_of[PIN_COUNT];

static volatile uint16_t overflows;

ISR(TIMER1_OVF_vect) { overflows++; }

uint32_t hal_now(void) {
  uint16_t high, low;
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    low = TCNT1;
    high = overflows;
    // The timer has wrapped and its interrupt has not run yet.
    if (TIFR1 & 1 << TOV1 && low < 0x8000) high++;
  }
  return (uint32_t)high << 16 | low;
}

// Ends the pulse under way, begins the next and gives the tick at which to come again.
static inline uint16_t advance(struct channel *c, uint16_t due) {
  struct slot *s = c->at;
  if (!s) {
    c->frame_at = due;
    s = c->first;
  } else {
    if (s->mask) *s->port &= (uint8_t)~s->mask;
    if (s->ending) s->mask = 0;
    s++;
  }
  for (; s < c->first + SLOTS; s++) {
    if (s->mask == 0 || s->ending) continue;
    *s->port |= s->mask;
    c->at = s;
    return due + s->ticks;
  }
  c->at = 0;
  return c->frame_at + FRAME_TICKS;
}

ISR(TIMER1_COMPA_vect) { OCR1A = advance(&channels[0], OCR1A); }
ISR(TIMER1_COMPB_vect) { OCR1B = advance(&channels[1], OCR1B); }
#ifdef OCR1C
ISR(TIMER1_COMPC_vect) { OCR1C = advance(&channels[2], OCR1C); }
#endif

// The slot that the pin has, or has still while its last pulse is under way.
static struct slot *find(uint8_t pin) {
  struct slot *s = &slots[slot_of[pin]];
  return s->mask && s->pin == pin ? s : 0;
}

static bool under_way(const struct slot *s) {
  for (uint8_t c = 0; c < SERVO_CHANNELS; c++) {
    if (channels[c].at == s) return true;
  }
  return false;
}

void servo_cut(uint8_t pin) {
  struct slot *s = find(pin);
  if (s) s->mask = 0;
}

bool servo_end(uint8_t pin) {
  struct slot *s = find(pin);
  if (!s) return false;
  s->ending = true;
  if (under_way(s)) return true;
  s->mask = 0;
  return false;
}

// Gives a free slot, of the channel that has the most so that frames stay short.
static uint8_t take(void) {
  uint8_t best = SERVO_CHANNELS * SLOTS, most = 0;
  for (uint8_t c = 0; c < SERVO_CHANNELS; c++) {
    uint8_t free = 0, count = 0;
    for (uint8_t i = 0; i < SLOTS; i++) {
      if (channels[c].first[i].mask) continue;
      free = c * SLOTS + i;
      count++;
    }
    if (count > most) {
      most = count;
      best = free;
    }
  }
  return best;
}

bool hal_servo_write(uint8_t pin, uint16_t us) {
  struct slot *s = find(pin);
  if (!s) {
    uint8_t number = take();
    if (number == SERVO_CHANNELS * SLOTS) return false;
    hal_pin_drive(pin, false);
    slot_of[pin] = number;
    s = &slots[number];
  }
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    // All of it, since the end of a last pulse may have freed the slot meanwhile.
    s->port = pin_port(pin);
    s->ticks = us * TICKS_A_US;
    s->pin = pin;
    s->ending = false;
    s->mask = pin_mask(pin);
  }
  return true;
}

void servo_init(void) {
  for (uint8_t c = 0; c < SERVO_CHANNELS; c++) channels[c].first = &slots[c * SLOTS];
  TCCR1A = 0;
  TCCR1B = 1 << CS11;
  // Channels begin apart, so that their first pulses do not delay each other.
  OCR1A = TCNT1 + 1000;
  OCR1B = TCNT1 + 1500;
  TIMSK1 = 1 << TOIE1 | 1 << OCIE1A | 1 << OCIE1B;
#ifdef OCR1C
  OCR1C = TCNT1 + 2000;
  TIMSK1 |= 1 << OCIE1C;
#endif
}
