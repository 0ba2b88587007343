/* Between the root and its hostile tasks. */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <physmem.h>

enum {
  /* Task to root: item 0 is its main thread. Reply: item 0 a control, items 1 and 2 containers, all rights; item 3 the
   * page on which it counts what it has done. It begins when the root says so there. */
  HOSTILE_READY = 1,
};

/* Words of the page: one for each task to count in, and one that lets all of them begin. */
enum { TASKS = 2, COUNT_GO = 8 };

enum { TASK_FRAMES = 64, COMMON_FRAMES = 48, CONTAINER_PAGES = 8 };

/* Marsaglia's xorshift, 32 bits: the same sequence on every run. */
static inline uint32_t next_random(uint32_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 17;
  *state ^= *state << 5;
  return *state;
}

/* Tells the root who it is, and gets what it is going to misuse. Returns where to count. */
static inline volatile uint32_t *hostile_begin(slot_t *control, slot_t *first, slot_t *second) {
  message_cap(0, main_thread, THREAD_SEND);
  must(ipc_call(starter_thread, HOSTILE_READY, 0, 1, 0), "ipc_call");
  *control = received_cap(0);
  *first = received_cap(1);
  *second = received_cap(2);
  slot_t count = received_cap(3);
  uint32_t offset = message_words()[0];
  uint32_t window = vaddr_reserve(PAGE_SIZE, PAGE_SIZE);
  must(container_map(count, 0, PAGE_SIZE, window, ACCESS_READ | ACCESS_WRITE, 0, 0, 0, 0), "container_map");
  struct region region = {window, PAGE_SIZE, count, 0, ACCESS_READ | ACCESS_WRITE, 0, 0};
  must(region_add(&region), "region_add");
  volatile uint32_t *words = (uint32_t *)window;
  while (!words[COUNT_GO])
    sys_sleep(1000);
  return words + offset;
}

#endif
