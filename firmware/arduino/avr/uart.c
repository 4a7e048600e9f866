// UART 0 at 57600 baud, 8N1, with a ring each way. Where received bytes were lost, to a full ring
// or to a line error, the reader finds FIRMATA_LOST.
#include <avr/interrupt.h>
#include <avr/io.h>

#include "../firmata.h"
#include "../hal.h"

// Where there is but one UART its vectors have no number.
#ifndef USART_RX_vect
#define USART_RX_vect USART0_RX_vect
#define USART_UDRE_vect USART0_UDRE_vect
#endif

enum { BAUD_RATE = 57600, RING = 128 };

// The nearest divider at double speed: 57143 baud, 0.8 % slow, within what a UART stands.
enum { DIVIDER = (F_CPU / 8 + BAUD_RATE / 2) / BAUD_RATE - 1 };

struct ring {
  volatile uint8_t head, tail;  // written at head, read at tail
  volatile uint8_t bytes[RING];
};

static struct ring in, out;
static volatile bool losing;

static inline uint8_t after(uint8_t at) { return (at + 1) % RING; }

static inline uint8_t room(const struct ring *r) { return (uint8_t)(r->tail - r->head - 1) % RING; }

static inline void put(struct ring *r, uint8_t byte) {
  r->bytes[r->head] = byte;
  r->head = after(r->head);
}

ISR(USART_RX_vect) {
  uint8_t errors = UCSR0A & (1 << FE0 | 1 << DOR0);
  uint8_t byte = UDR0;
  if (errors || room(&in) == 0) losing = true;
  if (losing) {
    // The mark takes the place of what came; it needs room too.
    if (room(&in) < 2) return;
    put(&in, FIRMATA_LOST);
    losing = false;
    if (errors) return;
  }
  put(&in, byte);
}

ISR(USART_UDRE_vect) {
  if (out.head == out.tail) {
    UCSR0B &= (uint8_t) ~(1 << UDRIE0);
    return;
  }
  UDR0 = out.bytes[out.tail];
  out.tail = after(out.tail);
}

bool hal_receive(uint8_t *byte) {
  if (in.head == in.tail) return false;
  *byte = in.bytes[in.tail];
  in.tail = after(in.tail);
  return true;
}

uint8_t hal_send_room(void) { return room(&out); }

void hal_send(uint8_t byte) {
  put(&out, byte);
  UCSR0B |= 1 << UDRIE0;
}

void uart_init(void) {
  UCSR0A = 1 << U2X0;
  UCSR0C = 1 << UCSZ01 | 1 << UCSZ00;
  UBRR0 = DIVIDER;
  UCSR0B = 1 << RXEN0 | 1 << TXEN0 | 1 << RXCIE0;
}
