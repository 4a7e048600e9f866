// Decides whether outputs may be driven: plain functions of (state, event, now), no I/O.
//
// Reasons to stand still are bits; one is enough. Each has its own way out:
//   BOOT                  a capability query too, since a board that resets when its port is opened
//                         sleeps through the system reset that a host begins with
//   BOOT, SILENCE, NOISE  system reset, with which a host begins a session, or the reset sysex
//   HOST, PIN             the reset sysex alone, PIN only once the stop pin is closed again
//   LIMITS                erasing the stored limits
#ifndef KUAI_GUARD_H
#define KUAI_GUARD_H

#include <stdbool.h>
#include <stdint.h>

enum stop_reason {
  STOP_BOOT = 0x01,     // no host has begun a session since the board started
  STOP_SILENCE = 0x02,  // no valid message for SILENCE_MS while an output was active
  STOP_HOST = 0x04,     // the host asked for it
  STOP_PIN = 0x08,      // the stop pin was open
  STOP_LIMITS = 0x10,   // the stored limits fail their checksum
  STOP_NOISE = 0x20,    // NOISE_LIMIT broken messages within NOISE_MS
};

enum {
  TICKS_PER_MS = 2000,  // half microseconds
  SILENCE_MS = 500,
  // After a broken message nothing that could move an output is believed for this long.
  QUARANTINE_MS = 20,
  NOISE_MS = 500,
  NOISE_LIMIT = 8,
};

struct guard {
  uint8_t stopped;  // enum stop_reason, or-ed; 0: outputs may be driven
  bool quarantined;
  uint8_t noise;
  bool pin_seen_open;
  uint32_t valid_at;  // ticks
  uint32_t error_at;
  uint32_t noise_since;
};

void guard_start(struct guard *g, bool limits_good);

// A whole message was understood and obeyed.
void guard_valid(struct guard *g, uint32_t now);

// Bytes were lost or made no message.
void guard_error(struct guard *g, uint32_t now);

// Passing time; active says whether any output is away from its stop level. The stop pin has to
// be open in two calls on end.
void guard_tick(struct guard *g, uint32_t now, bool active, bool pin_open);

// Says whether a message that drives an output, or clears a reason, is to be believed.
bool guard_trusts(const struct guard *g);

// What a capability query, a system reset and the reset sysex do to the reasons.
void guard_greet(struct guard *g);
void guard_session(struct guard *g);
void guard_reset(struct guard *g, bool pin_open);

#endif
