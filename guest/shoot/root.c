/* What a shootdown costs: `shoot [ROUNDS]`. A task on each of the other cores uses a page of the root's, so that each
 * core has its translation; then the root deallocates the page, which takes it from all of them with one call, and takes
 * the time. The page is mapped for writing: for one that is only read, the shootdown may be put off. */
#include "shoot.h"
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS_MAX 1024u
#define READER_FRAMES 12u

static uint32_t cycles[ROUNDS_MAX];

static void start_reader(uint32_t number, slot_t rounds, slot_t target) {
  slot_t control;
  struct task task;
  struct envelope in;
  const char *const arguments[] = {"shoot-reader"};
  must(control_split(own_control, READER_FRAMES, &control), "control_split");
  struct task_spec spec = {"shoot-reader", 1, arguments, control, CONTROL_QUERY,
                           (core_number() + number) % core_count, number, 0};
  must(task_start(&spec, &task), "task_start");
  must(ipc_receive(&in), "ipc_receive");
  message_words()[0] = number;
  message_cap(0, rounds, ALL_RIGHTS);
  message_cap(1, target, ALL_RIGHTS);
  must(ipc_reply(0, 1, 2), "ipc_reply");
}

static int compare(const void *a, const void *b) {
  uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
  return left < right ? -1 : left > right;
}

static void fill_target(slot_t target) {
  must(container_allocate(target, 0, PAGE_SIZE, 0, 0), "container_allocate");
}

int main(int argc, char **argv) {
  uint32_t count = argc > 1 ? (uint32_t)atoi(argv[1]) : 16;
  slot_t container, target, shared, limited;
  if (count == 0 || count > ROUNDS_MAX) {
    printf("shoot: %u rounds, there must be 1 to %u\n", count, ROUNDS_MAX);
    return 1;
  }
  must(container_create(own_control, &container), "container_create");
  must(container_create(own_control, &target), "container_create");
  must(container_allocate(container, 0, PAGE_SIZE, 0, 0), "container_allocate");
  must(container_share(container, CONTAINER_READ | CONTAINER_WRITE, &shared), "container_share");
  must(container_share(target, CONTAINER_READ | CONTAINER_WRITE, &limited), "container_share");
  struct rounds *rounds = container_attach(container, 0, PAGE_SIZE, ACCESS_READ | ACCESS_WRITE);
  volatile uint32_t *page = container_attach(target, 0, PAGE_SIZE, ACCESS_READ | ACCESS_WRITE);
  rounds->wanted = 0;
  for (uint32_t number = 1; number < core_count; number++)
    start_reader(number, shared, limited);
  for (uint32_t round = 1; round <= count; round++) {
    fill_target(target);
    *page = 0;
    rounds->wanted = round;
    for (uint32_t number = 1; number < core_count; number++)
      while (rounds->seen[number].round != round)
        cpu_pause();
    uint64_t before = clock_cycles();
    must(container_deallocate(target, 0, PAGE_SIZE, 0), "container_deallocate");
    cycles[round - 1] = (uint32_t)(clock_cycles() - before);
  }
  qsort(cycles, count, sizeof cycles[0], compare);
  printf("shoot: %u cores, deallocate one page: least %u, median %u, most %u cycles\n", core_count, cycles[0],
         cycles[count / 2], cycles[count - 1]);
  return 0;
}
