#include <avr/io.h>
#include <util/atomic.h>

#include "../hal.h"

bool hal_eeprom_busy(void) { return EECR & 1 << EEPE; }

uint8_t hal_eeprom_read(uint16_t address) {
  EEAR = address;
  EECR |= 1 << EERE;
  return EEDR;
}

void hal_eeprom_write(uint16_t address, uint8_t value) {
  EEAR = address;
  EEDR = value;
  // The two have to follow each other within four cycles.
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    EECR |= 1 << EEMPE;
    EECR |= 1 << EEPE;
  }
}
