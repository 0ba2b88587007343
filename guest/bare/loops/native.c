/* loops.c as a Linux program without a C library, for the processor itself: `native xorshift=100`. Prints `name ns checksum`
 * for each loop. Not an image of the project: the bench compiles it where `gcc -m32` is found. */
#include "loops.h"

static uint8_t areas[AREAS * AREA] __attribute__((aligned(4096)));

static long system_call(long number, long a, long b, long c) {
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
  return result;
}

#define SYS_EXIT 1
#define SYS_WRITE 4
#define SYS_CLOCK_GETTIME 265
#define CLOCK_MONOTONIC 1

static void write_text(const char *text) {
  long length = 0;
  while (text[length])
    length++;
  system_call(SYS_WRITE, 1, (long)text, length);
}

static void write_hex(uint32_t value) {
  char text[9];
  for (int i = 0; i < 8; i++)
    text[i] = "0123456789abcdef"[value >> (28 - 4 * i) & 15];
  text[8] = 0;
  write_text(text);
}

/* Nanoseconds, modulo 2^32: loops last less than four seconds. */
static uint32_t now(void) {
  uint32_t time[2];
  system_call(SYS_CLOCK_GETTIME, CLOCK_MONOTONIC, (long)time, 0);
  return time[0] * 1000000000u + time[1];
}

static uint32_t count_of(const char *argument, const char *name) {
  while (*name && *argument == *name)
    argument++, name++;
  uint32_t value = 0;
  if (*name || *argument++ != '=')
    return 0;
  for (; *argument; argument++)
    value = value * 10 + (uint32_t)(*argument - '0');
  return value;
}

__attribute__((used)) static void run(int count, const char **arguments) {
  memory = areas;
  for (const struct loop *loop = loops; loop->name; loop++)
    for (int i = 1; i < count; i++) {
      uint32_t repeat = count_of(arguments[i], loop->name);
      if (!repeat)
        continue;
      uint32_t start = now(), sum = loop->run(repeat), end = now();
      write_text(loop->name);
      write_text(" 0x");
      write_hex(end - start);
      write_text(" ");
      write_hex(sum);
      write_text("\n");
    }
  system_call(SYS_EXIT, 0, 0, 0);
}

__asm__(".globl _start\n_start: movl %esp, %eax\n andl $-16, %esp\n leal 4(%eax), %edx\n subl $8, %esp\n"
        " pushl %edx\n pushl (%eax)\n call run");
