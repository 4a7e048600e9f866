// Tells the host what the inputs are: digital ports when they change, analog channels at an
// interval.
#ifndef KUAI_REPORT_H
#define KUAI_REPORT_H

#include <stdbool.h>
#include <stdint.h>

enum { SAMPLING_MS = 19, SAMPLING_LEAST_MS = 10 };

void report_start(void);

// False when there is no such port or channel.
bool report_digital(uint8_t port, bool on);
bool report_analog(uint8_t channel, bool on);
void report_interval(uint16_t ms);

// Sends at most one report; nothing when there is no room for one.
void report_step(uint32_t now);

#endif
