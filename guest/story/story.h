/* What root and child of the story say to each other. Every message is a call from the child to the root. */
#ifndef STORY_H
#define STORY_H

#include <physmem.h>

enum {
  STORY_STARTED = 1, /* item 0: the child's main thread */
  STORY_SHARED = 2,  /* item 0: limited capability; word 0: bytes. Reply: word 0 checksum */
  STORY_REVOKED = 3,
  STORY_SPINNING = 4,
};

enum { STORY_BYTES = 3 * PAGE_SIZE, STORY_BADGE = 1 };

/* Prints how the credit of a control stands. */
void show_control(const char *who, const char *name, slot_t control);
/* Prints the frames of a container's first pages, as container_query tells them. */
void show_pages(const char *who, slot_t container, uint32_t bytes);
/* A checksum (Fletcher's) of bytes in memory. */
uint32_t checksum(const void *bytes, uint32_t count);

#endif
