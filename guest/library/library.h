/* What the programs of `library` share. */
#ifndef LIBRARY_H
#define LIBRARY_H

#include <physmem.h>

/* A user calls the root; the reply brings its number (word 0), the library to copy (item 0) and the board (item 1). */
enum { LIBRARY_READY = 1 };

enum { USERS = 32, FUNCTIONS = 16, USER_FRAMES = 28 };
#define LIBRARY_BYTES (FUNCTIONS * PAGE_SIZE)
#define WAIT_CYCLES 20000

/* One function for each page of the library. Function n of x is n + x * x. */
typedef uint32_t (*library_function)(uint32_t);

/* Where users and root tell each other how far they are. */
struct board {
  /* Whose turn it is, from 1. */
  volatile uint32_t turn;
  struct {
    volatile uint32_t wrong, calls, cycles, done;
  } users[USERS];
};

#endif
