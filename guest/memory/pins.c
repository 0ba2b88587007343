/* Pins memory for short times at random places: `pins SEED PAGES PERMILLE ROUNDS`. Of PAGES single frames, PERMILLE of
 * a thousand are pinned at any time, as by many small transfers of devices; each round ends the oldest pin and begins
 * another one, for PIN_CYCLES at most. */
#include "load.h"
#include "random.h"
#include <stdio.h>
#include <stdlib.h>

#define PIN_CYCLES 400000u
#define PINS_MAX 128u
#define PAUSE_CYCLES 2000u

static slot_t pins[PINS_MAX];

int main(int argc, char **argv) {
  struct random random = random_seeded(argc > 1 ? (uint32_t)atoi(argv[1]) : 1);
  uint32_t pages = argc > 2 ? (uint32_t)atoi(argv[2]) : 1000;
  uint32_t permille = argc > 3 ? (uint32_t)atoi(argv[3]) : 30;
  uint32_t rounds = argc > 4 ? (uint32_t)atoi(argv[4]) : 1000;
  uint32_t live = pages * permille / 1000, made = 0, refused = 0;
  slot_t container;
  if (live == 0 || live > PINS_MAX || pages > 60000) {
    printf("pins: %u of %u pages pinned at a time, there must be 1 to %u pins\n", live, pages, PINS_MAX);
    return 1;
  }
  load_tell(LOAD_STARTED);
  must(container_create(own_control, &container), "container_create");
  char *memory = container_attach(container, 0, pages * PAGE_SIZE, ACCESS_READ | ACCESS_WRITE);
  load_fill(container, pages, memory);
  for (uint32_t round = 0; round < rounds; round++) {
    slot_t *pin = &pins[round % live];
    if (*pin)
      sys_cap_delete(*pin);
    *pin = 0;
    uint32_t start = random_below(&random, pages) * PAGE_SIZE;
    if (container_pin(container, start, PAGE_SIZE, PIN_CYCLES, 0, 0, 0, 0, 0, pin))
      refused++;
    else
      made++;
    sys_sleep(PAUSE_CYCLES);
  }
  printf("pins: %u rounds, %u pins at a time, %u refused\n", made, live, refused);
  load_tell(LOAD_DONE);
  return 0;
}
