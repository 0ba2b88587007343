/* The disk on a channel of the 8237: one command for each piece that lies within 64 KiB. */
#include "disk.h"
#include <dma.h>
#include <ports.h>
#include <stdio.h>

static uint32_t channel;

void isa_start(void) {
  must(dma_bind(), "dma_bind");
  must(sys_ioport_bind(DISK, DISK_PORTS, 1), "ioport_bind");
  channel = in8(DISK_CHANNEL);
  /* A driver before this one may have died in the middle of a transfer. */
  dma_stop(channel);
  out8(DISK, DISK_RESET);
  out8(DISK_CONTROL, INTERRUPT_WANTED);
}

uint32_t isa_sectors(void) {
  out8(DISK, DISK_CAPACITY);
  return in32(DISK_SECTOR);
}

static uint32_t command(uint32_t sector, uint32_t count, uint32_t to_memory) {
  out8(DISK_COUNT, (uint8_t)count);
  out32(DISK_SECTOR, sector);
  out8(DISK, to_memory ? DISK_READ : DISK_WRITE);
  interrupt_wait(DISK_LINE);
  dma_stop(channel); /* a command that was refused has left it open */
  return in8(DISK_ERROR);
}

static uint32_t move_piece(const struct ranges *ranges, uint32_t address, uint32_t length, uint32_t sector,
                           uint32_t to_memory) {
  char sentence[160];
  if (!is_pinned(ranges))
    return PIN_IS_OVER;
  if (dma_aim(channel, address, length, to_memory ? DMA_TO_MEMORY : DMA_FROM_MEMORY)) {
    dma_explain(sentence, sizeof sentence, channel, address, length);
    printf("driver: the 8237 can not do that\n");
    say(sentence);
    return ~0u;
  }
  return command(sector, length / SECTOR_BYTES, to_memory);
}

uint32_t isa_transfer(const struct ranges *ranges, uint32_t bytes, uint32_t sector, uint32_t to_memory,
                      uint32_t *out_moved) {
  uint32_t error = 0;
  *out_moved = 0;
  for (uint32_t i = 0; i < ranges->count && bytes > 0 && !error; i++) {
    uint32_t address = ranges->pairs[2 * i], left = ranges->pairs[2 * i + 1];
    while (left > 0 && bytes > 0 && !error) {
      uint32_t piece = dma_piece(channel, address, left < bytes ? left : bytes);
      error = move_piece(ranges, address, piece, sector + *out_moved / SECTOR_BYTES, to_memory);
      address += piece;
      left -= piece;
      bytes -= piece;
      *out_moved += error ? 0 : piece;
    }
  }
  return error;
}
