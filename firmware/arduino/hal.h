// What the portable part of the firmware asks of a board. avr/ answers with registers, the fuzz
// harness with checks. Nothing here blocks; pin numbers are Arduino's and always below PIN_COUNT.
#ifndef KUAI_HAL_H
#define KUAI_HAL_H

#include <stdbool.h>
#include <stdint.h>

#include "board.h"

// Half microseconds since the start; wraps after 35 minutes.
uint32_t hal_now(void);

// What the pin is for, and whether a compare unit drives it.
enum pin_duty hal_pin_duty(uint8_t pin);
bool hal_pin_has_pwm(uint8_t pin);

// Takes the pin from servo, PWM or drive and lets it float, with its pull-up or without.
void hal_pin_float(uint8_t pin, bool pullup);
// Drives the pin low or high; a servo pulse under way is finished first when low is asked for.
void hal_pin_drive(uint8_t pin, bool high);
bool hal_pin_read(uint8_t pin);

// Duty of 256 at about 1 kHz; 0 and 255 are steady levels.
void hal_pwm_write(uint8_t pin, uint8_t duty);

// Pulses of this width every 20 ms from the next frame on; false when every servo slot is taken.
bool hal_servo_write(uint8_t pin, uint16_t us);

// The channel takes part in the round of conversions; its newest value, 0 to 1023.
void hal_analog_enable(uint8_t channel, bool on);
uint16_t hal_analog_read(uint8_t channel);

// The link: hal_receive gives false when nothing came; hal_send must have had hal_send_room.
bool hal_receive(uint8_t *byte);
uint8_t hal_send_room(void);
void hal_send(uint8_t byte);

uint8_t hal_eeprom_read(uint16_t address);
bool hal_eeprom_busy(void);
void hal_eeprom_write(uint16_t address, uint8_t value);

// Never returns, so that a test sees the watchdog at work; builds with KUAI_TEST_HANG alone have
// it.
void hal_hang(bool without_interrupts);

#endif
