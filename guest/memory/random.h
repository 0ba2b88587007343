/* Random numbers that are the same in every run: xorshift32, seeded from the program's arguments. */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdint.h>

struct random {
  uint32_t state;
};

/* Seeds that differ in one bit give sequences that have nothing in common: the seed is mixed first. */
static inline struct random random_seeded(uint32_t seed) {
  uint32_t mixed = (seed + 1) * 2654435761u;
  mixed ^= mixed >> 15;
  struct random random = {mixed ? mixed : 1};
  return random;
}

static inline uint32_t random_next(struct random *random) {
  uint32_t x = random->state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return random->state = x;
}

/* A number from 0 to limit - 1; limit is below 65536. */
static inline uint32_t random_below(struct random *random, uint32_t limit) {
  return (random_next(random) >> 16) * limit >> 16;
}

#endif
