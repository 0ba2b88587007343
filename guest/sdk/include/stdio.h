/* The part of the C library's <stdio.h> that guests have: formatted output to the console. */
#ifndef STDIO_H
#define STDIO_H

#include <stdarg.h>
#include <stddef.h>

/* Conversions: d i u x X o c s p %, with flags - 0 + space #, width, precision, *, and the sizes hh h l ll z.
 * Output is kept per thread and written at the end of a line, so that lines of two cores do not mix. Uses the
 * thread's message words. */
int printf(const char *restrict format, ...) __attribute__((format(printf, 1, 2)));
int vprintf(const char *restrict format, va_list args);
int snprintf(char *restrict buffer, size_t size, const char *restrict format, ...)
    __attribute__((format(printf, 3, 4)));
int vsnprintf(char *restrict buffer, size_t size, const char *restrict format, va_list args);
int puts(const char *text);
int putchar(int c);
/* Writes out the calling thread's unfinished line. */
void flush_line(void);

#endif
