/* Copies between two containers while another task copies the other way (case F25): copy-on-write, shared and moved,
 * with and without SQUASH, whole and in lists, and takes names away and makes new ones in between. */
#include "hostile.h"
#include <stdlib.h>

static uint32_t state;
static slot_t containers[2];

static uint32_t random_below(uint32_t limit) {
  return next_random(&state) % limit;
}

static void copy_list(slot_t from, slot_t to, uint32_t flags) {
  uint32_t ranges[3][3];
  for (uint32_t i = 0; i < 3; i++) {
    ranges[i][0] = random_below(CONTAINER_PAGES) * PAGE_SIZE;
    ranges[i][1] = random_below(CONTAINER_PAGES) * PAGE_SIZE;
    ranges[i][2] = (1 + random_below(2)) * PAGE_SIZE;
  }
  container_copy_list(from, flags, ranges[0], 9, to, 0);
}

static void step(uint32_t way) {
  static const uint32_t kinds[] = {0, 0, COPY_SHARED, COPY_MOVE};
  uint32_t flags = kinds[random_below(4)] | (random_below(2) ? COPY_SQUASH : 0);
  uint32_t pages = 1 + random_below(CONTAINER_PAGES);
  slot_t from = containers[way], to = containers[!way];
  switch (random_below(8)) {
  case 0: copy_list(from, to, flags); break;
  case 1: container_deallocate(from, random_below(CONTAINER_PAGES) * PAGE_SIZE, PAGE_SIZE, 0); break;
  case 2: container_allocate(from, 0, CONTAINER_PAGES * PAGE_SIZE, 0, 0); break;
  default: container_copy(from, 0, 0, pages * PAGE_SIZE, flags, to, 0);
  }
}

/* Reads and writes a page that the other task pulls away all the time. */
static void touch(uint32_t way, uint32_t window) {
  uint32_t page = random_below(CONTAINER_PAGES);
  container_map(containers[way], page * PAGE_SIZE, PAGE_SIZE, window, ACCESS_READ | ACCESS_WRITE, 0, 0, 0, 0);
}

int main(int argc, char **argv) {
  uint32_t count = argc > 1 ? strtoul(argv[1], 0, 0) : 100;
  uint32_t way = argc > 2 ? strtoul(argv[2], 0, 0) & 1 : 0;
  slot_t control;
  state = 77 + way;
  volatile uint32_t *done = hostile_begin(&control, &containers[0], &containers[1]);
  uint32_t window = vaddr_reserve(PAGE_SIZE, PAGE_SIZE);
  for (uint32_t i = 0; i < count; i++) {
    step(way);
    touch(way, window);
    *done += 1;
  }
  return 0;
}
