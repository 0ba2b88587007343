/* Atomic words and a lock between threads of one address space (LOCK CMPXCHG, LOCK XADD, XCHG). */
#ifndef LOCK_H
#define LOCK_H

#include "stubs.h"

static inline uint32_t atomic_add(volatile uint32_t *word, uint32_t value) {
  __asm__ volatile("lock xaddl %0, %1" : "+r"(value), "+m"(*word) : : "memory", "cc");
  return value;
}

static inline uint32_t atomic_exchange(volatile uint32_t *word, uint32_t value) {
  __asm__ volatile("xchgl %0, %1" : "+r"(value), "+m"(*word) : : "memory");
  return value;
}

/* Stores `desired` if the word is `expected`; returns what the word was. */
static inline uint32_t atomic_compare_exchange(volatile uint32_t *word, uint32_t expected, uint32_t desired) {
  __asm__ volatile("lock cmpxchgl %2, %1" : "+a"(expected), "+m"(*word) : "r"(desired) : "memory", "cc");
  return expected;
}

static inline void cpu_pause(void) {
  __asm__ volatile("pause" : : : "memory");
}

typedef struct {
  volatile uint32_t held;
} lock_t;

/* Spins a little, then sleeps: a holder of lower priority on this core must get to run. */
static inline void lock(lock_t *lock) {
  for (uint32_t tries = 0; atomic_exchange(&lock->held, 1) != 0; tries++) {
    if (tries < 100)
      cpu_pause();
    else
      sys_sleep(1000);
  }
}

static inline void unlock(lock_t *lock) {
  __asm__ volatile("" : : : "memory");
  lock->held = 0;
}

#endif
