/* What a shootdown costs: `shoot CORES ROUNDS`. One thread on each of CORES cores reads a page, so that each has its
 * translation; then the first core takes the page away from all of them with one call, and takes the time. */
#include <physmem.h>
#include <stdio.h>
#include <stdlib.h>

#define CORES_MAX 16
#define ROUNDS_MAX 1024u
#define STACK_BYTES 2048

static char stacks[CORES_MAX][STACK_BYTES] __attribute__((aligned(16)));
/* The round in which the readers shall read, and the one in which each has; a cache line each. */
static volatile uint32_t wanted;
static volatile struct {
  uint32_t round, padding[15];
} seen[CORES_MAX];
static volatile uint32_t *page;
static uint32_t cycles[ROUNDS_MAX];

static void reader(void *argument) {
  uint32_t number = (uint32_t)argument;
  for (;;) {
    uint32_t round = wanted;
    if (round == seen[number].round)
      continue;
    (void)*page;
    seen[number].round = round;
  }
}

static int compare(const void *a, const void *b) {
  uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
  return left < right ? -1 : left > right;
}

int main(int argc, char **argv) {
  uint32_t cores = argc > 1 ? (uint32_t)atoi(argv[1]) : core_count;
  uint32_t rounds = argc > 2 ? (uint32_t)atoi(argv[2]) : 16;
  slot_t container, thread;
  if (cores == 0 || cores > core_count || rounds == 0 || rounds > ROUNDS_MAX) {
    printf("shoot: %u cores of %u, %u rounds of at most %u\n", cores, core_count, rounds, ROUNDS_MAX);
    return 1;
  }
  must(container_create(own_control, &container), "container_create");
  must(container_allocate(container, 0, PAGE_SIZE, 0, 0), "container_allocate");
  page = container_attach(container, 0, PAGE_SIZE, ACCESS_READ);
  for (uint32_t number = 1; number < cores; number++)
    must(thread_start(reader, (void *)number, stacks[number], STACK_BYTES, (core_number() + number) % core_count,
                      PRIORITY_MAIN, &thread),
         "thread_start");
  for (uint32_t round = 1; round <= rounds; round++) {
    must(container_map(container, 0, PAGE_SIZE, (uint32_t)page, ACCESS_READ, 0, 0, 0, 0), "container_map");
    (void)*page;
    wanted = round;
    for (uint32_t number = 1; number < cores; number++)
      while (seen[number].round != round)
        cpu_pause();
    uint64_t before = clock_cycles();
    must(physmem_unmap(SLOT_PHYSMEM, (uint32_t)page, PAGE_SIZE, 0), "physmem_unmap");
    cycles[round - 1] = (uint32_t)(clock_cycles() - before);
  }
  qsort(cycles, rounds, sizeof cycles[0], compare);
  printf("shoot: %u cores, unmap of one page: least %u, median %u, most %u cycles\n", cores, cycles[0],
         cycles[rounds / 2], cycles[rounds - 1]);
  return 0;
}
