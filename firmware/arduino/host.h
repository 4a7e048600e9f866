// The firmware on the machine that tests run on: hal.h over checked pins.
#ifndef KUAI_HOST_H
#define KUAI_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Forgets everything; the EEPROM is unwritten, the stop switch closed.
void host_new(void);
// Starts the processor with what the EEPROM holds.
void host_power(void);
void host_corrupt(uint16_t address, uint8_t mask);
void host_stop_switch(bool open);

// Feeds a byte, lets the time of one pass and checks; false when the firmware's ring were full.
void host_feed(uint8_t byte);
// Lets time pass, a pass of the main loop every PASS_TICKS.
void host_wait(uint16_t ms);

// The first promise that was broken, or NULL.
const char *host_broken(void);
// How often an output was away from its stop level after a pass: what the checks are worth.
uint64_t host_driven(void);
uint8_t host_reasons(void);

#endif
