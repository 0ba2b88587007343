/* Loops for measuring engines: each kind of work that compiled code does, alone. The command line names one loop
 * (`loops crc32`, with an own repeat count `loops crc32=10`) or none, for all in turn. Each prints its name and a
 * checksum on the serial port, so that a wrong engine is seen, and a mark on the debug console when it is done.
 * The repeat counts give about 20 million instructions each. */
#include "bare.h"
#include "paging.h"

#define BUFFER_WORDS 16384u      /* 64 KiB */
#define CHASE_PAGES 512u         /* 2 MiB: more pages than a TLB holds */
#define SIEVE_SIZE 0x40000u      /* 256 KiB */

static uint32_t buffer[2][BUFFER_WORDS];
static uint32_t crc_table[256];
static uint32_t chase[CHASE_PAGES][1024];
static uint8_t composite[SIEVE_SIZE];

/* Integer arithmetic in registers. */
static uint32_t loop_xorshift(uint32_t repeat) {
  uint32_t x = 2463534242u;
  for (uint32_t i = 0; i < repeat * 1000; i++) {
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
  }
  return x;
}

static void make_crc_table(void) {
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; bit++)
      crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
    crc_table[i] = crc;
  }
}

/* Byte loads and a table look-up per byte. */
static uint32_t loop_crc32(uint32_t repeat) {
  const uint8_t *bytes = (const uint8_t *)buffer[0];
  uint32_t crc = 0xffffffffu;
  make_crc_table();
  for (uint32_t i = 0; i < BUFFER_WORDS; i++)
    buffer[0][i] = i * 2654435761u;
  for (uint32_t round = 0; round < repeat; round++)
    for (uint32_t i = 0; i < BUFFER_WORDS * 4; i++)
      crc = crc >> 8 ^ crc_table[(crc ^ bytes[i]) & 255];
  return ~crc;
}

static uint32_t __attribute__((noinline)) fib(uint32_t n) {
  uint32_t result;
  if (n < 2)
    return n;
  result = fib(n - 1);
  __asm__ volatile("" : "+r"(result)); /* keeps the second call a call */
  return result + fib(n - 2);
}

/* Calls, returns and the stack. */
static uint32_t loop_fib(uint32_t repeat) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < repeat; i++)
    sum += fib(18);
  return sum;
}

/* Word loads and stores in a loop. */
static uint32_t loop_copy(uint32_t repeat) {
  for (uint32_t i = 0; i < BUFFER_WORDS; i++)
    buffer[1][i] = i * 2246822519u;
  for (uint32_t round = 0; round < repeat; round++) {
    volatile uint32_t *to = buffer[round & 1];
    const volatile uint32_t *from = buffer[~round & 1];
    for (uint32_t i = 0; i < BUFFER_WORDS; i++)
      to[i] = from[i];
    buffer[round & 1][round % BUFFER_WORDS] += round * 3266489917u;
  }
  return buffer[0][repeat / 2] + buffer[1][BUFFER_WORDS - 1];
}

/* String instructions: one REP STOSD fills 64 KiB, counted as the processor counts it (one instruction). */
static uint32_t loop_fill(uint32_t repeat) {
  for (uint32_t round = 0; round < repeat; round++) {
    void *to = buffer[round & 1];
    uint32_t count = BUFFER_WORDS;
    __asm__ volatile("rep stosl" : "+D"(to), "+c"(count) : "a"(round) : "memory");
  }
  return buffer[0][1] + buffer[1][BUFFER_WORDS - 2];
}

/* Byte stores with a stride, data-dependent branches. */
static uint32_t loop_sieve(uint32_t repeat) {
  uint32_t primes = 0;
  for (uint32_t round = 0; round < repeat; round++) {
    primes = 0;
    for (uint32_t i = 0; i < SIEVE_SIZE; i++)
      ((volatile uint8_t *)composite)[i] = 0;
    for (uint32_t i = 2; i < SIEVE_SIZE; i++) {
      if (composite[i])
        continue;
      primes++;
      for (uint32_t multiple = 2 * i; multiple < SIEVE_SIZE; multiple += i)
        composite[multiple] = 1;
    }
  }
  return primes;
}

/* Dependent loads, each from another page: TLB misses and page walks. */
static uint32_t loop_chase(uint32_t repeat) {
  uint32_t page = 0, sum = 0;
  for (uint32_t i = 0; i < CHASE_PAGES; i++)
    chase[i][i % 1024] = (i * 197 + 101) % CHASE_PAGES;
  for (uint32_t i = 0; i < repeat * 1000; i++) {
    page = chase[page][page % 1024];
    sum += page ^ i;
  }
  return sum;
}

static const struct loop {
  const char *name;
  uint32_t (*run)(uint32_t repeat);
  uint32_t repeat;
} loops[] = {
    {"xorshift", loop_xorshift, 2000}, {"crc32", loop_crc32, 50},  {"fib", loop_fib, 200},
    {"copy", loop_copy, 200},          {"fill", loop_fill, 1000}, {"sieve", loop_sieve, 4},
    {"chase", loop_chase, 2000},
};

/* Whether `word` begins with the loop's name; the rest of the word is left in *rest. */
static int names(const char *word, const char *name, const char **rest) {
  while (*name && *word == *name)
    word++, name++;
  *rest = word;
  return !*name && (*word == 0 || *word == ' ' || *word == '=');
}

static uint32_t number_after(const char *text, uint32_t otherwise) {
  uint32_t value = 0;
  if (*text++ != '=')
    return otherwise;
  for (; *text >= '0' && *text <= '9'; text++)
    value = value * 10 + (uint32_t)(*text - '0');
  return value;
}

/* The repeat count that the command line asks of a loop: 0 = another loop is named; `named` tells whether any is. */
static uint32_t wanted(const char *line, const struct loop *loop) {
  for (const char *word = line; *word; word++) {
    const char *rest;
    if ((word == line || word[-1] == ' ') && names(word, loop->name, &rest))
      return number_after(rest, loop->repeat);
  }
  return 0;
}

static void run_loop(const struct loop *loop, uint32_t repeat) {
  uint32_t sum = loop->run(repeat);
  serial_write(loop->name);
  serial_write(" 0x");
  serial_write_hex(sum);
  serial_write("\n");
  debug_write(loop->name);
  debug_write("\n");
}

uint32_t kernel_main(const struct multiboot_info *info) {
  const char *line = info->flags & 4 ? info->command_line : "";
  const uint32_t count = sizeof loops / sizeof loops[0];
  uint32_t named = 0;
  serial_start();
  paging_start();
  for (uint32_t i = 0; i < count; i++) {
    uint32_t repeat = wanted(line, &loops[i]);
    if (repeat) {
      run_loop(&loops[i], repeat);
      named++;
    }
  }
  for (uint32_t i = 0; i < count && !named; i++)
    run_loop(&loops[i], loops[i].repeat);
  return 0;
}
