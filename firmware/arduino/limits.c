#include "limits.h"

#include <string.h>

#include "firmata.h"
#include "hal.h"

enum { MAGIC_0 = 0x4B, MAGIC_1 = 0x55, LAYOUT = 1 };

static struct {
  uint8_t magic[3];
  uint8_t pins;
  struct limit limits[PIN_COUNT];
  uint16_t crc;
} table;

_Static_assert(sizeof table == 6 + PIN_COUNT * sizeof(struct limit), "the table has no padding");
_Static_assert(sizeof(struct limit) == 6, "a limit is six bytes");

static uint16_t next_to_save = sizeof table;

static uint16_t table_crc(void) {
  const uint8_t *bytes = (const uint8_t *)&table;
  uint16_t crc = 0xFFFF;
  for (uint16_t i = 0; i < sizeof table - sizeof table.crc; i++) {
    crc ^= (uint16_t)bytes[i] << 8;
    for (uint8_t bit = 0; bit < 8; bit++) {
      crc = (crc & 0x8000) ? (uint16_t)(crc << 1) ^ 0x1021 : (uint16_t)(crc << 1);
    }
  }
  return crc;
}

static void set_defaults(void) {
  table.magic[0] = MAGIC_0;
  table.magic[1] = MAGIC_1;
  table.magic[2] = LAYOUT;
  table.pins = PIN_COUNT;
  for (uint8_t pin = 0; pin < PIN_COUNT; pin++) {
    table.limits[pin] = (struct limit){.mode = MODE_ANY, .max = SERVO_LONGEST};
  }
  table.crc = table_crc();
}

static bool sensible(uint8_t pin, const struct limit *l) {
  if (l->stop > STOP_LEVEL_FLOAT || l->min > l->max) return false;
  enum pin_duty duty = hal_pin_duty(pin);
  if (duty != DUTY_DIGITAL && duty != DUTY_ANALOG) return false;
  switch (l->mode) {
    case MODE_ANY:
    case MODE_INPUT:
    case MODE_PULLUP:
    case MODE_OUTPUT:
      return true;
    case MODE_ANALOG:
      return duty == DUTY_ANALOG;
    case MODE_PWM:
      return hal_pin_has_pwm(pin) && l->max <= PWM_MAX;
    case MODE_SERVO:
      return l->min >= SERVO_SHORTEST && l->max <= SERVO_LONGEST;
  }
  return false;
}

bool limits_load(void) {
  bool blank = true;
  for (uint16_t i = 0; i < sizeof table; i++) {
    uint8_t byte = hal_eeprom_read(i);
    blank = blank && byte == 0xFF;
    ((uint8_t *)&table)[i] = byte;
  }
  next_to_save = sizeof table;
  bool good = table.magic[0] == MAGIC_0 && table.magic[1] == MAGIC_1 && table.magic[2] == LAYOUT &&
              table.pins == PIN_COUNT && table.crc == table_crc();
  if (!good) set_defaults();
  return good || blank;
}

const struct limit *limit_of(uint8_t pin) { return &table.limits[pin]; }

static void save(void) {
  table.crc = table_crc();
  next_to_save = 0;
}

bool limit_set(uint8_t pin, struct limit limit) {
  if (!sensible(pin, &limit)) return false;
  table.limits[pin] = limit;
  save();
  return true;
}

void limits_erase(void) {
  set_defaults();
  save();
}

bool limits_stored(void) { return next_to_save == sizeof table; }

bool limits_save_step(void) {
  if (limits_stored()) return false;
  if (hal_eeprom_busy()) return true;
  // The checksum lies last: a table cut short by a loss of power does not pass for whole.
  uint8_t byte = ((const uint8_t *)&table)[next_to_save];
  if (hal_eeprom_read(next_to_save) != byte) hal_eeprom_write(next_to_save, byte);
  next_to_save++;
  return true;
}
