/* A disk by interrupts: reads a sector, writes a changed copy to another one, reads that back, and a block of four. Run it
 * with a disk of 8 sectors or more that may be written: physmem bare bare-disk.elf --disk0 FILE. */
#include "../bare.h"
#include "../kernel/apic.h"
#include "../kernel/cpu.h"
#include "ide.h"

#define IDE_VECTOR 0x2e

static uint32_t original[SECTOR_WORDS], copy[SECTOR_WORDS], block[4 * SECTOR_WORDS];

struct trap *on_trap(struct trap *trap) {
  if (trap->vector != IDE_VECTOR) {
    serial_write("unexpected trap 0x");
    serial_write_hex(trap->vector);
    leave(1);
  }
  ide_interrupt();
  apic_end_of_interrupt();
  return trap;
}

static uint32_t checksum(const uint32_t *words, uint32_t count) {
  uint32_t sum = 0;
  while (count--)
    sum = (sum << 5 | sum >> 27) ^ *words++;
  return sum;
}

static void say(const char *text, uint32_t value) {
  serial_write(text);
  serial_write("0x");
  serial_write_hex(value);
  serial_write("\n");
}

static void must(uint32_t error) {
  if (!error)
    return;
  say("disk error ", error);
  leave(1);
}

uint32_t kernel_main(void) {
  serial_start();
  load_tables();
  apic_start();
  ioapic_route(IDE_IRQ, IDE_VECTOR, apic_id());
  serial_write(ide_start() ? "two disks\n" : "one disk\n");
  say("sectors ", ide_sectors());

  must(ide_read(1, original));
  say("sector 1 ", checksum(original, SECTOR_WORDS));
  for (uint32_t i = 0; i < SECTOR_WORDS; i++)
    copy[i] = original[i] + i;
  must(ide_write(2, copy));
  must(ide_read(2, original));
  say("sector 2, written ", checksum(copy, SECTOR_WORDS));
  say("sector 2, read    ", checksum(original, SECTOR_WORDS));

  must(ide_read_block(0, 4, block));
  say("sectors 0 to 3 ", checksum(block, 4 * SECTOR_WORDS));
  serial_write(ide_read(0x0ffffff, block) ? "beyond the end: refused\n" : "beyond the end: ?\n");
  say("interrupts ", ide_interrupts);
  return 0;
}
