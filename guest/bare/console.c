/* Serial port, debug console and exit port of the bare images. */
#include "bare.h"

#define COM1 0x3f8
#define LINE_STATUS (COM1 + 5)
#define TRANSMITTER_EMPTY 0x20
#define DEBUG_CONSOLE 0xe9
#define EXIT_PORT 0xf4

void serial_start(void) {
  out8(COM1 + 1, 0x00); /* no interrupts */
  out8(COM1 + 3, 0x80); /* divisor latch */
  out8(COM1 + 0, 0x01);
  out8(COM1 + 1, 0x00);
  out8(COM1 + 3, 0x03);
  out8(COM1 + 2, 0x07); /* FIFO on and empty */
}

static void serial_put(char c) {
  while (!(in8(LINE_STATUS) & TRANSMITTER_EMPTY))
    ;
  out8(COM1, (uint8_t)c);
}

void serial_write(const char *text) {
  while (*text)
    serial_put(*text++);
}

void serial_write_hex(uint32_t value) {
  for (int shift = 28; shift >= 0; shift -= 4)
    serial_put("0123456789abcdef"[value >> shift & 15]);
}

void serial_write_decimal(uint32_t value) {
  if (value >= 10)
    serial_write_decimal(value / 10);
  serial_put("0123456789"[value % 10]);
}

void debug_write(const char *text) {
  while (*text)
    out8(DEBUG_CONSOLE, (uint8_t)*text++);
}

void leave(uint32_t value) {
  out32(EXIT_PORT, value);
}
