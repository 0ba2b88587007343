#include "writers.h"
#include "random.h"
#include <physmem.h>

#define STACK_BYTES 2048
/* Word 0 of each page is the fragmenter's mark. */
#define FIRST_WORD 1u

static char stacks[WRITERS_MAX][STACK_BYTES] __attribute__((aligned(16)));
static volatile uint32_t made[WRITERS_MAX];
static volatile uint32_t is_over, ended;
static uint32_t writer_count, page_count;
static char *pages_at;
static const uint32_t *kept_bits;

static volatile uint32_t *word_of(uint32_t page, uint32_t writer) {
  return (volatile uint32_t *)(pages_at + page * PAGE_SIZE) + FIRST_WORD + writer;
}

static int is_kept(uint32_t page) {
  return kept_bits[page / 32] >> page % 32 & 1;
}

static void write_pages(void *argument) {
  uint32_t writer = (uint32_t)argument;
  struct random random = random_seeded(writer + 1);
  while (!is_over) {
    uint32_t page = random_below(&random, page_count);
    if (!is_kept(page))
      continue;
    *word_of(page, writer) += 1;
    made[writer]++;
  }
  atomic_add(&ended, 1);
  sys_thread_exit();
}

void writers_start(uint32_t count, char *memory, const uint32_t *kept, uint32_t pages) {
  slot_t thread;
  writer_count = count > WRITERS_MAX ? WRITERS_MAX : count;
  pages_at = memory;
  kept_bits = kept;
  page_count = pages;
  for (uint32_t writer = 0; writer < writer_count; writer++)
    must(thread_start(write_pages, (void *)writer, stacks[writer], STACK_BYTES,
                      (core_number() + 1 + writer) % core_count, PRIORITY_MAIN, &thread),
         "thread_start");
}

uint32_t writers_stop(void) {
  uint32_t missing = 0;
  is_over = 1;
  while (ended < writer_count)
    sys_sleep(10000);
  for (uint32_t writer = 0; writer < writer_count; writer++) {
    uint32_t found = 0;
    for (uint32_t page = 0; page < page_count; page++)
      if (is_kept(page))
        found += *word_of(page, writer);
    missing += made[writer] - found;
  }
  return missing;
}

uint32_t writers_total(void) {
  uint32_t total = 0;
  for (uint32_t writer = 0; writer < writer_count; writer++)
    total += made[writer];
  return total;
}
