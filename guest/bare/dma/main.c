/* Disks that move memory by themselves, with interrupts: four sectors through the 8237 and back, then the same four
 * scattered by a bus master. Run it with two disks of 32 sectors or more:
 * physmem bare bare-dma.elf --dma-disk FILE --bus-master FILE. With --cmdline awake the core does not sleep meanwhile. */
#include "../bare.h"
#include "../kernel/apic.h"
#include "../kernel/cpu.h"
#include "dma.h"

#define DISK_VECTOR 0x25
#define MASTER_VECTOR 0x2b
#define SECTORS 4u
#define BYTES (SECTORS * SECTOR)

/* Aligned to their size, so that no transfer crosses 64 KiB. */
static uint8_t first[BYTES] __attribute__((aligned(2048)));
static uint8_t second[BYTES] __attribute__((aligned(2048)));

struct trap *on_trap(struct trap *trap) {
  if (trap->vector == DISK_VECTOR)
    disk_interrupt();
  else if (trap->vector == MASTER_VECTOR)
    master_interrupt();
  else {
    serial_write("unexpected trap 0x");
    serial_write_hex(trap->vector);
    leave(1);
  }
  apic_end_of_interrupt();
  return trap;
}

static uint32_t checksum(const uint8_t *bytes) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < BYTES; i++)
    sum = sum * 31 + bytes[i];
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

/* Pieces in the wrong order in memory, of odd lengths, that make whole sectors. */
static void scatter(uint32_t sector, uint8_t *memory) {
  uint32_t base = (uint32_t)memory;
  const struct descriptor list[] = {{base + 1547, 501, 1, 0}, {base + 48, 1499, 1, 0}, {base, 48, 1, 0}};
  must(master_transfer(sector, list, 3));
}

static int is_awake(const char *line) {
  const char *word = "awake";
  while (*word && *line == *word)
    line++, word++;
  return *line == *word;
}

uint32_t kernel_main(const struct multiboot_info *info) {
  stay_awake = info->flags & 4 && is_awake(info->command_line);
  serial_start();
  load_tables();
  apic_start();
  ioapic_route(DISK_IRQ, DISK_VECTOR, apic_id());
  ioapic_route(MASTER_IRQ, MASTER_VECTOR, apic_id());
  say("sectors ", disk_sectors());

  must(disk_read(8, SECTORS, first));
  say("sectors 8 to 11 ", checksum(first));
  for (uint32_t i = 0; i < BYTES; i++)
    first[i] ^= 0xff;
  must(disk_write(20, SECTORS, first));
  must(disk_read(20, SECTORS, second));
  say("sectors 20 to 23, written ", checksum(first));
  say("sectors 20 to 23, read    ", checksum(second));
  say("beyond the end, error ", disk_read(0x7fffffff, 1, second));
  say("interrupts of the disk ", disk_interrupts);

  scatter(8, second);
  say("bytes moved by the bus master ", master_bytes_moved());
  say("sectors 8 to 11, scattered ", checksum(second));
  say("interrupts of the bus master ", master_interrupts);
  return 0;
}
