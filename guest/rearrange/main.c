/* Rearranging memory without copying a byte: a ring of log pages is gathered in order, scattered to readers, moved to a
 * queue and replaced, each with one message for many pages (container_copy_list), all by name. */
#include <physmem.h>
#include <stdio.h>
#include <string.h>

#define PAGES 8u
#define FIRST 5u /* The oldest page of the ring: its order is 5 6 7 0 1 2 3 4. */

static slot_t ring, view, queue;
static uint32_t *ring_memory, *view_memory, *queue_memory;
static uint32_t wrong;

static slot_t make(uint32_t **out_memory) {
  slot_t container;
  must(container_create(own_control, &container), "container_create");
  *out_memory = container_attach(container, 0, 4 * PAGES * PAGE_SIZE, ACCESS_READ | ACCESS_WRITE);
  return container;
}

static uint32_t word(const uint32_t *memory, uint32_t page) {
  return memory[page * PAGE_SIZE / 4];
}

/* Prints the first words of pages and counts those that are not as expected. */
static void show(const char *what, const uint32_t *memory, uint32_t first, const uint32_t *expected, uint32_t count) {
  printf("%s:", what);
  for (uint32_t i = 0; i < count; i++) {
    printf(" %u", word(memory, first + i));
    wrong += word(memory, first + i) != expected[i];
  }
  printf("\n");
}

static void fill_ring(void) {
  for (uint32_t page = 0; page < PAGES; page++) {
    must(container_allocate(ring, page * PAGE_SIZE, PAGE_SIZE, 0, 0), "container_allocate");
    ring_memory[page * PAGE_SIZE / 4] = 100 + (page + PAGES - FIRST) % PAGES;
  }
}

/* A snapshot in order: two ranges, gathered; all of it or nothing. */
static void gather(void) {
  static const uint32_t in_order[] = {100, 101, 102, 103, 104, 105, 106, 107};
  const uint32_t ranges[][3] = {{FIRST * PAGE_SIZE, 0, (PAGES - FIRST) * PAGE_SIZE},
                                {0, (PAGES - FIRST) * PAGE_SIZE, FIRST * PAGE_SIZE}};
  must(container_copy_list(ring, COPY_ALL_OR_NONE, ranges[0], 6, view, 0), "gather");
  ring_memory[FIRST * PAGE_SIZE / 4] = 999;
  show("gathered in order, before the ring goes on", view_memory, 0, in_order, PAGES);
}

/* The newest page of the ring at three places at once, shared: a write is seen at all of them. */
static void scatter(void) {
  static const uint32_t seen[] = {555, 555, 555};
  uint32_t ranges[3][3];
  for (uint32_t i = 0; i < 3; i++)
    memcpy(ranges[i], (uint32_t[]){(FIRST - 1) * PAGE_SIZE, (PAGES + i) * PAGE_SIZE, PAGE_SIZE}, sizeof ranges[i]);
  must(container_copy_list(ring, COPY_SHARED, ranges[0], 9, view, 0), "scatter");
  ring_memory[(FIRST - 1) * PAGE_SIZE / 4] = 555;
  show("scattered and shared, after a write", view_memory, PAGES, seen, 3);
}

/* Every second page leaves the ring for a queue; the ring gets fresh zeroed pages in their place. */
static void take_out(void) {
  static const uint32_t queued[] = {103, 105, 555, 101}, left[] = {0, 104, 0, 106, 0, 999, 0, 102};
  uint32_t ranges[PAGES / 2][3];
  for (uint32_t i = 0; i < PAGES / 2; i++)
    memcpy(ranges[i], (uint32_t[]){2 * i * PAGE_SIZE, i * PAGE_SIZE, PAGE_SIZE}, sizeof ranges[i]);
  must(container_copy_list(ring, COPY_MOVE, ranges[0], 3 * PAGES / 2, queue, 0), "move");
  show("moved to the queue", queue_memory, 0, queued, PAGES / 2);
  for (uint32_t page = 0; page < PAGES; page += 2)
    must(container_allocate(ring, page * PAGE_SIZE, PAGE_SIZE, 0, 0), "container_allocate");
  show("the ring afterwards", ring_memory, 0, left, PAGES);
}

/* Old contents are replaced by others in one step, or by zeroes. */
static void replace(void) {
  static const uint32_t one_on[] = {105, 555, 101, 101}, swapped[] = {104, 106}, blank[] = {0, 0};
  const uint32_t ranges[][3] = {{PAGE_SIZE, 0, PAGE_SIZE}, {3 * PAGE_SIZE, PAGE_SIZE, PAGE_SIZE}};
  must(container_copy(queue, PAGE_SIZE, 0, 3 * PAGE_SIZE, COPY_SQUASH, queue, 0), "copy onto an overlap");
  show("the queue moved up by one, the ranges overlap", queue_memory, 0, one_on, PAGES / 2);
  must(container_copy_list(ring, COPY_SQUASH, ranges[0], 6, queue, 0), "replace");
  show("two pages of it replaced", queue_memory, 0, swapped, 2);
  must(container_copy(queue, 0, 16 * PAGE_SIZE, 2 * PAGE_SIZE, COPY_MOVE, queue, 0), "move");
  show("and moved to another place", queue_memory, 16, swapped, 2);
  must(container_allocate(queue, 16 * PAGE_SIZE, 2 * PAGE_SIZE, ALLOC_SQUASH, 0), "allocate over them");
  show("allocated anew where they are", queue_memory, 16, blank, 2);
}

int main(void) {
  char sentence[160];
  ring = make(&ring_memory);
  view = make(&view_memory);
  queue = make(&queue_memory);
  fill_ring();
  gather();
  scatter();
  take_out();
  replace();
  const uint32_t twice[][3] = {{0, 24 * PAGE_SIZE, PAGE_SIZE}, {PAGE_SIZE, 24 * PAGE_SIZE, PAGE_SIZE}};
  pm_explain(sentence, sizeof sentence, container_copy_list(ring, 0, twice[0], 6, view, 0));
  printf("two pages to one place:\n%s\n", sentence);
  printf("all as expected: %s\n", wrong ? "NO" : "yes");
  return wrong != 0;
}
