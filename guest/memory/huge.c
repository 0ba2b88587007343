/* Wants 4 MiB frames: `huge [PAUSE]`. Allocates 4 MiB, again and again, and maps them, so that they get memory; sleeps PAUSE
 * cycles before each. Ends when they come as smaller frames (the promise of physmem is memory, not contiguity), or when
 * there is no more credit. A frame of 4 MiB is mapped as one large page. */
#include "load.h"
#include <stdio.h>
#include <stdlib.h>

#define FRAME_BYTES (1024u * PAGE_SIZE)
#define FRAMES_MAX 256u
#define HUGE_ORDER 10u

static uint32_t cycles[FRAMES_MAX];

static int compare(const void *a, const void *b) {
  uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
  return left < right ? -1 : left > right;
}

/* Allocates and maps 4 MiB at a place that is aligned to it; returns the order of its first frame. */
static uint32_t use(slot_t container, uint32_t start, uint32_t *out_cycles) {
  uint32_t state;
  uint32_t vaddr = vaddr_reserve(FRAME_BYTES, FRAME_BYTES);
  struct region region = {vaddr, FRAME_BYTES, container, start, ACCESS_READ | ACCESS_WRITE, 0, 0};
  must(region_add(&region), "region_add");
  uint64_t before = clock_cycles();
  must(container_allocate(container, start, FRAME_BYTES, 0, 0), "container_allocate");
  must(container_map(container, start, FRAME_BYTES, vaddr, ACCESS_READ | ACCESS_WRITE, 0, 0, 0, 0), "container_map");
  *out_cycles = (uint32_t)(clock_cycles() - before);
  volatile uint32_t *word = (volatile uint32_t *)vaddr;
  *word = start;
  if (*word != start)
    printf("huge: 0x%08x does not hold what was written\n", vaddr);
  must(container_query(container, start, PAGE_SIZE, 0, &state, 1), "container_query");
  return state >> PAGE_ORDER_SHIFT & 0xff;
}

int main(int argc, char **argv) {
  uint32_t pause = argc > 1 ? (uint32_t)atoi(argv[1]) : 0;
  uint32_t count = 0, order = HUGE_ORDER;
  slot_t container;
  load_tell(LOAD_STARTED);
  must(container_create(own_control, &container), "container_create");
  printf("huge: I have credit for %u frames of 4 MiB\n", load_credit() / 1024);
  /* A page table may be needed, too. */
  while (count < FRAMES_MAX && load_credit() > 1024) {
    uint32_t start = count * FRAME_BYTES;
    if (pause)
      sys_sleep(pause);
    order = use(container, start, &cycles[count]);
    if (order != HUGE_ORDER)
      break;
    count++;
  }
  printf("huge: I got %u\n", count);
  if (order != HUGE_ORDER)
    printf("huge: the next one came in pieces, the first one of %u KiB\n", 4u << order);
  if (count > 0) {
    qsort(cycles, count, sizeof cycles[0], compare);
    printf("huge: cycles of one: least %u, median %u, most %u\n", cycles[0], cycles[count / 2], cycles[count - 1]);
  }
  load_tell(LOAD_DONE);
  return 0;
}
