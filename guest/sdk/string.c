/* <string.h>. Blocks move by string instructions, a word at a time. */
#include <stdint.h>
#include <string.h>

void *memcpy(void *restrict to, const void *restrict from, size_t count) {
#ifdef __i386__
  void *at = to;
  size_t words = count / 4;
  __asm__ volatile("rep movsl" : "+D"(at), "+S"(from), "+c"(words) : : "memory");
  words = count % 4;
  __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(words) : : "memory");
#else
  for (size_t i = 0; i < count; i++)
    ((char *)to)[i] = ((const char *)from)[i];
#endif
  return to;
}

void *memmove(void *to, const void *from, size_t count) {
  char *a = to;
  const char *b = from;
  if ((uintptr_t)a - (uintptr_t)b >= count) {
    for (size_t i = 0; i < count; i++)
      a[i] = b[i];
  } else {
    while (count-- > 0)
      a[count] = b[count];
  }
  return to;
}

void *memset(void *at, int value, size_t count) {
#ifdef __i386__
  void *to = at;
  size_t words = count / 4;
  uint32_t pattern = (unsigned char)value * 0x01010101u;
  __asm__ volatile("rep stosl" : "+D"(to), "+c"(words) : "a"(pattern) : "memory");
  words = count % 4;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(words) : "a"(pattern) : "memory");
#else
  for (size_t i = 0; i < count; i++)
    ((char *)at)[i] = (char)value;
#endif
  return at;
}

int memcmp(const void *a, const void *b, size_t count) {
  const unsigned char *x = a, *y = b;
  for (size_t i = 0; i < count; i++)
    if (x[i] != y[i])
      return x[i] - y[i];
  return 0;
}

void *memchr(const void *at, int value, size_t count) {
  const unsigned char *x = at;
  for (size_t i = 0; i < count; i++)
    if (x[i] == (unsigned char)value)
      return (void *)(x + i);
  return 0;
}

size_t strlen(const char *text) {
  size_t length = 0;
  while (text[length])
    length++;
  return length;
}

size_t strnlen(const char *text, size_t max) {
  size_t length = 0;
  while (length < max && text[length])
    length++;
  return length;
}

int strcmp(const char *a, const char *b) {
  while (*a && *a == *b)
    a++, b++;
  return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t max) {
  for (; max > 0; a++, b++, max--)
    if (*a != *b || !*a)
      return (unsigned char)*a - (unsigned char)*b;
  return 0;
}

char *strcpy(char *restrict to, const char *restrict from) {
  memcpy(to, from, strlen(from) + 1);
  return to;
}

char *strncpy(char *restrict to, const char *restrict from, size_t max) {
  size_t length = strnlen(from, max);
  memcpy(to, from, length);
  memset(to + length, 0, max - length);
  return to;
}

char *strcat(char *restrict to, const char *restrict from) {
  strcpy(to + strlen(to), from);
  return to;
}

char *strchr(const char *text, int c) {
  for (;; text++) {
    if (*text == (char)c)
      return (char *)text;
    if (!*text)
      return 0;
  }
}

char *strrchr(const char *text, int c) {
  const char *found = 0;
  for (;; text++) {
    if (*text == (char)c)
      found = text;
    if (!*text)
      return (char *)found;
  }
}

char *strstr(const char *text, const char *part) {
  size_t length = strlen(part);
  for (;; text++) {
    if (strncmp(text, part, length) == 0)
      return (char *)text;
    if (!*text)
      return 0;
  }
}
