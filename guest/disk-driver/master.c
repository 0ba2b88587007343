/* The bus master: one command for all ranges, from a list in memory of the driver's own, which is allocated for DMA. */
#include "disk.h"
#include <ports.h>

struct descriptor {
  uint32_t address, length, to_memory, reserved;
};

static slot_t list_container;
static struct descriptor *list;

void master_start(void) {
  must(sys_ioport_bind(MASTER, MASTER_PORTS, 1), "ioport_bind");
  out32(MASTER, MASTER_RESET);
  out32(MASTER_CONTROL, INTERRUPT_WANTED);
  must(container_create(own_control, &list_container), "container_create");
  must(container_allocate(list_container, 0, PAGE_SIZE, ALLOC_DMA, 0), "container_allocate");
  list = container_attach(list_container, 0, PAGE_SIZE, ACCESS_READ | ACCESS_WRITE);
}

uint32_t master_sectors(void) {
  return in32(MASTER_CAPACITY);
}

static uint32_t fill_list(const struct ranges *ranges, uint32_t bytes, uint32_t to_memory) {
  uint32_t count = 0;
  for (; count < ranges->count && bytes > 0; count++) {
    uint32_t length = ranges->pairs[2 * count + 1] < bytes ? ranges->pairs[2 * count + 1] : bytes;
    list[count] = (struct descriptor){ranges->pairs[2 * count], length, to_memory, 0};
    bytes -= length;
  }
  return count;
}

uint32_t master_transfer(const struct ranges *ranges, uint32_t bytes, uint32_t sector, uint32_t to_memory,
                         uint32_t *out_moved) {
  struct ranges own;
  slot_t pin;
  uint32_t count = fill_list(ranges, bytes, to_memory);
  must(pin_memory(list_container, 0, PAGE_SIZE, 0, &own, &pin), "container_pin of the list");
  *out_moved = 0;
  if (!is_pinned(ranges)) {
    physmem_unpin(pin);
    return PIN_IS_OVER;
  }
  out32(MASTER_LIST, own.pairs[0]);
  out32(MASTER_SECTOR, sector);
  out32(MASTER_COUNT, count);
  out32(MASTER, MASTER_START);
  interrupt_wait(MASTER_LINE);
  *out_moved = in32(MASTER_MOVED);
  uint32_t error = in32(MASTER_ERROR);
  physmem_unpin(pin);
  return error;
}
