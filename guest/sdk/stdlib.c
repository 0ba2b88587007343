/* Numbers and sorting of <stdlib.h>. */
#include <stdint.h>
#include <stdlib.h>

int abs(int value) {
  return value < 0 ? -value : value;
}

static unsigned digit_value(char c) {
  if (c >= '0' && c <= '9')
    return (unsigned)(c - '0');
  if (c >= 'a' && c <= 'z')
    return (unsigned)(c - 'a') + 10;
  return c >= 'A' && c <= 'Z' ? (unsigned)(c - 'A') + 10 : 99;
}

unsigned long strtoul(const char *text, char **end, int base) {
  unsigned long value = 0;
  while (*text == ' ' || *text == '\t')
    text++;
  int hexadecimal = text[0] == '0' && (text[1] | 32) == 'x' && digit_value(text[2]) < 16;
  if ((base == 0 || base == 16) && hexadecimal) {
    base = 16;
    text += 2;
  } else if (base == 0) {
    base = *text == '0' ? 8 : 10;
  }
  for (; digit_value(*text) < (unsigned)base; text++)
    value = value * (unsigned)base + digit_value(*text);
  if (end)
    *end = (char *)text;
  return value;
}

int atoi(const char *text) {
  while (*text == ' ' || *text == '\t')
    text++;
  int negative = *text == '-';
  if (*text == '-' || *text == '+')
    text++;
  unsigned long value = strtoul(text, 0, 10);
  return negative ? -(int)value : (int)value;
}

static void swap(char *a, char *b, size_t size) {
  while (size-- > 0) {
    char c = *a;
    *a++ = *b;
    *b++ = c;
  }
}

static void sift_down(char *base, size_t root, size_t count, size_t size,
                      int (*compare)(const void *, const void *)) {
  for (;;) {
    size_t child = 2 * root + 1;
    if (child >= count)
      return;
    if (child + 1 < count && compare(base + child * size, base + (child + 1) * size) < 0)
      child++;
    if (compare(base + root * size, base + child * size) >= 0)
      return;
    swap(base + root * size, base + child * size, size);
    root = child;
  }
}

/* Heap sort: no recursion, no memory, n log n for every input. */
void qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *)) {
  for (size_t root = count / 2; root-- > 0;)
    sift_down(base, root, count, size, compare);
  for (size_t end = count; end-- > 1;) {
    swap(base, (char *)base + end * size, size);
    sift_down(base, 0, end, size, compare);
  }
}
