/* Counts in shared pages from three cores: `hammer [ROUNDS]`. Each thread has a word of its own in every page and adds to
 * it, page by page, so that any write that gets lost (when a page moves, say) shows in the sums at the end. The pages are
 * of several kinds: single ones, one frame of sixteen pages, and copies of each other until they are written. */
#include <physmem.h>
#include <stdio.h>
#include <stdlib.h>

#define THREADS 3u
#define PAGES 48u
#define STACK_BYTES 2048u

static char stacks[THREADS][STACK_BYTES] __attribute__((aligned(16)));
static volatile uint32_t ended;
static uint32_t rounds;
static char *pages;

static volatile uint32_t *word_of(uint32_t page, uint32_t thread) {
  return (volatile uint32_t *)(pages + page * PAGE_SIZE) + 16 * thread;
}

static void count(uint32_t thread) {
  for (uint32_t round = 0; round < rounds; round++)
    for (uint32_t page = 0; page < PAGES; page++)
      *word_of(page, thread) += 1;
  atomic_add(&ended, 1);
}

static void run(void *argument) {
  count((uint32_t)argument);
  sys_thread_exit();
}

int main(int argc, char **argv) {
  slot_t container, thread;
  uint32_t lost = 0;
  rounds = argc > 1 ? (uint32_t)atoi(argv[1]) : 100;
  must(container_create(own_control, &container), "container_create");
  for (uint32_t page = 0; page < 16; page++)
    must(container_allocate(container, page * PAGE_SIZE, PAGE_SIZE, 0, 0), "container_allocate");
  must(container_allocate(container, 16 * PAGE_SIZE, 16 * PAGE_SIZE, 0, 0), "container_allocate");
  must(container_copy(container, 0, 32 * PAGE_SIZE, 16 * PAGE_SIZE, 0, container, 0), "container_copy");
  pages = container_attach(container, 0, PAGES * PAGE_SIZE, ACCESS_READ | ACCESS_WRITE);
  printf("hammer: %u threads count to %u in each of %u pages\n", THREADS, rounds, PAGES);
  for (uint32_t i = 1; i < THREADS; i++)
    must(thread_start(run, (void *)i, stacks[i], STACK_BYTES, i % core_count, PRIORITY_MAIN, &thread),
         "thread_start");
  count(0);
  while (ended < THREADS)
    sys_sleep(1000);
  for (uint32_t page = 0; page < PAGES; page++)
    for (uint32_t i = 0; i < THREADS; i++)
      lost += rounds - *word_of(page, i);
  printf("hammer: %u of %u writes are lost\n", lost, THREADS * PAGES * rounds);
  return lost != 0;
}
