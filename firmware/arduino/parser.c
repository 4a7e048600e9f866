#include "parser.h"

#include "firmata.h"

enum { COMPLETE = 0xFF, UNDEFINED = 0xFE, UNBOUNDED = 0xFD };

// Data bytes that follow a status byte sent by the host, or UNDEFINED or UNBOUNDED.
static uint8_t data_bytes(uint8_t status) {
  switch (status & 0xF0) {
    case FIRMATA_DIGITAL:
    case FIRMATA_ANALOG:
      return 2;
    case FIRMATA_REPORT_ANALOG:
    case FIRMATA_REPORT_DIGITAL:
      return 1;
  }
  switch (status) {
    case FIRMATA_SYSEX:
      return UNBOUNDED;
    case FIRMATA_PIN_MODE:
    case FIRMATA_DIGITAL_PIN:
      return 2;
    case FIRMATA_VERSION:
    case FIRMATA_RESET:
      return 0;
  }
  return UNDEFINED;
}

bool parser_busy(const struct parser *p) { return p->status != 0 && p->need != COMPLETE; }

void parser_abort(struct parser *p) { p->status = 0; }

static uint8_t begin(struct parser *p, uint8_t status) {
  p->need = data_bytes(status);
  p->length = 0;
  p->too_long = false;
  if (p->need == UNDEFINED) {
    p->status = 0;
    return PARSER_ERROR;
  }
  p->status = status;
  if (p->need == 0) {
    p->need = COMPLETE;
    return PARSER_MESSAGE;
  }
  return PARSER_MORE;
}

static uint8_t end_sysex(struct parser *p) {
  if (p->too_long || p->length == 0) {
    p->status = 0;
    return PARSER_ERROR;
  }
  p->need = COMPLETE;
  return PARSER_MESSAGE;
}

uint8_t parser_feed(struct parser *p, uint8_t byte) {
  bool busy = parser_busy(p);
  if (byte >= 0x80) {
    if (busy && p->status == FIRMATA_SYSEX && byte == FIRMATA_SYSEX_END) return end_sysex(p);
    return begin(p, byte) | (busy ? PARSER_ERROR : PARSER_MORE);
  }
  if (!busy) {
    p->status = 0;
    return PARSER_ERROR;
  }
  if (p->length == PARSER_ROOM) {
    p->too_long = true;
    return PARSER_MORE;
  }
  p->data[p->length++] = byte;
  if (p->status != FIRMATA_SYSEX && --p->need == 0) {
    p->need = COMPLETE;
    return PARSER_MESSAGE;
  }
  return PARSER_MORE;
}
