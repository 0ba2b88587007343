/* Threads that use the own task's memory while it may be moved. */
#ifndef WRITERS_H
#define WRITERS_H

#include <stdint.h>

/* Threads of one task, beside its main thread and its pager. */
#define WRITERS_MAX 5u

/* Starts `count` threads, each on a core of its own after the present one. Each adds 1, again and again, to a word of its
 * own in a page at random out of those at `memory` that are in `kept`, one bit each. */
void writers_start(uint32_t count, char *memory, const uint32_t *kept, uint32_t pages);
/* Stops them. Returns how many of their writes are missing in the pages. */
uint32_t writers_stop(void);
/* Writes that they have made. */
uint32_t writers_total(void);

#endif
