/* What memory costs at its first touch, in cycles per page: served by the own pager one page at a time; mapped with
 * one call; touched again when all is there; and brought back after the maps were taken away. */
#include <physmem.h>
#include <stdio.h>

#define PAGES 64u
#define BYTES (PAGES * PAGE_SIZE)

static void report(const char *what, uint64_t cycles) {
  printf("%-40s %6llu cycles per page\n", what, cycles / PAGES);
}

static uint64_t touch(volatile char *memory) {
  uint64_t before = clock_cycles();
  for (uint32_t page = 0; page < PAGES; page++)
    memory[page * PAGE_SIZE] = (char)page;
  return clock_cycles() - before;
}

static slot_t new_container(void) {
  slot_t container;
  must(container_create(own_control, &container), "container_create");
  must(container_allocate(container, 0, BYTES, ALLOC_ALL_OR_NONE, 0), "container_allocate");
  return container;
}

int main(void) {
  slot_t lazy = new_container(), eager = new_container();
  char *memory = container_attach(lazy, 0, BYTES, ACCESS_READ | ACCESS_WRITE);
  report("first touch, a fault for each page", touch(memory));
  report("touched again", touch(memory));
  uint64_t before = clock_cycles();
  must(physmem_unmap(SLOT_PHYSMEM, (uint32_t)memory, BYTES, 0), "physmem_unmap");
  report("unmapped with one call", clock_cycles() - before);
  report("touched after the unmap, contents kept", touch(memory));

  char *mapped = container_attach(eager, 0, BYTES, ACCESS_READ | ACCESS_WRITE);
  before = clock_cycles();
  must(container_map(eager, 0, BYTES, (uint32_t)mapped, ACCESS_READ | ACCESS_WRITE, 0, 0, 0, 0), "container_map");
  report("mapped with one call, zeroed", clock_cycles() - before);
  report("touched after that", touch(mapped));
  printf("faults served by the pager: %u\n", pager_fault_count());
  return 0;
}
