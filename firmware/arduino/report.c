#include "report.h"

#include <string.h>

#include "board.h"
#include "firmata.h"
#include "guard.h"
#include "hal.h"
#include "pins.h"

enum { REPORT_BYTES = 3, UNKNOWN = 0x100 };

static bool digital_on[PORT_COUNT];
static uint16_t digital_sent[PORT_COUNT];  // the levels told last, or UNKNOWN
static uint16_t analog_on;                 // a bit a channel
static uint16_t analog_due;
static uint16_t interval_ms;
static uint32_t sampled_at;
static uint8_t next_port;

_Static_assert(ANALOG_CHANNELS <= 16, "a bit a channel");

void report_start(void) {
  memset(digital_on, 0, sizeof digital_on);
  analog_on = analog_due = 0;
  interval_ms = SAMPLING_MS;
  sampled_at = hal_now();
}

bool report_digital(uint8_t port, bool on) {
  if (port >= PORT_COUNT) return false;
  digital_on[port] = on;
  digital_sent[port] = UNKNOWN;
  return true;
}

bool report_analog(uint8_t channel, bool on) {
  if (channel >= ANALOG_CHANNELS) return false;
  uint16_t bit = (uint16_t)1 << channel;
  analog_on = on ? analog_on | bit : analog_on & (uint16_t)~bit;
  analog_due &= analog_on;
  return true;
}

void report_interval(uint16_t ms) { interval_ms = ms < SAMPLING_LEAST_MS ? SAMPLING_LEAST_MS : ms; }

static uint8_t port_levels(uint8_t port) {
  uint8_t levels = 0;
  for (uint8_t bit = 0; bit < 8; bit++) {
    uint8_t pin = port * 8 + bit;
    if (pin >= PIN_COUNT || hal_pin_duty(pin) == DUTY_LINK) continue;
    uint8_t mode = pin_mode(pin);
    if (mode != MODE_INPUT && mode != MODE_PULLUP) continue;
    if (hal_pin_read(pin)) levels |= (uint8_t)(1 << bit);
  }
  return levels;
}

static void send(uint8_t status, uint16_t value) {
  hal_send(status);
  hal_send(value & 0x7F);
  hal_send((uint8_t)(value >> 7));
}

// Looks at one port a call, so that a board of many ports has no longer passes.
static bool digital_step(void) {
  uint8_t port = next_port;
  next_port = port + 1 == PORT_COUNT ? 0 : port + 1;
  if (!digital_on[port]) return false;
  uint8_t levels = port_levels(port);
  if (levels == digital_sent[port]) return false;
  digital_sent[port] = levels;
  send(FIRMATA_DIGITAL | port, levels);
  return true;
}

static void analog_step(uint32_t now) {
  uint32_t interval = (uint32_t)interval_ms * TICKS_PER_MS;
  if (now - sampled_at >= interval) {
    // By whole intervals, so that the rate does not drift, unless samples have been missed.
    sampled_at = now - sampled_at >= 2 * interval ? now : sampled_at + interval;
    analog_due = analog_on;
  }
  for (uint8_t channel = 0; channel < ANALOG_CHANNELS; channel++) {
    uint16_t bit = (uint16_t)1 << channel;
    if (!(analog_due & bit)) continue;
    analog_due &= (uint16_t)~bit;
    send(FIRMATA_ANALOG | channel, hal_analog_read(channel));
    return;
  }
}

void report_step(uint32_t now) {
  if (hal_send_room() < REPORT_BYTES) return;
  if (!digital_step()) analog_step(now);
}
