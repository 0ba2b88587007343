/* The 8237 pair and its page registers (IBM PC/AT Technical Reference), and their rules as sentences. */
#include "dma.h"
#include "physmem.h"
#include "ports.h"
#include <stdio.h>

#define CASCADE 4u
#define CHANNELS 8u
#define ZONE_END 0x1000000ull
#define SPACE_END 0x100000000ull
#define COUNTER_STEPS 0x10000u

/* Registers of the first controller are one port apart, those of the second two. */
#define FIRST_CONTROLLER 0x00
#define SECOND_CONTROLLER 0xc0
#define CONTROLLER_PORTS 0x10
#define PAGE_PORTS 0x81
#define PAGE_PORT_COUNT 15
enum { SINGLE_MASK = 0x0a, MODE = 0x0b, CLEAR_FLIP_FLOP = 0x0c };
#define MASKED 4u
#define MODE_SINGLE 0x40u

static const uint8_t page_ports[CHANNELS] = {0x87, 0x83, 0x81, 0x82, 0x8f, 0x8b, 0x89, 0x8a};

static uint32_t unit_bytes(uint32_t channel) {
  return channel > CASCADE ? 2 : 1;
}

/* Bytes within which the address counter goes round; also the longest transfer. */
static uint32_t counter_bytes(uint32_t channel) {
  return COUNTER_STEPS * unit_bytes(channel);
}

enum rule { POSSIBLE, CHANNEL_IS_CASCADE, NO_CHANNEL, ZERO, BEYOND_REACH, ODD_ADDRESS, ODD_LENGTH, TOO_LONG, CROSSES };

static enum rule broken_rule(uint32_t channel, uint32_t address, uint32_t length) {
  uint64_t end = (uint64_t)address + length;
  if (channel == CASCADE)
    return CHANNEL_IS_CASCADE;
  if (channel > DMA_BUS_MASTER)
    return NO_CHANNEL;
  if (length == 0)
    return ZERO;
  if (end > (channel == DMA_BUS_MASTER ? SPACE_END : ZONE_END))
    return BEYOND_REACH;
  if (channel == DMA_BUS_MASTER)
    return POSSIBLE;
  if (unit_bytes(channel) == 2 && address % 2)
    return ODD_ADDRESS;
  if (unit_bytes(channel) == 2 && length % 2)
    return ODD_LENGTH;
  if (length > counter_bytes(channel))
    return TOO_LONG;
  return dma_piece(channel, address, length) < length ? CROSSES : POSSIBLE;
}

int dma_check(uint32_t channel, uint32_t address, uint32_t length) {
  return broken_rule(channel, address, length) == POSSIBLE ? 0 : EINVAL;
}

uint32_t dma_piece(uint32_t channel, uint32_t address, uint32_t length) {
  if (channel >= DMA_BUS_MASTER)
    return length;
  uint32_t counter = counter_bytes(channel), left = counter - address % counter;
  return length < left ? length : left;
}

static int explain_reach(char *buffer, size_t size, uint32_t channel, uint32_t address, uint64_t last) {
  if (channel == DMA_BUS_MASTER)
    return snprintf(buffer, size, "0x%08x-0x%08llx goes beyond 0xffffffff: the bus master has 32 address bits", address,
                    (unsigned long long)last);
  return snprintf(buffer, size,
                  "0x%08x-0x%08llx goes beyond 0x00ffffff: channel %u has 24 address bits and reaches the first 16 MiB only",
                  address, (unsigned long long)last, channel);
}

static int explain_crossing(char *buffer, size_t size, uint32_t channel, uint32_t address, uint32_t length) {
  uint32_t counter = counter_bytes(channel), left = counter - address % counter;
  return snprintf(buffer, size,
                  "0x%08x-0x%08x crosses 0x%08x: channel %u counts inside %u KiB, after %u bytes it would go on at 0x%08x",
                  address, address + length - 1, address + left, channel, counter / 1024, left, address + left - counter);
}

int dma_explain(char *buffer, size_t size, uint32_t channel, uint32_t address, uint32_t length) {
  static const char widths[] = "0 to 3 move bytes, 5 to 7 words";
  switch (broken_rule(channel, address, length)) {
  case CHANNEL_IS_CASCADE:
    return snprintf(buffer, size, "channel 4 joins the two controllers and moves nothing: %s", widths);
  case NO_CHANNEL:
    return snprintf(buffer, size, "there is no DMA channel %u: %s", channel, widths);
  case ZERO:
    return snprintf(buffer, size, "a transfer of 0 bytes moves nothing: at least 1 is needed");
  case BEYOND_REACH:
    return explain_reach(buffer, size, channel, address, (uint64_t)address + length - 1);
  case ODD_ADDRESS:
    return snprintf(buffer, size, "channel %u moves 16-bit words, the address 0x%08x is odd", channel, address);
  case ODD_LENGTH:
    return snprintf(buffer, size, "channel %u moves 16-bit words, the length %u is odd", channel, length);
  case TOO_LONG:
    return snprintf(buffer, size, "%u bytes are more than the %u that channel %u can count", length,
                    counter_bytes(channel), channel);
  case CROSSES:
    return explain_crossing(buffer, size, channel, address, length);
  default:
    return snprintf(buffer, size, "%s", "");
  }
}

int dma_bind(void) {
  int error = sys_ioport_bind(FIRST_CONTROLLER, CONTROLLER_PORTS, 1);
  if (!error)
    error = sys_ioport_bind(SECOND_CONTROLLER, 2 * CONTROLLER_PORTS, 1);
  return error ? error : sys_ioport_bind(PAGE_PORTS, PAGE_PORT_COUNT, 1);
}

/* Port of a register of the controller to which a channel belongs. */
static uint16_t port_of(uint32_t channel, uint32_t controller_register) {
  return (uint16_t)(channel < CASCADE ? FIRST_CONTROLLER + controller_register
                                      : SECOND_CONTROLLER + 2 * controller_register);
}

static void out_word(uint16_t port, uint32_t value) {
  out8(port, (uint8_t)value);
  out8(port, (uint8_t)(value >> 8));
}

int dma_aim(uint32_t channel, uint32_t address, uint32_t length, enum dma_direction direction) {
  uint32_t within = channel & 3, unit = unit_bytes(channel);
  if (channel >= DMA_BUS_MASTER || dma_check(channel, address, length))
    return EINVAL;
  dma_stop(channel);
  out8(port_of(channel, CLEAR_FLIP_FLOP), 0); /* the next byte is the low half of a word */
  out8(port_of(channel, MODE), (uint8_t)(MODE_SINGLE | direction | within));
  out_word(port_of(channel, 2 * within), address / unit);
  out8(page_ports[channel], (uint8_t)(address >> 16));
  out_word(port_of(channel, 2 * within + 1), length / unit - 1);
  out8(port_of(channel, SINGLE_MASK), (uint8_t)within);
  return 0;
}

void dma_stop(uint32_t channel) {
  out8(port_of(channel, SINGLE_MASK), (uint8_t)(MASKED | (channel & 3)));
}
