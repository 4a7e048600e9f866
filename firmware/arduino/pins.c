#include "pins.h"

#include "firmata.h"
#include "hal.h"
#include "limits.h"

enum { DEGREES = 180 };

static struct {
  uint8_t mode;
  bool driven;  // an output that carries a value
  bool active;  // that value is not the stop level
  uint16_t value;
  uint16_t servo_min, servo_max;  // us at 0 and at 180 degrees
} pins[PIN_COUNT];

static uint8_t active_count;

static void set_active(uint8_t pin, bool active) {
  if (active && !pins[pin].active) active_count++;
  if (!active && pins[pin].active) active_count--;
  pins[pin].active = active;
}

static bool usable(uint8_t pin) {
  enum pin_duty duty = hal_pin_duty(pin);
  return duty == DUTY_DIGITAL || duty == DUTY_ANALOG;
}

bool pin_capable(uint8_t pin, uint8_t mode) {
  if (hal_pin_duty(pin) == DUTY_STOP) return mode == MODE_INPUT;
  if (!usable(pin)) return false;
  uint8_t only = limit_of(pin)->mode;
  if (only != MODE_ANY && only != mode) return false;
  switch (mode) {
    case MODE_INPUT:
    case MODE_PULLUP:
    case MODE_OUTPUT:
    case MODE_SERVO:
      return true;
    case MODE_ANALOG:
      return hal_pin_duty(pin) == DUTY_ANALOG;
    case MODE_PWM:
      return hal_pin_has_pwm(pin);
  }
  return false;
}

// Gives the pin to nobody: floating, nothing written.
static void release(uint8_t pin) {
  hal_pin_float(pin, false);
  if (hal_pin_duty(pin) == DUTY_ANALOG) hal_analog_enable(pin - FIRST_ANALOG, false);
  pins[pin].driven = false;
  pins[pin].value = 0;
  set_active(pin, false);
}

static void stop_output(uint8_t pin) {
  uint8_t level = pins[pin].mode == MODE_OUTPUT ? limit_of(pin)->stop : STOP_LEVEL_LOW;
  pins[pin].driven = level != STOP_LEVEL_FLOAT;
  pins[pin].value = level == STOP_LEVEL_HIGH;
  if (level == STOP_LEVEL_FLOAT) {
    hal_pin_float(pin, false);
  } else {
    hal_pin_drive(pin, level == STOP_LEVEL_HIGH);
  }
  set_active(pin, false);
}

// Says whether the pin's limit makes it an output of one kind for good.
static bool bound(uint8_t pin) {
  if (!usable(pin)) return false;
  uint8_t only = limit_of(pin)->mode;
  return only == MODE_OUTPUT || only == MODE_PWM || only == MODE_SERVO;
}

void pin_start(uint8_t pin) {
  pins[pin].servo_min = SERVO_DEFAULT_MIN;
  pins[pin].servo_max = SERVO_DEFAULT_MAX;
  pins[pin].mode = MODE_INPUT;
  if (!usable(pin)) return;
  release(pin);
  if (bound(pin)) {
    pins[pin].mode = limit_of(pin)->mode;
    stop_output(pin);
  } else if (pin_capable(pin, MODE_OUTPUT) && hal_pin_duty(pin) == DUTY_DIGITAL) {
    pins[pin].mode = MODE_OUTPUT;
  }
}

void pins_start(void) {
  for (uint8_t pin = 0; pin < PIN_COUNT; pin++) pin_start(pin);
}

void pins_stop(void) {
  for (uint8_t pin = 0; pin < PIN_COUNT; pin++) {
    if (pins[pin].driven) stop_output(pin);
  }
}

uint8_t pins_active(void) { return active_count; }

bool pin_set_mode(uint8_t pin, uint8_t mode) {
  if (mode == MODE_INPUT && bound(pin)) {
    // Hosts let an output go by making it an input; this one goes to rest.
    stop_output(pin);
    return true;
  }
  if (!pin_capable(pin, mode)) return false;
  // Hosts repeat the mode; an output that runs goes on. The stop pin is an input already.
  if (pins[pin].mode == mode) return true;
  release(pin);
  pins[pin].mode = mode;
  switch (mode) {
    case MODE_PULLUP:
      hal_pin_float(pin, true);
      pins[pin].value = 1;
      break;
    case MODE_ANALOG:
      hal_analog_enable(pin - FIRST_ANALOG, true);
      break;
    case MODE_PWM:
    case MODE_SERVO:
      // At rest until the first value.
      stop_output(pin);
      break;
  }
  return true;
}

bool pin_set_servo_range(uint8_t pin, uint16_t min, uint16_t max) {
  if (min < SERVO_SHORTEST || max > SERVO_LONGEST || min >= max) return false;
  if (!pin_set_mode(pin, MODE_SERVO)) return false;
  pins[pin].servo_min = min;
  pins[pin].servo_max = max;
  return true;
}

bool pin_drive(uint8_t pin, bool high) {
  if (pins[pin].mode != MODE_OUTPUT || !pin_capable(pin, MODE_OUTPUT)) return false;
  hal_pin_drive(pin, high);
  pins[pin].driven = true;
  pins[pin].value = high;
  uint8_t stop = limit_of(pin)->stop;
  set_active(pin, stop == STOP_LEVEL_FLOAT || high != (stop == STOP_LEVEL_HIGH));
  return true;
}

static uint16_t within(uint16_t value, uint16_t min, uint16_t max) {
  if (value < min) return min;
  return value > max ? max : value;
}

static bool write_servo(uint8_t pin, uint16_t value) {
  uint16_t us = value;
  if (value <= DEGREES) {
    uint16_t range = pins[pin].servo_max - pins[pin].servo_min;
    us = pins[pin].servo_min + (uint16_t)((uint32_t)range * value / DEGREES);
  }
  // Between the two scales lies nothing that a host can have meant.
  if (us < SERVO_SHORTEST || us > SERVO_LONGEST) return false;
  const struct limit *l = limit_of(pin);
  if (l->mode == MODE_SERVO) us = within(us, l->min, l->max);
  if (!hal_servo_write(pin, us)) return false;
  pins[pin].value = us;
  pins[pin].driven = true;
  set_active(pin, true);
  return true;
}

static bool write_pwm(uint8_t pin, uint16_t value) {
  if (value > PWM_MAX) return false;
  const struct limit *l = limit_of(pin);
  // Off is allowed whatever the limits, or the host could not stop a motor.
  if (value != 0 && l->mode == MODE_PWM) value = within(value, l->min, l->max);
  hal_pwm_write(pin, (uint8_t)value);
  pins[pin].value = value;
  pins[pin].driven = true;
  set_active(pin, value != 0);
  return true;
}

bool pin_write(uint8_t pin, uint16_t value) {
  switch (pins[pin].mode) {
    case MODE_SERVO:
      return write_servo(pin, value);
    case MODE_PWM:
      return write_pwm(pin, value);
  }
  return false;
}

uint8_t pin_mode(uint8_t pin) { return pins[pin].mode; }

uint16_t pin_value(uint8_t pin) { return pins[pin].value; }
