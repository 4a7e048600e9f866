// Answers to the host, made a piece at a time: whatever is asked, a pass of the main loop adds a
// few bytes to the send ring and never waits for room. What is asked twice before it was answered
// is answered once, so no queue can grow.
#ifndef KUAI_REPLY_H
#define KUAI_REPLY_H

#include <stdbool.h>
#include <stdint.h>

enum reply {
  REPLY_STATUS,
  REPLY_WHY,  // the reasons to stand still, in words
  REPLY_VERSION,
  REPLY_FIRMWARE,
  REPLY_CAPABILITY,
  REPLY_MAPPING,
  REPLY_PIN_STATE,
  REPLY_LIMIT,
  REPLY_KINDS,
};

// What the status answer tells.
struct reply_status {
  uint8_t stopped;   // enum stop_reason, or-ed
  uint8_t cause;     // of the last reset, as the processor's MCUSR has it
  uint16_t loop_us;  // longest pass of the main loop
  uint16_t errors;   // broken messages
  uint16_t refused;  // messages that were understood and not obeyed
  uint16_t lost;     // times that bytes were lost
};

void reply_start(void);
void reply_ask(enum reply reply);
// For REPLY_PIN_STATE and REPLY_LIMIT.
void reply_ask_pin(enum reply reply, uint8_t pin);
// Drops what was asked; an answer under way is ended.
void reply_forget(void);

// Sends the next piece if there is room; false when there is nothing left to answer.
bool reply_step(const struct reply_status *status);

#endif
