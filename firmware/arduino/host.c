#ifndef __AVR__

#include "host.h"

#include <stdio.h>
#include <string.h>

#include "firmata.h"
#include "guard.h"
#include "hal.h"
#include "limits.h"
#include "pins.h"
#include "session.h"

enum {
  PASS_TICKS = 350,  // about the time of a byte at 57600 baud
  EEPROM_BYTES = 1024,
  EEPROM_PASSES = 20,  // how long a write takes
  SEND_ROOM = 127,
  SERVO_SLOTS = 7 * SERVO_CHANNELS,
};

enum drive { DRIVE_NONE, DRIVE_LEVEL, DRIVE_PWM, DRIVE_SERVO };

static struct {
  enum drive drive;
  uint16_t value;
} outs[PIN_COUNT];

static uint32_t now;
static uint32_t heard_at;  // the newest byte
static bool switch_open;
static uint8_t open_passes;
static uint8_t memory[EEPROM_BYTES];
static uint8_t writing;
static uint8_t pending;  // bytes that the line still carries
static int received = -1;
static uint64_t driven;
static char broken[160];

static void fail(const char *what, uint8_t pin, unsigned value) {
  if (broken[0]) return;
  snprintf(broken, sizeof broken, "%s: pin %u, value %u, stopped %#x, at %u ms", what, pin, value,
           session_stopped(), (unsigned)(now / TICKS_PER_MS));
}

uint32_t hal_now(void) { return now; }

enum pin_duty hal_pin_duty(uint8_t pin) {
#define DUTY(letter, bit, unit, duty) duty,
  static const uint8_t duties[PIN_COUNT] = {KUAI_PINS(DUTY)};
  return duties[pin];
}

bool hal_pin_has_pwm(uint8_t pin) {
  enum {
    HAS_NONE = 0,
    HAS_0A,
    HAS_0B,
    HAS_2A,
    HAS_2B,
    HAS_3A,
    HAS_3B,
    HAS_3C,
    HAS_4A,
    HAS_4B,
    HAS_4C,
    HAS_5A,
    HAS_5B,
    HAS_5C
  };
#define UNIT(letter, bit, unit, duty) HAS_##unit,
  static const uint8_t units[PIN_COUNT] = {KUAI_PINS(UNIT)};
  return units[pin] != HAS_NONE;
}

static void drive(uint8_t pin, enum drive how, uint16_t value) {
  enum pin_duty duty = hal_pin_duty(pin);
  if (duty == DUTY_LINK || duty == DUTY_STOP)
    fail("a pin that is no output was driven", pin, value);
  outs[pin].drive = how;
  outs[pin].value = value;
}

void hal_pin_float(uint8_t pin, bool pullup) {
  (void)pullup;
  outs[pin].drive = DRIVE_NONE;
  outs[pin].value = 0;
}

void hal_pin_drive(uint8_t pin, bool high) { drive(pin, DRIVE_LEVEL, high); }

bool hal_pin_read(uint8_t pin) {
  return pin == STOP_PIN_NUMBER ? switch_open : (now >> 12 & 1) != 0;
}

void hal_pwm_write(uint8_t pin, uint8_t duty) {
  if (!hal_pin_has_pwm(pin)) fail("PWM where there is none", pin, duty);
  drive(pin, DRIVE_PWM, duty);
}

bool hal_servo_write(uint8_t pin, uint16_t us) {
  int taken = 0;
  for (uint8_t i = 0; i < PIN_COUNT; i++) taken += i != pin && outs[i].drive == DRIVE_SERVO;
  if (taken >= SERVO_SLOTS) return false;
  drive(pin, DRIVE_SERVO, us);
  return true;
}

void hal_analog_enable(uint8_t channel, bool on) {
  (void)on;
  if (channel >= ANALOG_CHANNELS) fail("no such analog channel", channel, 0);
}

uint16_t hal_analog_read(uint8_t channel) { return (uint16_t)((now >> 8 ^ channel * 37) & 0x3FF); }

bool hal_receive(uint8_t *byte) {
  if (received < 0) return false;
  *byte = (uint8_t)received;
  received = -1;
  return true;
}

uint8_t hal_send_room(void) { return SEND_ROOM - pending; }

void hal_send(uint8_t byte) {
  (void)byte;
  if (pending == SEND_ROOM) fail("a byte was sent without room", 0, byte);
  pending++;
}

uint8_t hal_eeprom_read(uint16_t address) { return memory[address % EEPROM_BYTES]; }

bool hal_eeprom_busy(void) { return writing > 0; }

void hal_eeprom_write(uint16_t address, uint8_t value) {
  if (writing > 0) fail("the EEPROM was written while busy", 0, value);
  if (address >= EEPROM_BYTES) fail("a write beyond the EEPROM", 0, value);
  memory[address % EEPROM_BYTES] = value;
  writing = EEPROM_PASSES;
}

// Says whether the pin does no more than at a stop.
static bool at_rest(uint8_t pin) {
  const struct limit *l = limit_of(pin);
  switch (outs[pin].drive) {
    case DRIVE_NONE:
      return true;
    case DRIVE_LEVEL:
      if (pin_mode(pin) == MODE_OUTPUT)
        return l->stop != STOP_LEVEL_FLOAT && outs[pin].value == (l->stop == STOP_LEVEL_HIGH);
      return outs[pin].value == 0;
    case DRIVE_PWM:
      return outs[pin].value == 0;
    case DRIVE_SERVO:
      return false;
  }
  return false;
}

static void check_limits(uint8_t pin) {
  const struct limit *l = limit_of(pin);
  uint16_t value = outs[pin].value;
  static const uint8_t mode_of[] = {
      [DRIVE_LEVEL] = MODE_OUTPUT, [DRIVE_PWM] = MODE_PWM, [DRIVE_SERVO] = MODE_SERVO};
  enum drive how = outs[pin].drive;
  if (how == DRIVE_SERVO && (value < SERVO_SHORTEST || value > SERVO_LONGEST))
    fail("no servo pulse", pin, value);
  if (l->mode == MODE_ANY || at_rest(pin)) return;
  if (mode_of[how] != l->mode) fail("driven in a mode that the limit forbids", pin, value);
  if (how != DRIVE_LEVEL && (value < l->min || value > l->max))
    fail("beyond the limit", pin, value);
}

static void check(void) {
  uint8_t away = 0;
  for (uint8_t pin = 0; pin < PIN_COUNT; pin++) {
    check_limits(pin);
    if (at_rest(pin)) continue;
    away++;
    driven++;
    if (session_stopped())
      fail("driven while there is a reason to stand still", pin, outs[pin].value);
  }
  if (away != pins_active()) fail("outputs are miscounted", away, pins_active());
  if (away && now - heard_at > (uint32_t)(SILENCE_MS + 1) * TICKS_PER_MS)
    fail("driven though the host is silent", 0, away);
  if (open_passes > 1 && !(session_stopped() & STOP_PIN))
    fail("the stop switch is open and no reason", STOP_PIN_NUMBER, 0);
}

static void pass(void) {
  now += PASS_TICKS;
  if (pending > 0) pending--;
  if (writing > 0) writing--;
  open_passes = switch_open ? open_passes + (open_passes < 2) : 0;
  session_pass();
  check();
}

void host_new(void) {
  memset(memory, 0xFF, sizeof memory);
  broken[0] = 0;
  switch_open = false;
  now = 0;
  host_power();
}

void host_power(void) {
  memset(outs, 0, sizeof outs);
  pending = writing = open_passes = 0;
  received = -1;
  heard_at = now;
  session_start(1);
  check();
}

void host_corrupt(uint16_t address, uint8_t mask) { memory[address % EEPROM_BYTES] ^= mask; }

void host_stop_switch(bool open) { switch_open = open; }

void host_feed(uint8_t byte) {
  received = byte;
  heard_at = now;
  pass();
}

void host_wait(uint16_t ms) {
  for (uint32_t end = now + (uint32_t)ms * TICKS_PER_MS; (int32_t)(end - now) > 0;) pass();
}

const char *host_broken(void) { return broken[0] ? broken : NULL; }

uint64_t host_driven(void) { return driven; }

uint8_t host_reasons(void) { return session_stopped(); }

#endif
