/* vsnprintf, and the engine below it that printf shares: each character goes to a sink. */
#include "format.h"
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct spec {
  int left, zero, sign, space, alternate;
  int width, precision; /* precision -1: none given */
  int size;             /* -2 hh, -1 h, 0, 1 l, 2 ll */
};

static void repeat(struct sink *sink, char c, int count) {
  while (count-- > 0)
    sink->put(sink, c);
}

static void put_padded(struct sink *sink, const struct spec *spec, const char *text, int length) {
  if (!spec->left)
    repeat(sink, ' ', spec->width - length);
  for (int i = 0; i < length; i++)
    sink->put(sink, text[i]);
  if (spec->left)
    repeat(sink, ' ', spec->width - length);
}

/* Writes digits backwards from `end`; returns the first one. */
static char *digits_before(char *end, uint64_t value, unsigned base, int upper) {
  const char *alphabet = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  while (value >> 32) {
    *--end = alphabet[value % base];
    value /= base;
  }
  for (uint32_t low = (uint32_t)value; low; low /= base)
    *--end = alphabet[low % base];
  return end;
}

static void put_number(struct sink *sink, const struct spec *spec, uint64_t value, const char *prefix,
                       unsigned base, int upper) {
  char buffer[24];
  char *end = buffer + sizeof buffer;
  char *first = digits_before(end, value, base, upper);
  int prefix_length = (int)strlen(prefix);
  int digit_count = (int)(end - first);
  int wanted = spec->precision < 0 ? 1 : spec->precision;
  if (spec->zero && !spec->left && spec->precision < 0 && wanted < spec->width - prefix_length)
    wanted = spec->width - prefix_length;
  int zeros = digit_count < wanted ? wanted - digit_count : 0;
  int padding = spec->width - prefix_length - zeros - digit_count;
  if (!spec->left)
    repeat(sink, ' ', padding);
  while (*prefix)
    sink->put(sink, *prefix++);
  repeat(sink, '0', zeros);
  while (first < end)
    sink->put(sink, *first++);
  if (spec->left)
    repeat(sink, ' ', padding);
}

static int read_number(const char **format) {
  int value = 0;
  while (**format >= '0' && **format <= '9')
    value = value * 10 + *(*format)++ - '0';
  return value;
}

static void read_flags(const char **format, struct spec *spec) {
  for (;; (*format)++) {
    switch (**format) {
    case '-': spec->left = 1; break;
    case '0': spec->zero = 1; break;
    case '+': spec->sign = 1; break;
    case ' ': spec->space = 1; break;
    case '#': spec->alternate = 1; break;
    default: return;
    }
  }
}

static void read_size(const char **format, struct spec *spec) {
  for (;; (*format)++) {
    switch (**format) {
    case 'h': spec->size--; break;
    case 'l': spec->size++; break;
    case 'z': case 't': break;
    default: return;
    }
  }
}

/* va_list is passed by address, so that the caller's place moves on (portable to 64-bit hosts, where tests run). */
struct arguments {
  va_list list;
};

static uint64_t unsigned_argument(struct arguments *args, const struct spec *spec) {
  if (spec->size >= 2)
    return va_arg(args->list, unsigned long long);
  if (spec->size == 1)
    return va_arg(args->list, unsigned long);
  unsigned value = va_arg(args->list, unsigned);
  return spec->size == 0 ? value : spec->size == -1 ? (unsigned short)value : (unsigned char)value;
}

static int64_t signed_argument(struct arguments *args, const struct spec *spec) {
  if (spec->size >= 2)
    return va_arg(args->list, long long);
  if (spec->size == 1)
    return va_arg(args->list, long);
  int value = va_arg(args->list, int);
  return spec->size == 0 ? value : spec->size == -1 ? (short)value : (signed char)value;
}

static void convert_signed(struct sink *sink, const struct spec *spec, int64_t value) {
  const char *prefix = value < 0 ? "-" : spec->sign ? "+" : spec->space ? " " : "";
  put_number(sink, spec, value < 0 ? -(uint64_t)value : (uint64_t)value, prefix, 10, 0);
}

static void convert_string(struct sink *sink, const struct spec *spec, const char *text) {
  if (!text)
    text = "(null)";
  size_t length = spec->precision < 0 ? strlen(text) : strnlen(text, (size_t)spec->precision);
  put_padded(sink, spec, text, (int)length);
}

static void convert(struct sink *sink, struct spec *spec, char conversion, struct arguments *args) {
  char c;
  switch (conversion) {
  case 'd': case 'i': convert_signed(sink, spec, signed_argument(args, spec)); break;
  case 'u': put_number(sink, spec, unsigned_argument(args, spec), "", 10, 0); break;
  case 'o': put_number(sink, spec, unsigned_argument(args, spec), "", 8, 0); break;
  case 'x': put_number(sink, spec, unsigned_argument(args, spec), spec->alternate ? "0x" : "", 16, 0); break;
  case 'X': put_number(sink, spec, unsigned_argument(args, spec), spec->alternate ? "0X" : "", 16, 1); break;
  case 'p': put_number(sink, spec, (uintptr_t)va_arg(args->list, void *), "0x", 16, 0); break;
  case 's': convert_string(sink, spec, va_arg(args->list, const char *)); break;
  case 'c':
    c = (char)va_arg(args->list, int);
    put_padded(sink, spec, &c, 1);
    break;
  case '%': sink->put(sink, '%'); break;
  default:
    sink->put(sink, '%');
    sink->put(sink, conversion);
  }
}

void format_to(struct sink *sink, const char *format, va_list list) {
  struct arguments args;
  va_copy(args.list, list);
  while (*format) {
    if (*format != '%') {
      sink->put(sink, *format++);
      continue;
    }
    format++;
    struct spec spec = {0, 0, 0, 0, 0, 0, -1, 0};
    read_flags(&format, &spec);
    spec.width = *format == '*' ? (format++, va_arg(args.list, int)) : read_number(&format);
    if (spec.width < 0) {
      spec.left = 1;
      spec.width = -spec.width;
    }
    if (*format == '.') {
      format++;
      spec.precision = *format == '*' ? (format++, va_arg(args.list, int)) : read_number(&format);
    }
    read_size(&format, &spec);
    if (!*format)
      break;
    convert(sink, &spec, *format++, &args);
  }
  va_end(args.list);
}

struct buffer_sink {
  struct sink sink;
  char *buffer;
  size_t size, length;
};

static void put_in_buffer(struct sink *sink, char c) {
  struct buffer_sink *to = (struct buffer_sink *)sink;
  if (to->length + 1 < to->size)
    to->buffer[to->length] = c;
  to->length++;
}

int vsnprintf(char *restrict buffer, size_t size, const char *restrict format, va_list args) {
  struct buffer_sink to = {{put_in_buffer}, buffer, size, 0};
  format_to(&to.sink, format, args);
  if (size)
    buffer[to.length < size ? to.length : size - 1] = 0;
  return (int)to.length;
}

int snprintf(char *restrict buffer, size_t size, const char *restrict format, ...) {
  va_list args;
  va_start(args, format);
  int length = vsnprintf(buffer, size, format, args);
  va_end(args);
  return length;
}
