/* What the bare images share: ports, the serial console, the debug console, the exit port. */
#ifndef BARE_H
#define BARE_H

#include <stdint.h>

/* The head of the multiboot information that EBX points to; the command line is there when bit 2 of flags is set. */
struct multiboot_info {
  uint32_t flags, mem_lower, mem_upper, boot_device;
  const char *command_line;
};

static inline void out8(uint16_t port, uint8_t value) {
  __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t in8(uint16_t port) {
  uint8_t value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

static inline void out32(uint16_t port, uint32_t value) {
  __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

/* Sets COM1 to 115200 baud, 8 data bits, no parity, FIFO on. */
void serial_start(void);
/* Writes to COM1, waiting for each byte to leave. */
void serial_write(const char *text);
void serial_write_hex(uint32_t value);
void serial_write_decimal(uint32_t value);
/* Writes to the debug console, port 0xE9. */
void debug_write(const char *text);
/* Ends the run: port 0xF4, status (value << 1) | 1. */
void leave(uint32_t value);

#endif
