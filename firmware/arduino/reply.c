#include "reply.h"

#include <string.h>

#include "board.h"
#include "firmata.h"
#include "flash.h"
#include "guard.h"
#include "hal.h"
#include "limits.h"
#include "pins.h"

enum { PIECE_MOST = 18, PIN_BYTES = (PIN_COUNT + 7) / 8 };

static uint16_t asked;  // a bit for each enum reply
static uint8_t state_of[PIN_BYTES];
static uint8_t limit_of_pin[PIN_BYTES];
static uint8_t current = REPLY_KINDS;  // under way
static uint8_t step;

static void send2(uint16_t value) {
  if (value > 0x3FFF) value = 0x3FFF;
  hal_send(value & 0x7F);
  hal_send((uint8_t)(value >> 7));
}

static void begin(uint8_t command) {
  hal_send(FIRMATA_SYSEX);
  hal_send(command);
}

static void end(void) { hal_send(FIRMATA_SYSEX_END); }

void reply_ask(enum reply reply) { asked |= (uint16_t)1 << reply; }

void reply_ask_pin(enum reply reply, uint8_t pin) {
  uint8_t *pins = reply == REPLY_LIMIT ? limit_of_pin : state_of;
  pins[pin / 8] |= (uint8_t)(1 << pin % 8);
  reply_ask(reply);
}

void reply_forget(void) {
  asked = 0;
  memset(state_of, 0, sizeof state_of);
  memset(limit_of_pin, 0, sizeof limit_of_pin);
}

void reply_start(void) {
  reply_forget();
  current = REPLY_KINDS;
}

// Takes the lowest pin out of the set; PIN_COUNT when it is empty.
static uint8_t take_pin(uint8_t *pins) {
  for (uint8_t pin = 0; pin < PIN_COUNT; pin++) {
    uint8_t bit = (uint8_t)(1 << pin % 8);
    if (pins[pin / 8] & bit) {
      pins[pin / 8] &= (uint8_t)~bit;
      return pin;
    }
  }
  return PIN_COUNT;
}

// Each of the following sends piece number `step` of its answer and says whether more follow.

static bool send_status(const struct reply_status *s) {
  begin(SYSEX_KUAI);
  hal_send(KUAI_STATUS);
  send2(s->stopped);
  hal_send(s->cause & 0x7F);
  hal_send(pins_active());
  send2(s->loop_us);
  send2(s->errors);
  send2(s->refused);
  send2(s->lost);
  end();
  return false;
}

static bool send_text(const char FLASH *text) {
  for (; *text; text++) send2((uint8_t)*text);
  return true;
}

// The words of one reason are a piece, so they are at most eight letters.
static bool send_why(const struct reply_status *s) {
  static const char FLASH words[][9] = {" boot", " silence", " host", " pin", " limits", " noise"};
  if (step == 0) {
    begin(SYSEX_STRING);
    static const char FLASH running[] = "running", stopped[] = "stopped";
    return send_text(s->stopped ? stopped : running);
  }
  if (step <= sizeof words / sizeof words[0]) {
    if (s->stopped & (1 << (step - 1))) send_text(words[step - 1]);
    return true;
  }
  end();
  return false;
}

static bool send_version(void) {
  hal_send(FIRMATA_VERSION);
  hal_send(PROTOCOL_MAJOR);
  hal_send(PROTOCOL_MINOR);
  return false;
}

static bool send_firmware(void) {
  static const char FLASH name[] = BOARD_NAME;
  if (step == 0) {
    begin(SYSEX_FIRMWARE);
    hal_send(FIRMWARE_MAJOR);
    hal_send(FIRMWARE_MINOR);
    return true;
  }
  uint8_t at = step - 1;
  if (name[at]) {
    send2((uint8_t)name[at]);
    return true;
  }
  end();
  return false;
}

static bool send_capability(void) {
  static const struct {
    uint8_t mode, bits;
  } FLASH modes[] = {{MODE_INPUT, 1}, {MODE_OUTPUT, 1}, {MODE_ANALOG, 10},
                     {MODE_PWM, 8},   {MODE_SERVO, 14}, {MODE_PULLUP, 1}};
  if (step == 0) begin(SYSEX_CAPABILITY);
  if (step == PIN_COUNT) {
    end();
    return false;
  }
  for (uint8_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
    if (!pin_capable(step, modes[i].mode)) continue;
    hal_send(modes[i].mode);
    hal_send(modes[i].bits);
  }
  hal_send(0x7F);
  return true;
}

static bool send_mapping(void) {
  if (step == 0) begin(SYSEX_MAPPING);
  if (step == PIN_COUNT) {
    end();
    return false;
  }
  hal_send(pin_capable(step, MODE_ANALOG) ? step - FIRST_ANALOG : 0x7F);
  return true;
}

static bool send_pin_state(void) {
  uint8_t pin = take_pin(state_of);
  if (pin == PIN_COUNT) return false;
  begin(SYSEX_PIN_STATE);
  hal_send(pin);
  hal_send(pin_mode(pin));
  send2(pin_value(pin));
  end();
  return true;
}

static bool send_limit(void) {
  uint8_t pin = take_pin(limit_of_pin);
  if (pin == PIN_COUNT) return false;
  const struct limit *l = limit_of(pin);
  begin(SYSEX_KUAI);
  hal_send(KUAI_LIMIT_QUERY);
  hal_send(pin);
  hal_send(l->mode);
  hal_send(l->stop);
  send2(l->min);
  send2(l->max);
  hal_send(limits_stored());
  end();
  return true;
}

static bool send_piece(const struct reply_status *s) {
  switch (current) {
    case REPLY_STATUS:
      return send_status(s);
    case REPLY_WHY:
      return send_why(s);
    case REPLY_VERSION:
      return send_version();
    case REPLY_FIRMWARE:
      return send_firmware();
    case REPLY_CAPABILITY:
      return send_capability();
    case REPLY_MAPPING:
      return send_mapping();
    case REPLY_PIN_STATE:
      return send_pin_state();
    default:
      return send_limit();
  }
}

bool reply_step(const struct reply_status *status) {
  if (current == REPLY_KINDS) {
    if (asked == 0) return false;
    current = 0;
    while (!(asked & ((uint16_t)1 << current))) current++;
    asked &= (uint16_t) ~((uint16_t)1 << current);
    step = 0;
  }
  if (hal_send_room() < PIECE_MOST) return true;
  if (send_piece(status)) {
    step++;
  } else {
    current = REPLY_KINDS;
  }
  return true;
}
