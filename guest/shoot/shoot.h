/* What the programs of `shoot` share: a message, and a page in which rounds are told. */
#ifndef SHOOT_H
#define SHOOT_H

#include <physmem.h>

/* A reader calls the root; the reply brings its number (word 0), the page of rounds (item 0) and the target (item 1). */
enum { SHOOT_READY = 1 };

enum { SHOOT_CORES_MAX = 16, SHOOT_POLL_CYCLES = 20000, SHOOT_TARGET_PAGES = 256 };

struct rounds {
  /* The round in which the readers shall use the target, and the byte of its page. */
  volatile uint32_t wanted, page;
  uint32_t padding[14];
  /* By reader, a cache line each: the round in which it has. */
  struct {
    volatile uint32_t round;
    uint32_t padding[15];
  } seen[SHOOT_CORES_MAX];
};

#endif
