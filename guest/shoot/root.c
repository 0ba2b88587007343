/* What a shootdown costs: `shoot [ROUNDS] [reaper]`. A task on each of the other cores uses a page of the root's, so that
 * each core has its translation; then the root deallocates the page, which takes it from all of them with one call, and
 * takes the time. The page is mapped for writing: for one that is only read, the shootdown may be put off. With `reaper`
 * the root only hands the page over; a thread on the last core, which has no reader then, deallocates it and waits. */
#include "shoot.h"
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS_MAX 1024u
#define READER_FRAMES 12u
#define STACK_BYTES 2048

static uint32_t cycles[ROUNDS_MAX];
static slot_t target;
/* Rounds whose page has been handed to the reaper, rounds whose page is free, and what the reaper's calls took. */
static volatile uint32_t handed, reaped;
static uint32_t reaper_cycles[ROUNDS_MAX];
static char reaper_stack[STACK_BYTES] __attribute__((aligned(16)));

/* Page 0 stays, so that no page table becomes empty. */
static uint32_t page_of(uint32_t round) {
  return (1 + round % (SHOOT_TARGET_PAGES - 1)) * PAGE_SIZE;
}

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

static uint32_t free_page(uint32_t round) {
  uint64_t before = clock_cycles();
  must(container_deallocate(target, page_of(round), PAGE_SIZE, 0), "container_deallocate");
  return (uint32_t)(clock_cycles() - before);
}

static void reap(void *unused) {
  (void)unused;
  for (;;) {
    while (reaped == handed)
      cpu_pause();
    reaper_cycles[reaped] = free_page(reaped + 1);
    reaped++;
  }
}

static void report(const char *what, uint32_t *values, uint32_t count) {
  qsort(values, count, sizeof *values, compare);
  printf("shoot: %u cores, %s: least %u, median %u, most %u cycles\n", core_count, what, values[0], values[count / 2],
         values[count - 1]);
}

int main(int argc, char **argv) {
  uint32_t count = argc > 1 ? (uint32_t)atoi(argv[1]) : 16;
  int has_reaper = argc > 2;
  uint32_t readers = core_count - 1 - has_reaper, most_held = 0;
  slot_t container, shared, limited, thread;
  if (count == 0 || count > ROUNDS_MAX || core_count < 1u + has_reaper) {
    printf("shoot: %u rounds, there must be 1 to %u; a reaper needs a second core\n", count, ROUNDS_MAX);
    return 1;
  }
  must(container_create(own_control, &container), "container_create");
  must(container_create(own_control, &target), "container_create");
  must(container_allocate(container, 0, PAGE_SIZE, 0, 0), "container_allocate");
  must(container_share(container, CONTAINER_READ | CONTAINER_WRITE, &shared), "container_share");
  must(container_share(target, CONTAINER_READ | CONTAINER_WRITE, &limited), "container_share");
  struct rounds *rounds = container_attach(container, 0, PAGE_SIZE, ACCESS_READ | ACCESS_WRITE);
  char *memory = container_attach(target, 0, SHOOT_TARGET_PAGES * PAGE_SIZE, ACCESS_READ | ACCESS_WRITE);
  must(container_allocate(target, 0, PAGE_SIZE, 0, 0), "container_allocate");
  *(volatile uint32_t *)memory = 0;
  rounds->wanted = 0;
  for (uint32_t number = 1; number <= readers; number++)
    start_reader(number, shared, limited);
  if (has_reaper)
    must(thread_start(reap, 0, reaper_stack, sizeof reaper_stack, core_count - 1, PRIORITY_MAIN, &thread), "thread_start");
  for (uint32_t round = 1; round <= count; round++) {
    must(container_allocate(target, page_of(round), PAGE_SIZE, 0, 0), "container_allocate");
    *(volatile uint32_t *)(memory + page_of(round)) = 0;
    rounds->page = page_of(round);
    rounds->wanted = round;
    for (uint32_t number = 1; number <= readers; number++)
      while (rounds->seen[number].round != round)
        cpu_pause();
    uint64_t before = clock_cycles();
    if (has_reaper)
      handed = round;
    else
      free_page(round);
    cycles[round - 1] = (uint32_t)(clock_cycles() - before);
    if (has_reaper && handed - reaped > most_held)
      most_held = handed - reaped;
  }
  while (has_reaper && reaped != count)
    cpu_pause();
  report(has_reaper ? "hand over one page" : "deallocate one page", cycles, count);
  if (has_reaper) {
    report("deallocate one page in the reaper", reaper_cycles, count);
    printf("shoot: at most %u pages were held\n", most_held);
  }
  return 0;
}
