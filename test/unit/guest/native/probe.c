/* The SDK's C library run on the host (32-bit Linux, system calls by int 0x80, no libc): prints one line per failed
 * check and "ok <number of checks>" at the end. div64 results are printed for the test to compare with BigInt. */
#include "free-list.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned checks, failures;

static void write_text(const char *text) {
  int result;
  __asm__ volatile("int $0x80" : "=a"(result) : "0"(4), "b"(1), "c"(text), "d"(strlen(text)) : "memory");
}

static void say(const char *format, ...) {
  char line[300];
  va_list args;
  va_start(args, format);
  vsnprintf(line, sizeof line, format, args);
  va_end(args);
  write_text(line);
}

static void check(int holds, const char *what) {
  checks++;
  if (!holds) {
    failures++;
    say("FAILED %s\n", what);
  }
}

static void expect_text(const char *expected, const char *format, ...) {
  char got[100];
  va_list args;
  va_start(args, format);
  int length = vsnprintf(got, sizeof got, format, args);
  va_end(args);
  checks++;
  if (strcmp(got, expected) != 0 || length != (int)strlen(expected)) {
    failures++;
    say("FAILED %s: got [%s] (%d), wanted [%s]\n", format, got, length, expected);
  }
}

static void check_format(void) {
  expect_text("42 -42 0", "%d %i %d", 42, -42, 0);
  expect_text("-2147483648 4294967295", "%d %u", (int)0x80000000, 0xffffffffu);
  expect_text("deadbeef DEADBEEF 0xff", "%x %X %#x", 0xdeadbeefu, 0xdeadbeefu, 255);
  expect_text("0000002a|    2a|2a    |", "%08x|%6x|%-6x|", 42, 42, 42);
  expect_text("-0042|  -42|+42| 42", "%05d|%5d|%+d|% d", -42, -42, 42, 42);
  expect_text("00042|   00042|", "%.5d|%8.5d|", 42, 42);
  expect_text("abc|  abc|abc  |ab|(null)", "%s|%5s|%-5s|%.2s|%s", "abc", "abc", "abc", "abc", (char *)0);
  expect_text("x|  x|100%", "%c|%3c|100%%", 'x', 'x');
  expect_text("   7|7   |ab", "%*d|%-*d|%.*s", 4, 7, 4, 7, 2, "abc");
  expect_text("18446744073709551615 -9223372036854775808", "%llu %lld", ~0ull, (long long)(1ull << 63));
  expect_text("123456789abcdef0 777", "%llx %o", 0x123456789abcdef0ull, 0777);
  expect_text("4294967295 44 -3", "%lu %hhd %hd", 0xfffffffful, 300, 65533);
  expect_text("0x1000 0x00001000", "%p %#010x", (void *)0x1000, 0x1000);
  expect_text("%q end", "%q end");
  char small[4];
  check(snprintf(small, sizeof small, "%s", "abcdef") == 6 && strcmp(small, "abc") == 0, "snprintf cuts");
  check(snprintf(0, 0, "%d", 12345) == 5, "snprintf measures");
}

static void check_strings(void) {
  char a[16], b[16];
  memset(a, 'x', sizeof a);
  strcpy(a, "hello");
  check(strlen(a) == 5 && a[6] == 'x', "strcpy ends where it should");
  strncpy(b, "hi", 5);
  check(memcmp(b, "hi\0\0\0", 5) == 0, "strncpy pads");
  check(strcmp("abc", "abd") < 0 && strcmp("b", "abc") > 0 && strcmp("", "") == 0, "strcmp orders");
  check(strcmp("\xff", "a") > 0, "strcmp compares unsigned");
  check(strncmp("abcd", "abxx", 2) == 0 && strncmp("abc", "abd", 3) < 0, "strncmp stops");
  check(strchr(a, 'l') == a + 2 && strrchr(a, 'l') == a + 3 && strchr(a, 0) == a + 5 && !strchr(a, 'q'), "strchr");
  check(strstr("one two", "two") && !strstr("one", "two") && strstr("x", ""), "strstr");
  memcpy(a, "0123456789", 11);
  memmove(a + 2, a, 8);
  check(memcmp(a, "0101234567", 10) == 0, "memmove upwards");
  memcpy(a, "0123456789", 11);
  memmove(a, a + 2, 8);
  check(memcmp(a, "2345678989", 10) == 0, "memmove downwards");
  check(memchr("abc", 'c', 3) && !memchr("abc", 'c', 2), "memchr");
  for (size_t n = 0; n < 12; n++) {
    memset(b, 1, sizeof b);
    memset(b, 0, n);
    memcpy(b, "aaaaaaaaaaaa", n);
    check((n == 0 || b[n - 1] == 'a') && b[n] == 1, "memset and memcpy of every small length");
  }
}

static int compare_words(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return x < y ? -1 : x > y;
}

static uint32_t random_state = 12345;
static uint32_t random_word(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  random_state ^= random_state << 5;
  return random_state;
}

static void check_stdlib(void) {
  char *end;
  check(atoi(" -17x") == -17 && atoi("+5") == 5 && atoi("x") == 0, "atoi");
  check(strtoul("0x1f!", &end, 0) == 31 && *end == '!', "strtoul hexadecimal");
  check(strtoul("017", 0, 0) == 15 && strtoul("ff", 0, 16) == 255 && strtoul("19", &end, 8) == 1, "strtoul bases");
  uint32_t words[100];
  for (uint32_t count = 0; count <= 100; count++) {
    for (uint32_t i = 0; i < count; i++)
      words[i] = random_word() % 50;
    qsort(words, count, sizeof *words, compare_words);
    int sorted = 1;
    for (uint32_t i = 1; i < count; i++)
      sorted &= words[i - 1] <= words[i];
    check(sorted, "qsort sorts");
  }
}

/* Random takes and returns; every block keeps a pattern that no other block may touch; at the end all is one again. */
static void check_free_list(void) {
  static char arena[1 << 16] __attribute__((aligned(16)));
  static char *blocks[64];
  static size_t sizes[64];
  free_list_add(arena + 0x8000, 0x8000);
  free_list_add(arena, 0x8000);
  for (int step = 0; step < 20000; step++) {
    uint32_t i = random_word() % 64;
    if (blocks[i]) {
      for (size_t at = 0; at < sizes[i]; at++)
        if (blocks[i][at] != (char)i) {
          check(0, "a block keeps its bytes");
          return;
        }
      free_list_return(blocks[i]);
      blocks[i] = 0;
    } else {
      sizes[i] = random_word() % 2000;
      blocks[i] = free_list_take(sizes[i]);
      if (!blocks[i])
        continue;
      check(((uintptr_t)blocks[i] & 7) == 0 && free_list_block_size(blocks[i]) >= sizes[i], "block is aligned");
      memset(blocks[i], (int)i, sizes[i]);
    }
  }
  for (uint32_t i = 0; i < 64; i++)
    if (blocks[i])
      free_list_return(blocks[i]);
  check(free_list_take(0xfff0) != 0, "returned blocks join to the whole arena");
  check(free_list_take(100) == 0, "an empty list gives nothing");
  check(free_list_take(0xffffffff) == 0, "a size that wraps gives nothing");
}

static void print_divisions(void) {
  for (int i = 0; i < 200; i++) {
    uint64_t a = (uint64_t)random_word() << 32 | random_word();
    uint64_t b = (uint64_t)random_word() << 32 | random_word();
    a >>= random_word() % 64;
    b >>= random_word() % 64;
    if (b == 0)
      b = 1;
    say("div %llu %llu %llu %llu %lld %lld\n", a, b, a / b, a % b, (int64_t)a / (int64_t)b, (int64_t)a % (int64_t)b);
  }
}

void _start(void) {
  check_format();
  check_strings();
  check_stdlib();
  check_free_list();
  print_divisions();
  say("%s %u\n", failures ? "failed" : "ok", checks);
  __asm__ volatile("int $0x80" : : "a"(1), "b"(failures != 0));
}
