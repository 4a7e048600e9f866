// The firmware on an AVR: the hardware is set up, then the main loop feeds the watchdog once a
// pass. A pass that hangs, or interrupts that stay off, reset the board within 250 ms; a reset
// lets every pin float.
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/wdt.h>

#include "../hal.h"
#include "../session.h"

void analog_init(void);
void pwm_init(void);
void servo_init(void);
void uart_init(void);

static uint8_t cause __attribute__((section(".noinit")));

// After a watchdog reset it runs on at its shortest time, so it is switched off before all else.
void first(void) __attribute__((naked, used, section(".init3")));
void first(void) {
  cause = MCUSR;
  MCUSR = 0;
  wdt_disable();
}

#ifdef KUAI_TEST_HANG
void hal_hang(bool without_interrupts) {
  if (without_interrupts) cli();
  for (;;) {
  }
}
#endif

int main(void) {
  wdt_enable(WDTO_250MS);
  // The stop switch closes this pin to ground; without it the pull-up says open.
  hal_pin_float(STOP_PIN_NUMBER, true);
  pwm_init();
  servo_init();
  uart_init();
  analog_init();
  sei();
  session_start(cause);
  for (;;) {
    session_pass();
    wdt_reset();
  }
}
