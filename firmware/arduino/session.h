// The firmware between the bytes of the host and the pins: obeys messages, reports inputs, and
// stops every output when the guard says so.
#ifndef KUAI_SESSION_H
#define KUAI_SESSION_H

#include <stdint.h>

// Starts from a fresh processor; cause is its MCUSR.
void session_start(uint8_t cause);

// One pass of the main loop, bounded in time: at most one message is obeyed, one piece of an
// answer sent and one report made.
void session_pass(void);

// The reasons to stand still (guard.h), for tests.
uint8_t session_stopped(void);

#endif
