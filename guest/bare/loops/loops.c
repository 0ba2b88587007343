/* Integer loops of the kinds that the literature on engines measures: registers, table look-up, calls, block copy and
 * fill (as loops and as string instructions), sieves, and dependent loads over 4096 pages. */
#include "loops.h"

#define WORDS(bytes) ((bytes) / 4u)
#define CHASE_PAGES 4096u

uint8_t *memory;

static uint32_t xorshift(uint32_t repeat) {
  uint32_t x = 2463534242u;
  for (uint32_t i = 0; i < repeat * 100000u; i++) {
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
  }
  return x;
}

static uint32_t crc_table[256];

static uint32_t crc32(uint32_t repeat) {
  const uint8_t *bytes = memory;
  uint32_t crc = 0xffffffffu;
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t entry = i;
    for (int bit = 0; bit < 8; bit++)
      entry = entry & 1 ? entry >> 1 ^ 0xedb88320u : entry >> 1;
    crc_table[i] = entry;
  }
  for (uint32_t i = 0; i < 0x10000u; i++)
    memory[i] = (uint8_t)(i * 167u >> 3);
  for (uint32_t round = 0; round < repeat * 2; round++)
    for (uint32_t i = 0; i < 0x10000u; i++)
      crc = crc >> 8 ^ crc_table[(crc ^ bytes[i]) & 255];
  return ~crc;
}

static uint32_t __attribute__((noinline)) fibonacci(uint32_t n) {
  uint32_t result;
  if (n < 2)
    return n;
  result = fibonacci(n - 1);
  __asm__ volatile("" : "+r"(result)); /* keeps the second call a call */
  return result + fibonacci(n - 2);
}

static uint32_t fib(uint32_t repeat) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < repeat; i++)
    sum += fibonacci(22);
  return sum;
}

/* A megabyte at a time, through 16 MiB and again. Volatile, so that it stays a loop of loads and stores. */
static uint32_t copy(uint32_t repeat, uint32_t distance) {
  for (uint32_t i = 0; i < WORDS(AREA); i += 1024)
    ((uint32_t *)memory)[i] = i * 2246822519u;
  for (uint32_t round = 0; round < repeat; round++) {
    const volatile uint32_t *from = (uint32_t *)(memory + round % 16 * MIB);
    volatile uint32_t *to = (uint32_t *)(memory + distance + round % 16 * MIB);
    for (uint32_t i = 0; i < WORDS(MIB); i++)
      to[i] = from[i];
  }
  return *(uint32_t *)(memory + distance) + *(uint32_t *)(memory + distance + 4096);
}

static uint32_t memcpy_near(uint32_t repeat) { return copy(repeat, AREA + 0x40000u); }
/* Source and destination fall on the same entries of an engine's own direct-mapped tables. */
static uint32_t memcpy_far(uint32_t repeat) { return copy(repeat, AREA); }

static uint32_t memset_loop(uint32_t repeat) {
  for (uint32_t round = 0; round < repeat; round++) {
    volatile uint32_t *to = (uint32_t *)(memory + round % 16 * MIB);
    for (uint32_t i = 0; i < WORDS(MIB); i++)
      to[i] = round + 1;
  }
  return *(uint32_t *)(memory + 4096);
}

/* Copies by REP MOVSD; a unit is a mebibyte. */
static uint32_t rep_movs(uint32_t repeat) {
  *(uint32_t *)(memory + 4096) = 12345;
  for (uint32_t round = 0; round < repeat; round++) {
    const void *from = memory + round % 16 * MIB;
    void *to = memory + AREA + round % 16 * MIB;
    uint32_t count = WORDS(MIB);
    __asm__ volatile("rep movsl" : "+S"(from), "+D"(to), "+c"(count) : : "memory");
  }
  return *(uint32_t *)(memory + AREA + 4096);
}

/* Fills by REP STOSD; a unit is a mebibyte. */
static uint32_t rep_stos(uint32_t repeat) {
  for (uint32_t round = 0; round < repeat; round++) {
    void *to = memory + round % 16 * MIB;
    uint32_t count = WORDS(MIB);
    __asm__ volatile("rep stosl" : "+D"(to), "+c"(count) : "a"(round + 1) : "memory");
  }
  return *(uint32_t *)(memory + MIB - 4);
}

static uint32_t primes_below(uint32_t size, uint32_t repeat) {
  uint32_t primes = 0;
  for (uint32_t round = 0; round < repeat; round++) {
    primes = 0;
    for (uint32_t i = 0; i < size; i++)
      ((volatile uint8_t *)memory)[i] = 0;
    for (uint32_t i = 2; i < size; i++) {
      if (memory[i])
        continue;
      primes++;
      for (uint32_t multiple = 2 * i; multiple < size; multiple += i)
        memory[multiple] = 1;
    }
  }
  return primes;
}

static uint32_t sieve(uint32_t repeat) { return primes_below(4u * MIB, repeat); }
/* In 16 pages: a unit is short enough for tests. */
static uint32_t sieve_64k(uint32_t repeat) { return primes_below(0x10000u, repeat); }

/* One word in each of 4096 pages says which page is next: a single cycle through all of them. */
static uint32_t chase(uint32_t repeat) {
  volatile uint32_t *words = (uint32_t *)memory;
  uint32_t page = 0;
  for (uint32_t i = 0; i < CHASE_PAGES; i++)
    words[i * 1024 + i * 16 % 1024] = (i * 1597u + 1021u) % CHASE_PAGES;
  for (uint32_t i = 0; i < repeat * 200000u; i++)
    page = words[page * 1024 + page * 16 % 1024];
  return page;
}

const struct loop loops[] = {
    {"xorshift", xorshift},     {"crc32", crc32},        {"fib", fib},
    {"memcpy", memcpy_near},    {"memcpy-16M", memcpy_far}, {"memset", memset_loop},
    {"rep-movs", rep_movs},     {"rep-stos", rep_stos},  {"sieve", sieve},
    {"sieve-64K", sieve_64k},   {"chase", chase},        {0, 0},
};
