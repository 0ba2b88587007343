/* The DMA zone is full of ordinary memory, and a driver needs 1 MiB in one piece below 16 MiB. physmem moves the ordinary
 * memory up; with pins in the way it says which, and until when. */
#include <physmem.h>
#include <stdio.h>

#define MIB (1u << 20)
#define PIN_CYCLES 3000000u
/* Room that is left for page tables. */
#define SPARE_FRAMES 200u
/* Every so many pages one is pinned: there is a pin in each MiB. */
#define PIN_STEP 128u

static char sentence[200];

static const char *why(int error) {
  pm_explain(sentence, sizeof sentence, error);
  return sentence;
}

/* Names all memory page by page and writes the number of each page to it; returns the pages. */
static uint32_t fill(slot_t container) {
  uint32_t total, available;
  must(control_query(own_control, &total, &available, 0, 0, 0, 0), "control_query");
  uint32_t count = available - SPARE_FRAMES;
  for (uint32_t page = 0; page < count; page++)
    must(container_allocate(container, page * PAGE_SIZE, PAGE_SIZE, 0, 0), "container_allocate");
  volatile uint32_t *words = container_attach(container, 0, count * PAGE_SIZE, ACCESS_READ | ACCESS_WRITE);
  for (uint32_t page = 0; page < count; page++)
    words[page * PAGE_SIZE / 4] = page;
  return count;
}

int main(void) {
  slot_t memory, buffer, pin;
  uint32_t ranges, range[2 * PIN_RANGES_MAX];
  must(container_create(own_control, &memory), "container_create");
  must(container_create(own_control, &buffer), "container_create");
  uint32_t count = fill(memory);
  uint32_t kept_from = count / 3;
  printf("zone: memory is full; what was bound last is below 16 MiB\n");
  must(container_deallocate(memory, 0, kept_from * PAGE_SIZE, 0), "container_deallocate");
  printf("zone: a third of it is free, all above 16 MiB\n");

  for (uint32_t page = kept_from; page < count; page += PIN_STEP)
    must(container_pin(memory, page * PAGE_SIZE, PAGE_SIZE, PIN_CYCLES, 0, 0, 0, 0, 0, &pin), "container_pin");
  int error = container_allocate(buffer, 0, MIB, ALLOC_DMA | ALLOC_CONTIGUOUS, 0);
  printf("zone: 1 MiB for a device, with pins everywhere: %s\n", error ? "refused" : "done");
  printf("  %s\n", why(error));

  sys_sleep(PIN_CYCLES);
  must(container_allocate(buffer, 0, MIB, ALLOC_DMA | ALLOC_CONTIGUOUS, 0), "container_allocate");
  must(container_pin(buffer, 0, MIB, PIN_CYCLES, PIN_DMA, 0, &ranges, range, 2 * PIN_RANGES_MAX, &pin), "container_pin");
  printf("zone: the pins are over: %u range of %u KiB below 16 MiB: %s\n", ranges, range[1] / 1024,
         range[0] + range[1] <= 16 * MIB ? "yes" : "no");

  volatile uint32_t *words = container_attach(memory, kept_from * PAGE_SIZE, (count - kept_from) * PAGE_SIZE, ACCESS_READ);
  uint32_t wrong = 0;
  for (uint32_t page = kept_from; page < count; page++)
    wrong += words[(page - kept_from) * PAGE_SIZE / 4] != page;
  printf("zone: %u pages were moved away or stayed, %u of them have other bytes\n", count - kept_from, wrong);
  return wrong != 0;
}
