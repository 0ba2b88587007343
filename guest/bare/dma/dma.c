#include "dma.h"
#include "../bare.h"
#include "../kernel/cpu.h"

/* The first 8237: channel 3, byte by byte. */
#define CHANNEL 3u
#define DMA_ADDRESS (2 * CHANNEL)
#define DMA_COUNT (2 * CHANNEL + 1)
#define DMA_PAGE 0x82
#define DMA_SINGLE_MASK 0x0a
#define DMA_MODE 0x0b
#define DMA_CLEAR_FLIP_FLOP 0x0c
#define MASK 4u
#define MODE_SINGLE 0x40u
#define MODE_TO_MEMORY 0x04u
#define MODE_FROM_MEMORY 0x08u

#define DISK 0x320
#define DISK_ERROR (DISK + 1) /* written: control */
#define DISK_COUNT (DISK + 2)
#define DISK_SECTOR (DISK + 4)
#define DISK_READ 1
#define DISK_WRITE 2
#define DISK_CAPACITY 3

#define MASTER 0xc000
#define MASTER_LIST (MASTER + 4)
#define MASTER_SECTOR (MASTER + 8)
#define MASTER_COUNT (MASTER + 12)
#define MASTER_ERROR (MASTER + 16) /* written: control */
#define MASTER_MOVED (MASTER + 20)
#define MASTER_START 1u

#define ACKNOWLEDGE 0
#define INTERRUPT_WANTED 1

volatile uint32_t disk_interrupts, master_interrupts;
int stay_awake;

static inline uint32_t in32(uint16_t port) {
  uint32_t value;
  __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

void disk_interrupt(void) {
  disk_interrupts++;
  out8(DISK, ACKNOWLEDGE);
}

void master_interrupt(void) {
  master_interrupts++;
  out32(MASTER, ACKNOWLEDGE);
}

static void wait_until(volatile uint32_t *counter, uint32_t wanted) {
  while (*counter < wanted) {
    if (stay_awake) {
      enable_interrupts();
      pause_core();
      disable_interrupts();
    } else
      sleep_until_interrupt();
  }
}

/* Masked while it is programmed; the flip-flop decides which half of a word comes next. */
static void aim_channel(uint32_t address, uint32_t length, uint32_t direction) {
  out8(DMA_SINGLE_MASK, MASK | CHANNEL);
  out8(DMA_CLEAR_FLIP_FLOP, 0);
  out8(DMA_MODE, (uint8_t)(MODE_SINGLE | direction | CHANNEL));
  out8(DMA_ADDRESS, (uint8_t)address);
  out8(DMA_ADDRESS, (uint8_t)(address >> 8));
  out8(DMA_PAGE, (uint8_t)(address >> 16));
  out8(DMA_COUNT, (uint8_t)(length - 1));
  out8(DMA_COUNT, (uint8_t)((length - 1) >> 8));
  out8(DMA_SINGLE_MASK, CHANNEL);
}

static uint32_t transfer(uint8_t command, uint32_t sector, uint32_t count) {
  uint32_t before = disk_interrupts;
  out8(DISK_ERROR, INTERRUPT_WANTED);
  out8(DISK_COUNT, (uint8_t)count);
  out32(DISK_SECTOR, sector);
  out8(DISK, command);
  wait_until(&disk_interrupts, before + 1);
  /* A refused command has left it open. */
  out8(DMA_SINGLE_MASK, MASK | CHANNEL);
  return in8(DISK_ERROR);
}

uint32_t disk_sectors(void) {
  out8(DISK, DISK_CAPACITY);
  return in32(DISK_SECTOR);
}

uint32_t disk_read(uint32_t sector, uint32_t count, void *memory) {
  aim_channel((uint32_t)memory, count * SECTOR, MODE_TO_MEMORY);
  return transfer(DISK_READ, sector, count);
}

uint32_t disk_write(uint32_t sector, uint32_t count, const void *memory) {
  aim_channel((uint32_t)memory, count * SECTOR, MODE_FROM_MEMORY);
  return transfer(DISK_WRITE, sector, count);
}

uint32_t master_transfer(uint32_t sector, const struct descriptor *list, uint32_t count) {
  uint32_t before = master_interrupts;
  out32(MASTER_ERROR, INTERRUPT_WANTED);
  out32(MASTER_LIST, (uint32_t)list);
  out32(MASTER_SECTOR, sector);
  out32(MASTER_COUNT, count);
  out32(MASTER, MASTER_START);
  wait_until(&master_interrupts, before + 1);
  return in32(MASTER_ERROR);
}

uint32_t master_bytes_moved(void) { return in32(MASTER_MOVED); }
