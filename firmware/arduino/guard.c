#include "guard.h"

void guard_start(struct guard *g, bool limits_good) {
  *g = (struct guard){.stopped = STOP_BOOT};
  if (!limits_good) g->stopped |= STOP_LIMITS;
}

void guard_valid(struct guard *g, uint32_t now) { g->valid_at = now; }

void guard_error(struct guard *g, uint32_t now) {
  g->quarantined = true;
  g->error_at = now;
  if (g->noise == 0) g->noise_since = now;
  if (g->noise < NOISE_LIMIT) g->noise++;
}

static bool passed(uint32_t now, uint32_t since, uint16_t ms) {
  return now - since >= (uint32_t)ms * TICKS_PER_MS;
}

void guard_tick(struct guard *g, uint32_t now, bool active, bool pin_open) {
  if (active && passed(now, g->valid_at, SILENCE_MS)) g->stopped |= STOP_SILENCE;
  if (g->noise == NOISE_LIMIT) {
    g->stopped |= STOP_NOISE;
    g->noise = 0;
  }
  if (g->noise > 0 && passed(now, g->noise_since, NOISE_MS)) g->noise = 0;
  // A flag and not a comparison alone, since ticks wrap after 35 minutes.
  if (g->quarantined && passed(now, g->error_at, QUARANTINE_MS)) g->quarantined = false;
  if (pin_open && g->pin_seen_open) g->stopped |= STOP_PIN;
  g->pin_seen_open = pin_open;
}

bool guard_trusts(const struct guard *g) { return !g->quarantined; }

void guard_greet(struct guard *g) { g->stopped &= ~STOP_BOOT; }

void guard_session(struct guard *g) { g->stopped &= ~(STOP_BOOT | STOP_SILENCE | STOP_NOISE); }

void guard_reset(struct guard *g, bool pin_open) {
  g->stopped &= STOP_LIMITS | (pin_open ? STOP_PIN : 0);
}
