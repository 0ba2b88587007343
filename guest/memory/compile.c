/* Loads memory as a compiler farm does: `compile SEED STEPS [SLOTS]`. Objects of 1 to 32 pages come and go. Each step takes
 * one of SLOTS places at random and empties it if something is there, else fills it: so lifetimes are geometric, which
 * is the exponential distribution in steps, with a mean of SLOTS steps. */
#include "load.h"
#include "random.h"
#include <stdio.h>
#include <stdlib.h>

#define OBJECT_PAGES_MAX 32u
#define OBJECT_BYTES_MAX (OBJECT_PAGES_MAX * PAGE_SIZE)
#define SLOTS_MAX 256u

static uint32_t sizes[SLOTS_MAX];
static slot_t container;
static char *memory;

/* Small objects are many: each size class is half as likely as the one below. */
static uint32_t random_pages(struct random *random) {
  uint32_t class = 1;
  while (class < OBJECT_PAGES_MAX && random_below(random, 2))
    class *= 2;
  return 1 + random_below(random, class);
}

/* Returns 0 when there is no memory for the object now. */
static int make(uint32_t slot, uint32_t pages) {
  uint32_t start = slot * OBJECT_BYTES_MAX;
  int error = container_allocate(container, start, pages * PAGE_SIZE, ALLOC_ALL_OR_NONE, 0);
  if (error == ENOMEM)
    return 0;
  must(error, "container_allocate");
  for (uint32_t page = 0; page < pages; page++)
    *(volatile uint32_t *)(memory + start + page * PAGE_SIZE) = slot;
  sizes[slot] = pages;
  return 1;
}

/* Returns the number of pages that do not hold what was written. */
static uint32_t drop(uint32_t slot) {
  uint32_t start = slot * OBJECT_BYTES_MAX, wrong = 0;
  for (uint32_t page = 0; page < sizes[slot]; page++)
    wrong += *(volatile uint32_t *)(memory + start + page * PAGE_SIZE) != slot;
  must(container_deallocate(container, start, OBJECT_BYTES_MAX, 0), "container_deallocate");
  sizes[slot] = 0;
  return wrong;
}

int main(int argc, char **argv) {
  struct random random = random_seeded(argc > 1 ? (uint32_t)atoi(argv[1]) : 1);
  uint32_t steps = argc > 2 ? (uint32_t)atoi(argv[2]) : 1000;
  uint32_t slots = argc > 3 ? (uint32_t)atoi(argv[3]) : 32;
  uint32_t made = 0, refused = 0, wrong = 0;
  if (slots == 0 || slots > SLOTS_MAX) {
    printf("compile: %u slots, there must be 1 to %u\n", slots, SLOTS_MAX);
    return 1;
  }
  load_tell(LOAD_STARTED);
  must(container_create(own_control, &container), "container_create");
  memory = container_attach(container, 0, slots * OBJECT_BYTES_MAX, ACCESS_READ | ACCESS_WRITE);
  for (uint32_t step = 0; step < steps; step++) {
    uint32_t slot = random_below(&random, slots);
    if (sizes[slot])
      wrong += drop(slot);
    else if (make(slot, random_pages(&random)))
      made++;
    else
      refused++;
  }
  printf("compile: %u steps, %u objects made, %u times no credit, contents %s\n", steps, made, refused,
         wrong ? "WRONG" : "right");
  load_tell(LOAD_DONE);
  return wrong ? 1 : 0;
}
