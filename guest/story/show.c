/* What both programs of the story print. */
#include "story.h"
#include <stdio.h>

void show_control(const char *who, const char *name, slot_t control) {
  uint32_t total, free, charged, children;
  must(control_query(control, &total, &free, &charged, &children, 0, 0), "control_query");
  printf("%s   %s: total %u = free %u + charged %u + children %u\n", who, name, total, free, charged, children);
}

void show_pages(const char *who, slot_t container, uint32_t bytes) {
  uint32_t states[48];
  must(container_query(container, 0, bytes, 0, states, bytes / PAGE_SIZE), "container_query");
  for (uint32_t page = 0; page < bytes / PAGE_SIZE;) {
    uint32_t state = states[page], order = state >> PAGE_ORDER_SHIFT & 31;
    uint32_t frame_pages = 1u << order;
    printf("%s   byte 0x%04x: %u KiB frame (order %u), %s%s%s\n", who, page * PAGE_SIZE, 4 * frame_pages, order,
           state & PAGE_BOUND ? "bound" : "not bound yet", state & PAGE_SHARED ? ", shared" : "",
           state & PAGE_COW ? ", copy-on-write" : "");
    page += frame_pages;
  }
}

uint32_t checksum(const void *bytes, uint32_t count) {
  const unsigned char *at = bytes;
  uint32_t sum = 0, sum_of_sums = 0;
  for (uint32_t i = 0; i < count; i++) {
    sum = (sum + at[i]) % 65535;
    sum_of_sums = (sum_of_sums + sum) % 65535;
  }
  return sum_of_sums << 16 | sum;
}
