#include "session.h"

#include "firmata.h"
#include "guard.h"
#include "hal.h"
#include "limits.h"
#include "parser.h"
#include "pins.h"
#include "reply.h"
#include "report.h"

enum {
  BYTES_A_PASS = 16,
  // A message that is begun and not ended for this long is broken: the host went away in the
  // middle.
  MESSAGE_MS = 100,
  COUNT_MOST = 0x3FFF,  // what an answer can carry
};

static struct parser parser;
static struct guard guard;
static struct reply_status status;
static uint32_t passed_at, byte_at;
#ifdef KUAI_TEST_HANG
static enum { HANG_NOT, HANG_LOOP, HANG_NO_INTERRUPTS } hang;
#endif

static void count(uint16_t *counter) {
  if (*counter < COUNT_MOST) (*counter)++;
}

static bool pin_open(void) { return hal_pin_read(STOP_PIN_NUMBER); }

static uint16_t wide(const uint8_t *data) { return data[0] | (uint16_t)data[1] << 7; }

// Says whether outputs may be driven and the message be believed.
static bool may_drive(void) { return guard.stopped == 0 && guard_trusts(&guard); }

// Each of the following obeys a message and says whether it did.

static bool write_port(uint8_t port, uint16_t levels) {
  if (port >= PORT_COUNT || !may_drive()) return false;
  for (uint8_t bit = 0; bit < 8; bit++) {
    uint8_t pin = port * 8 + bit;
    if (pin >= PIN_COUNT) break;
    // Pins of the port in other modes are none of the message's business.
    if (pin_mode(pin) == MODE_OUTPUT) pin_drive(pin, levels >> bit & 1);
  }
  return true;
}

static bool set_mode(uint8_t pin, uint8_t mode) {
  if (pin >= PIN_COUNT || !guard_trusts(&guard) || !pin_set_mode(pin, mode)) return false;
  // As hosts expect of Firmata.
  if (mode == MODE_ANALOG) report_analog(pin - FIRST_ANALOG, true);
  return true;
}

static bool write_pin(uint8_t pin, uint16_t value) {
  return pin < PIN_COUNT && may_drive() && pin_write(pin, value);
}

static bool drive_pin(uint8_t pin, uint8_t level) {
  return pin < PIN_COUNT && level <= 1 && may_drive() && pin_drive(pin, level);
}

static bool begin_session(void) {
  if (!guard_trusts(&guard)) return false;
  pins_start();
  report_start();
  reply_forget();
  guard_session(&guard);
  return true;
}

static bool write_extended(const uint8_t *data, uint8_t length) {
  if (length < 2) return false;
  uint32_t value = 0;
  for (uint8_t i = length - 1; i >= 1; i--) {
    if (value > UINT16_MAX >> 7) return false;
    value = value << 7 | data[i];
  }
  return write_pin(data[0], (uint16_t)value);
}

static bool set_limit(const uint8_t *data, uint8_t length) {
  if (length != 9) return false;
  uint8_t sum = 0;
  for (uint8_t i = 0; i < length - 1; i++) sum += data[i];
  if ((sum & 0x7F) != data[length - 1]) return false;
  uint8_t pin = data[1];
  if (pin >= PIN_COUNT || !guard_trusts(&guard)) return false;
  // Not beneath an output that runs, nor over a table that nobody has given up.
  if (pins_active() != 0 || guard.stopped & STOP_LIMITS) return false;
  struct limit l = {.mode = data[2], .stop = data[3], .min = wide(data + 4), .max = wide(data + 6)};
  if (!limit_set(pin, l)) return false;
  pin_start(pin);
  return true;
}

static bool erase_limits(const uint8_t *data, uint8_t length) {
  if (length != 2 || data[1] != KUAI_ERASE_KEY || !guard_trusts(&guard) || pins_active() != 0)
    return false;
  limits_erase();
  guard.stopped &= (uint8_t)~STOP_LIMITS;
  pins_start();
  return true;
}

static bool query_limit(const uint8_t *data, uint8_t length) {
  if (length != 2 || data[1] >= PIN_COUNT) return false;
  reply_ask_pin(REPLY_LIMIT, data[1]);
  return true;
}

static bool obey_kuai(const uint8_t *data, uint8_t length) {
  if (length == 0) return false;
  switch (data[0]) {
    case KUAI_STATUS:
      reply_ask(REPLY_STATUS);
      return true;
    case KUAI_RESET:
      if (!guard_trusts(&guard)) return false;
      guard_reset(&guard, pin_open());
      return true;
    case KUAI_LIMIT_SET:
      return set_limit(data, length);
    case KUAI_LIMIT_QUERY:
      return query_limit(data, length);
    case KUAI_LIMIT_ERASE:
      return erase_limits(data, length);
    case KUAI_ALIVE:
      return guard_trusts(&guard);
    case KUAI_STOP:
      guard.stopped |= STOP_HOST;
      return true;
#ifdef KUAI_TEST_HANG
    case KUAI_HANG:
      hang = length == 2 && data[1] ? HANG_NO_INTERRUPTS : HANG_LOOP;
      return true;
#endif
  }
  return false;
}

static bool query_pin(const uint8_t *data, uint8_t length) {
  if (length != 1 || data[0] >= PIN_COUNT) return false;
  reply_ask_pin(REPLY_PIN_STATE, data[0]);
  return true;
}

static bool configure_servo(const uint8_t *data, uint8_t length) {
  return length == 5 && data[0] < PIN_COUNT && guard_trusts(&guard) &&
         pin_set_servo_range(data[0], wide(data + 1), wide(data + 3));
}

static bool obey_sysex(const uint8_t *data, uint8_t length) {
  uint8_t command = *data++;
  length--;
  switch (command) {
    case SYSEX_KUAI:
      return obey_kuai(data, length);
    case SYSEX_CAPABILITY_QUERY:
      if (guard_trusts(&guard)) guard_greet(&guard);
      reply_ask(REPLY_CAPABILITY);
      return true;
    case SYSEX_MAPPING_QUERY:
      reply_ask(REPLY_MAPPING);
      return true;
    case SYSEX_PIN_STATE_QUERY:
      return query_pin(data, length);
    case SYSEX_EXTENDED_ANALOG:
      return write_extended(data, length);
    case SYSEX_SERVO_CONFIG:
      return configure_servo(data, length);
    case SYSEX_FIRMWARE:
      reply_ask(REPLY_FIRMWARE);
      return true;
    case SYSEX_SAMPLING:
      if (length != 2) return false;
      report_interval(wide(data));
      return true;
  }
  return false;
}

static bool obey(void) {
  const uint8_t *data = parser.data;
  uint8_t low = parser.status & 0x0F;
  switch (parser.status & 0xF0) {
    case FIRMATA_DIGITAL:
      return write_port(low, wide(data));
    case FIRMATA_ANALOG:
      return write_pin(low, wide(data));
    case FIRMATA_REPORT_ANALOG:
      return report_analog(low, data[0]);
    case FIRMATA_REPORT_DIGITAL:
      return report_digital(low, data[0]);
  }
  switch (parser.status) {
    case FIRMATA_SYSEX:
      return obey_sysex(data, parser.length);
    case FIRMATA_PIN_MODE:
      return set_mode(data[0], data[1]);
    case FIRMATA_DIGITAL_PIN:
      return drive_pin(data[0], data[1]);
    case FIRMATA_VERSION:
      reply_ask(REPLY_VERSION);
      return true;
    case FIRMATA_RESET:
      return begin_session();
  }
  return false;
}

static void broken(uint32_t now) {
  count(&status.errors);
  guard_error(&guard, now);
}

// Reads until a message is complete or enough was read for one pass.
static void receive(uint32_t now) {
  uint8_t byte;
  for (uint8_t i = 0; i < BYTES_A_PASS && hal_receive(&byte); i++) {
    byte_at = now;
    if (byte == FIRMATA_LOST) count(&status.lost);
    uint8_t result = parser_feed(&parser, byte);
    if (result & PARSER_ERROR) broken(now);
    if (!(result & PARSER_MESSAGE)) continue;
    if (obey()) {
      guard_valid(&guard, now);
    } else {
      count(&status.refused);
    }
    return;
  }
  if (parser_busy(&parser) && now - byte_at >= (uint32_t)MESSAGE_MS * TICKS_PER_MS) {
    parser_abort(&parser);
    broken(now);
  }
}

static void watch(uint32_t now) {
  guard_tick(&guard, now, pins_active() != 0, pin_open());
  if (guard.stopped == status.stopped) return;
  if (guard.stopped) pins_stop();
  status.stopped = guard.stopped;
  reply_ask(REPLY_STATUS);
  reply_ask(REPLY_WHY);
}

static void measure(uint32_t now) {
  uint32_t us = (now - passed_at) / 2;
  passed_at = now;
  if (us > status.loop_us) status.loop_us = us > COUNT_MOST ? COUNT_MOST : (uint16_t)us;
}

void session_start(uint8_t cause) {
  guard_start(&guard, limits_load());
  status = (struct reply_status){.stopped = guard.stopped, .cause = cause};
  parser_abort(&parser);
  pins_start();
  report_start();
  reply_start();
  // A host that opened the port before the board was up waits for these.
  reply_ask(REPLY_VERSION);
  reply_ask(REPLY_FIRMWARE);
  passed_at = hal_now();
}

uint8_t session_stopped(void) { return guard.stopped; }

void session_pass(void) {
  uint32_t now = hal_now();
  measure(now);
  receive(now);
  watch(now);
  limits_save_step();
  if (!reply_step(&status)) report_step(now);
#ifdef KUAI_TEST_HANG
  if (hang != HANG_NOT) hal_hang(hang == HANG_NO_INTERRUPTS);
#endif
}
