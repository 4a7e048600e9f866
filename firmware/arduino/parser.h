// Turns bytes into Firmata messages: no I/O, no clock, one message at a time, memory fixed.
#ifndef KUAI_PARSER_H
#define KUAI_PARSER_H

#include <stdbool.h>
#include <stdint.h>

// The longest sysex that is understood, without its F0 and F7; of a longer one nothing is done.
enum { PARSER_ROOM = 64 };

enum parser_result {
  PARSER_MORE = 0,     // nothing to do yet
  PARSER_MESSAGE = 1,  // status, data and length hold a whole message
  PARSER_ERROR = 2,    // bytes were dropped; may come together with PARSER_MESSAGE
};

struct parser {
  uint8_t status;  // of the message under way or just complete; 0 when between messages
  uint8_t need;    // data bytes still to come; unused in a sysex
  uint8_t length;  // of data
  bool too_long;
  uint8_t data[PARSER_ROOM];
};

// Takes one byte; the answer is a set of enum parser_result. A complete message stays readable
// until the next call.
uint8_t parser_feed(struct parser *p, uint8_t byte);

// Says whether a message has begun and not ended.
bool parser_busy(const struct parser *p);

// Forgets a message that has begun.
void parser_abort(struct parser *p);

#endif
