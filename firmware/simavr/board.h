// A simulated AVR board, for board.go. The caller serialises all calls on one board.
#ifndef KUAI_SIMAVR_BOARD_H
#define KUAI_SIMAVR_BOARD_H

#include <stddef.h>
#include <stdint.h>

struct board;

// A change of level of a watched pin.
struct edge {
  uint64_t cycle;
  uint8_t port;  // letter
  uint8_t bit;
  uint8_t level;
};

// Loads libsimavr and starts the firmware. NULL on failure, with the reason in error, which holds
// size bytes. eeprom may be NULL: unwritten.
struct board *board_open(const char *elf, const char *mcu, const uint8_t *eeprom,
                         size_t eeprom_size, char *error, size_t size);
void board_close(struct board *b);

// Runs until the cycle count is at least cycle; 0 when the processor crashed.
int board_run(struct board *b, uint64_t cycle);
uint64_t board_cycle(const struct board *b);

// Queues bytes from the host, which arrive one after the other at 57600 baud; gives how many were
// taken. board_unread says how many have not begun yet.
size_t board_feed(struct board *b, const uint8_t *bytes, size_t length);
size_t board_unread(const struct board *b);
// The cycle at which the newest byte that has begun ends, or ended.
uint64_t board_heard(const struct board *b);

// Takes what the board has sent.
size_t board_output(struct board *b, uint8_t *bytes, size_t size);

// Takes the recorded changes; board_edges_lost says how many found no room.
size_t board_edges(struct board *b, struct edge *edges, size_t size);
uint64_t board_edges_lost(const struct board *b);

// The registers of a port: bits 0-7 PORT, 8-15 DDR, 16-23 PIN.
uint32_t board_port(struct board *b, char port);
void board_set_pin(struct board *b, char port, int bit, int level);
void board_set_analog(struct board *b, int channel, uint32_t millivolts);

void board_read_eeprom(struct board *b, uint8_t *bytes, uint16_t offset, size_t size);

// A byte of the data space, such as a register.
uint8_t board_data(const struct board *b, uint16_t address);

#endif
