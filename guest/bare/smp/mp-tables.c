#include "mp-tables.h"

struct floating_pointer {
  char signature[4]; /* _MP_ */
  uint32_t table;
  uint8_t length, revision, checksum, features[5];
};

struct table_header {
  char signature[4]; /* PCMP */
  uint16_t length;
  uint8_t revision, checksum;
  char product[20];
  uint32_t oem_table;
  uint16_t oem_length, entries;
  uint32_t local_apic;
  uint32_t extended;
};

/* An entry: 20 bytes for a processor, 8 for anything else. */
struct entry {
  uint8_t type, apic_id, version, flags;
};

enum { PROCESSOR = 0, IO_APIC = 2, PROCESSOR_BYTES = 20, OTHER_BYTES = 8 };
enum { USABLE = 1, BOOT_CORE = 2 };

/* A table is sound when its bytes add up to 0. */
static int is_sound(const void *start, uint32_t bytes) {
  const uint8_t *at = start;
  uint8_t sum = 0;
  while (bytes--)
    sum += *at++;
  return sum == 0;
}

static int begins_with(const char *text, uint32_t signature) { return *(const uint32_t *)text == signature; }

static const struct floating_pointer *search(uint32_t start, uint32_t bytes) {
  for (uint32_t at = start; at < start + bytes; at += sizeof(struct floating_pointer)) {
    const struct floating_pointer *candidate = (const void *)at;
    if (begins_with(candidate->signature, 0x5f504d5f) && is_sound(candidate, sizeof *candidate))
      return candidate;
  }
  return 0;
}

/* The word at a low address; the compiler must not see that it is a constant near 0. */
static uint32_t low_word(uint32_t address) {
  uint16_t value;
  __asm__ volatile("movw (%1), %0" : "=r"(value) : "r"(address));
  return value;
}

/* First KiB of the extended BIOS data area, last KiB of base memory, ROM. */
static const struct floating_pointer *find_pointer(void) {
  const struct floating_pointer *found = search(low_word(0x40e) << 4, 1024);
  if (!found)
    found = search(low_word(0x413) * 1024 - 1024, 1024);
  return found ? found : search(0xf0000, 0x10000);
}

/* The configuration table; 0 = there is none. */
static const struct table_header *find_table(void) {
  const struct floating_pointer *pointer = find_pointer();
  if (!pointer || !pointer->table)
    return 0;
  const struct table_header *header = (const void *)pointer->table;
  return begins_with(header->signature, 0x504d4350) && is_sound(header, header->length) ? header : 0;
}

static const struct entry *after(const struct entry *entry) {
  return (const void *)((const char *)entry + (entry->type == PROCESSOR ? PROCESSOR_BYTES : OTHER_BYTES));
}

uint32_t find_cores(uint8_t ids[MAX_CORES]) {
  const struct table_header *header = find_table();
  if (!header)
    return 0;
  uint32_t count = 1;
  const struct entry *entry = (const void *)(header + 1);
  for (uint32_t i = 0; i < header->entries; i++, entry = after(entry)) {
    if (entry->type != PROCESSOR || !(entry->flags & USABLE))
      continue;
    if (entry->flags & BOOT_CORE)
      ids[0] = entry->apic_id;
    else if (count < MAX_CORES)
      ids[count++] = entry->apic_id;
  }
  return count;
}

uint32_t find_io_apic(void) {
  const struct table_header *header = find_table();
  const struct entry *entry = (const void *)(header + 1);
  for (uint32_t i = 0; header && i < header->entries; i++, entry = after(entry))
    if (entry->type == IO_APIC && entry->flags & USABLE)
      return entry->apic_id;
  return 0xff;
}
