/* Wants 4 MiB frames: `huge [PAUSE]`. Allocates contiguous frames of 4 MiB, one after another, until it is refused or has
 * no more credit; sleeps PAUSE cycles before each. Each is mapped as one large page, written and read. */
#include "load.h"
#include <stdio.h>
#include <stdlib.h>

#define FRAME_BYTES (1024u * PAGE_SIZE)
#define FRAMES_MAX 256u

static uint32_t cycles[FRAMES_MAX];

static int compare(const void *a, const void *b) {
  uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
  return left < right ? -1 : left > right;
}

static void use(slot_t container, uint32_t start) {
  uint32_t vaddr = vaddr_reserve(FRAME_BYTES, FRAME_BYTES);
  struct region region = {vaddr, FRAME_BYTES, container, start, ACCESS_READ | ACCESS_WRITE, 0, 0};
  must(region_add(&region), "region_add");
  must(container_map(container, start, FRAME_BYTES, vaddr, ACCESS_READ | ACCESS_WRITE, 0, 0, 0, 0), "container_map");
  volatile uint32_t *word = (volatile uint32_t *)vaddr;
  *word = start;
  if (*word != start)
    printf("huge: 0x%08x does not hold what was written\n", vaddr);
}

int main(int argc, char **argv) {
  uint32_t pause = argc > 1 ? (uint32_t)atoi(argv[1]) : 0;
  uint32_t count = 0;
  int error = 0;
  slot_t container;
  char why[200];
  load_tell(LOAD_STARTED);
  must(container_create(own_control, &container), "container_create");
  printf("huge: I have credit for %u frames of 4 MiB\n", load_credit() / 1024);
  while (count < FRAMES_MAX) {
    uint32_t start = count * FRAME_BYTES;
    if (pause)
      sys_sleep(pause);
    uint64_t before = clock_cycles();
    error = container_allocate(container, start, FRAME_BYTES, ALLOC_CONTIGUOUS, 0);
    if (error) {
      pm_explain(why, sizeof why, error);
      break;
    }
    cycles[count++] = (uint32_t)(clock_cycles() - before);
    use(container, start);
  }
  printf("huge: I got %u\n", count);
  if (error)
    printf("huge: the next one is refused: %s\n", why);
  if (count > 0) {
    qsort(cycles, count, sizeof cycles[0], compare);
    printf("huge: cycles of one: least %u, median %u, most %u\n", cycles[0], cycles[count / 2], cycles[count - 1]);
  }
  load_tell(LOAD_DONE);
  return 0;
}
