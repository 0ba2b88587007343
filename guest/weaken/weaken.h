/* Between the owner (root.c) and the two holders (holder.c). */
#ifndef WEAKEN_H
#define WEAKEN_H

#include <physmem.h>

enum {
  /* Holder to owner: item 0 is the thread that takes calls. */
  WEAKEN_READY = 1,
  /* Item 0: a control. The holder keeps it and tries everything. Reply: struct control_report. */
  WEAKEN_CONTROL,
  /* Word 0: rights; item 0: the other holder. Pass the control on with these rights. Reply: what the other reports. */
  WEAKEN_PASS,
  /* Word 0: a right; item 0: a container that lacks it; item 1: one that lacks nothing. Try what needs the right.
   * Reply: errno, then a sentence. */
  WEAKEN_CONTAINER,
  /* Does the memory that was made with the control still exist? Reply: errno of a map, errno of a query. */
  WEAKEN_GONE,
};

enum { HOLDER_FRAMES = 24, SHARED_FRAMES = 16, HOLDER_PAGES = 2, SENTENCE_BYTES = 160 };

struct control_report {
  uint32_t rights; /* as sys_cap_info tells them */
  uint32_t regained; /* and of a copy of the slot for which all rights were asked */
  uint32_t split, create, query, sponsor, destroy; /* errnos */
};
#define REPORT_WORDS (sizeof(struct control_report) / 4)

#endif
