/* What the programs that load memory say to the one that started them: two calls each, when they begin and when they
 * are done. Each also runs by itself, as root task. */
#ifndef LOAD_H
#define LOAD_H

#include <physmem.h>

enum {
  LOAD_STARTED = 1, /* item 0: the main thread */
  LOAD_DONE = 2,
};

/* A call to the starter; nothing when there is none. */
static inline void load_tell(uint32_t label) {
  if (!starter_thread)
    return;
  if (label == LOAD_STARTED)
    message_cap(0, main_thread, THREAD_SEND);
  must(ipc_call(starter_thread, label, 0, label == LOAD_STARTED, 0), "ipc_call");
}

/* Credit that the own control has left, in base frames. */
static inline uint32_t load_credit(void) {
  uint32_t free;
  must(control_query(own_control, 0, &free, 0, 0, 0, 0), "control_query");
  return free;
}

/* Allocates `pages` single frames, one by one, at the beginning of a container, and maps them at `memory`, so that
 * each gets its memory: in the order of their names, hence side by side in a fresh machine. One page of each page table
 * comes first: tables cannot be moved, and made on the way one of them would lie in each 4 MiB of memory. */
static inline void load_fill(slot_t container, uint32_t pages, char *memory) {
  for (uint32_t page = 0; page < pages; page++)
    must(container_allocate(container, page * PAGE_SIZE, PAGE_SIZE, 0, 0), "container_allocate");
  for (uint32_t page = 0; page < pages; page += 1024)
    must(container_map(container, page * PAGE_SIZE, PAGE_SIZE, (uint32_t)memory + page * PAGE_SIZE,
                       ACCESS_READ | ACCESS_WRITE, 0, 0, 0, 0),
         "container_map");
  must(container_map(container, 0, pages * PAGE_SIZE, (uint32_t)memory, ACCESS_READ | ACCESS_WRITE, 0, 0, 0, 0),
       "container_map");
}

#endif
