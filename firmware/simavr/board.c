#include "board.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Built without simavr's headers the package still compiles, and says what is missing when used.
#if __has_include(<simavr/sim_avr.h>)

#include <dlfcn.h>
#include <simavr/avr_adc.h>
#include <simavr/avr_eeprom.h>
#include <simavr/avr_ioport.h>
#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_elf.h>

enum {
  FREQUENCY = 16000000,
  // simavr's UART takes eleven bit times for a byte, of the 280 cycles that make 57143 baud.
  BYTE_CYCLES = 11 * 280 + 8,
  FEED_ROOM = 1 << 16,
  OUTPUT_ROOM = 1 << 16,
  EDGE_ROOM = 1 << 15,
  // The processor runs at most this long before the host's bytes are looked at.
  SLICE_CYCLES = 64,
  SUPPLY_MV = 5000,
  PORTS = 12,
};

// What is used of the library, found when the first board is opened.
#define FUNCTIONS(X)         \
  X(avr_make_mcu_by_name)    \
  X(avr_init)                \
  X(avr_load_firmware)       \
  X(elf_read_firmware)       \
  X(avr_run)                 \
  X(avr_terminate)           \
  X(avr_ioctl)               \
  X(avr_io_getirq)           \
  X(avr_raise_irq)           \
  X(avr_irq_register_notify) \
  X(avr_global_logger_set)

static struct {
#define FIELD(name) __typeof__(&name) name;
  FUNCTIONS(FIELD)
} lib;

struct board {
  avr_t *avr;
  avr_irq_t *uart_in;
  uint8_t feed[FEED_ROOM];
  size_t feed_head, feed_tail;
  uint64_t feed_at;  // cycle at which the next byte may begin
  uint8_t output[OUTPUT_ROOM];
  size_t output_length;
  struct edge edges[EDGE_ROOM];
  size_t edge_count;
  uint64_t edges_lost;
  struct pin {
    struct board *board;
    uint8_t port, bit, level;
  } pins[PORTS][8];
  struct {
    uint8_t mask, level;
  } outside[PORTS];  // what is put on pins from outside
};

static int load(char *error, size_t size) {
  void *library = dlopen("libsimavr.so.2", RTLD_NOW | RTLD_LOCAL);
  if (!library) library = dlopen("libsimavr.so", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    snprintf(error, size, "simavr: %s (install libsimavr-dev)", dlerror());
    return 0;
  }
#define FIND(name)                                                          \
  lib.name = (__typeof__(lib.name))dlsym(library, #name);                   \
  if (!lib.name) {                                                          \
    snprintf(error, size, "simavr: the library has no function %s", #name); \
    return 0;                                                               \
  }
  FUNCTIONS(FIND)
  return 1;
}

static void quiet(avr_t *avr, const int level, const char *format, va_list arguments) {
  (void)avr, (void)level, (void)format, (void)arguments;
}

static void sent(avr_irq_t *irq, uint32_t value, void *param) {
  (void)irq;
  struct board *b = param;
  if (b->output_length < OUTPUT_ROOM) b->output[b->output_length++] = (uint8_t)value;
}

static void changed(avr_irq_t *irq, uint32_t value, void *param) {
  (void)irq;
  struct pin *p = param;
  uint8_t level = value & 1;
  if (level == p->level) return;
  p->level = level;
  struct board *b = p->board;
  if (b->edge_count == EDGE_ROOM) {
    b->edges_lost++;
    return;
  }
  b->edges[b->edge_count++] =
      (struct edge){.cycle = b->avr->cycle, .port = p->port, .bit = p->bit, .level = level};
}

static void connect(struct board *b) {
  uint32_t flags = 0;
  lib.avr_ioctl(b->avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
  b->uart_in = lib.avr_io_getirq(b->avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
  avr_irq_t *out = lib.avr_io_getirq(b->avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT);
  lib.avr_irq_register_notify(out, sent, b);
  for (int port = 0; port < PORTS; port++) {
    for (int bit = 0; bit < 8; bit++) {
      struct pin *p = &b->pins[port][bit];
      *p = (struct pin){.board = b, .port = (uint8_t)('A' + port), .bit = (uint8_t)bit};
      avr_irq_t *irq = lib.avr_io_getirq(b->avr, AVR_IOCTL_IOPORT_GETIRQ('A' + port), bit);
      if (irq) lib.avr_irq_register_notify(irq, changed, p);
    }
  }
}

struct board *board_open(const char *elf, const char *mcu, const uint8_t *eeprom,
                         size_t eeprom_size, char *error, size_t size) {
  if (!lib.avr_run && !load(error, size)) return NULL;
  lib.avr_global_logger_set(quiet);
  elf_firmware_t firmware = {0};
  if (lib.elf_read_firmware(elf, &firmware) != 0) {
    snprintf(error, size, "simavr: %s: not an AVR program (make fw builds one)", elf);
    return NULL;
  }
  avr_t *avr = lib.avr_make_mcu_by_name(mcu);
  if (!avr) {
    snprintf(error, size, "simavr: knows no processor %s", mcu);
    return NULL;
  }
  struct board *b = calloc(1, sizeof *b);
  b->avr = avr;
  lib.avr_init(avr);
  firmware.frequency = FREQUENCY;
  firmware.vcc = firmware.avcc = firmware.aref = SUPPLY_MV;
  lib.avr_load_firmware(avr, &firmware);
  free(firmware.flash);
  avr->log = LOG_NONE;
  avr->frequency = FREQUENCY;
  avr->run_cycle_limit = SLICE_CYCLES;
  if (eeprom) {
    avr_eeprom_desc_t d = {.ee = (uint8_t *)eeprom, .offset = 0, .size = (uint32_t)eeprom_size};
    lib.avr_ioctl(avr, AVR_IOCTL_EEPROM_SET, &d);
  }
  connect(b);
  return b;
}

void board_close(struct board *b) {
  lib.avr_terminate(b->avr);
  free(b->avr);
  free(b);
}

static void deliver(struct board *b) {
  if (b->feed_head == b->feed_tail || b->avr->cycle < b->feed_at) return;
  uint8_t byte = b->feed[b->feed_tail % FEED_ROOM];
  b->feed_tail++;
  b->feed_at = b->avr->cycle + BYTE_CYCLES;
  lib.avr_raise_irq(b->uart_in, byte);
}

int board_run(struct board *b, uint64_t cycle) {
  while (b->avr->cycle < cycle) {
    deliver(b);
    int state = lib.avr_run(b->avr);
    if (state == cpu_Done || state == cpu_Crashed) return 0;
  }
  return 1;
}

uint64_t board_cycle(const struct board *b) { return b->avr->cycle; }

size_t board_unread(const struct board *b) { return b->feed_head - b->feed_tail; }

uint64_t board_heard(const struct board *b) { return b->feed_at; }

size_t board_feed(struct board *b, const uint8_t *bytes, size_t length) {
  size_t taken = 0;
  for (; taken < length && board_unread(b) < FEED_ROOM; taken++) {
    b->feed[b->feed_head++ % FEED_ROOM] = bytes[taken];
  }
  return taken;
}

size_t board_output(struct board *b, uint8_t *bytes, size_t size) {
  size_t length = b->output_length < size ? b->output_length : size;
  memcpy(bytes, b->output, length);
  b->output_length -= length;
  memmove(b->output, b->output + length, b->output_length);
  return length;
}

size_t board_edges(struct board *b, struct edge *edges, size_t size) {
  size_t count = b->edge_count < size ? b->edge_count : size;
  memcpy(edges, b->edges, count * sizeof *edges);
  b->edge_count -= count;
  memmove(b->edges, b->edges + count, b->edge_count * sizeof *edges);
  return count;
}

uint64_t board_edges_lost(const struct board *b) { return b->edges_lost; }

uint32_t board_port(struct board *b, char port) {
  avr_ioport_state_t s = {0};
  if (lib.avr_ioctl(b->avr, AVR_IOCTL_IOPORT_GETSTATE(port), &s) != 0) return 0;
  return (uint32_t)(s.port | s.ddr << 8 | s.pin << 16);
}

void board_set_pin(struct board *b, char port, int bit, int level) {
  uint8_t *mask = &b->outside[port - 'A'].mask, *levels = &b->outside[port - 'A'].level;
  *mask |= (uint8_t)(1 << bit);
  *levels = (uint8_t)((*levels & ~(1 << bit)) | level << bit);
  // Stronger than the pull-up, whenever the program switches that.
  avr_ioport_external_t e = {.name = (unsigned)port, .mask = *mask, .value = *levels};
  lib.avr_ioctl(b->avr, AVR_IOCTL_IOPORT_SET_EXTERNAL(port), &e);
  lib.avr_raise_irq(lib.avr_io_getirq(b->avr, AVR_IOCTL_IOPORT_GETIRQ(port), bit), (uint32_t)level);
}

void board_set_analog(struct board *b, int channel, uint32_t millivolts) {
  lib.avr_raise_irq(lib.avr_io_getirq(b->avr, AVR_IOCTL_ADC_GETIRQ, ADC_IRQ_ADC0 + channel),
                    millivolts);
}

void board_read_eeprom(struct board *b, uint8_t *bytes, uint16_t offset, size_t size) {
  avr_eeprom_desc_t d = {.ee = bytes, .offset = offset, .size = (uint32_t)size};
  lib.avr_ioctl(b->avr, AVR_IOCTL_EEPROM_GET, &d);
}

uint8_t board_data(const struct board *b, uint16_t address) { return b->avr->data[address]; }

#else

// No board can be opened, so none of the others is ever called.
struct board *board_open(const char *elf, const char *mcu, const uint8_t *eeprom,
                         size_t eeprom_size, char *error, size_t size) {
  (void)elf, (void)mcu, (void)eeprom, (void)eeprom_size;
  snprintf(error, size,
           "simavr: its headers were not there when this was built (install libsimavr-dev and "
           "libelf-dev, then go clean -cache)");
  return NULL;
}
void board_close(struct board *b) { (void)b; }
int board_run(struct board *b, uint64_t cycle) { return (void)b, (void)cycle, 0; }
uint64_t board_cycle(const struct board *b) { return (void)b, 0; }
size_t board_feed(struct board *b, const uint8_t *bytes, size_t length) {
  return (void)b, (void)bytes, (void)length, 0;
}
size_t board_unread(const struct board *b) { return (void)b, 0; }
uint64_t board_heard(const struct board *b) { return (void)b, 0; }
size_t board_output(struct board *b, uint8_t *bytes, size_t size) {
  return (void)b, (void)bytes, (void)size, 0;
}
size_t board_edges(struct board *b, struct edge *edges, size_t size) {
  return (void)b, (void)edges, (void)size, 0;
}
uint64_t board_edges_lost(const struct board *b) { return (void)b, 0; }
uint32_t board_port(struct board *b, char port) { return (void)b, (void)port, 0; }
void board_set_pin(struct board *b, char port, int bit, int level) {
  (void)b, (void)port, (void)bit, (void)level;
}
void board_set_analog(struct board *b, int channel, uint32_t millivolts) {
  (void)b, (void)channel, (void)millivolts;
}
void board_read_eeprom(struct board *b, uint8_t *bytes, uint16_t offset, size_t size) {
  (void)b, (void)bytes, (void)offset, (void)size;
}
uint8_t board_data(const struct board *b, uint16_t address) { return (void)b, (void)address, 0; }

#endif
