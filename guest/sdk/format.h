/* Formatting into a sink of characters. */
#ifndef FORMAT_H
#define FORMAT_H

#include <stdarg.h>

struct sink {
  void (*put)(struct sink *sink, char c);
};

void format_to(struct sink *sink, const char *format, va_list args);

#endif
