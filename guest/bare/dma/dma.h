/* Two disks that move memory by themselves (docs/dma.md): one on channel 3 of the 8237, one that is a bus master. */
#ifndef DMA_H
#define DMA_H

#include <stdint.h>

#define SECTOR 512u
#define DISK_IRQ 5
#define MASTER_IRQ 11

/* One piece of a bus master's transfer. */
struct descriptor {
  uint32_t address, length, to_memory, reserved;
};

/* Interrupts so far, counted by the handlers below. */
extern volatile uint32_t disk_interrupts, master_interrupts;
void disk_interrupt(void);
void master_interrupt(void);
/* 1 = the core runs on while it waits; 0 = it sleeps. */
extern int stay_awake;

uint32_t disk_sectors(void);
/* Move `count` sectors, 1 to 128, and sleep until they are there; the memory must not cross 64 KiB. Return the error. */
uint32_t disk_read(uint32_t sector, uint32_t count, void *memory);
uint32_t disk_write(uint32_t sector, uint32_t count, const void *memory);
/* Moves what the list says, from `sector` on; returns the error. */
uint32_t master_transfer(uint32_t sector, const struct descriptor *list, uint32_t count);
uint32_t master_bytes_moved(void);

#endif
