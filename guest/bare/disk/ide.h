/* Driver for the first IDE channel, by interrupts (ATA/ATAPI-5): sectors of 512 bytes, 28-bit numbers, PIO. */
#ifndef IDE_H
#define IDE_H

#include <stdint.h>

#define SECTOR_WORDS 128u
#define IDE_IRQ 14

/* Waits for the first disk and returns 1 if the second one is there. */
int ide_start(void);
/* Interrupts since ide_start; the trap handler calls ide_interrupt. */
extern volatile uint32_t ide_interrupts;
void ide_interrupt(void);

/* Number of sectors of the first disk. */
uint32_t ide_sectors(void);
/* All return 0 when it went well, else the disk's error register. */
uint32_t ide_read(uint32_t sector, uint32_t *into);
uint32_t ide_write(uint32_t sector, const uint32_t *from);
/* Reads `count` sectors, `count` a power of two up to 16, with one interrupt for all of them. */
uint32_t ide_read_block(uint32_t sector, uint32_t count, uint32_t *into);

#endif
