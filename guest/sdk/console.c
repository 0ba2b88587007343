/* printf and its relatives: one unfinished line per thread, written by one system call at its end. */
#include "format.h"
#include "message.h"
#include <stdio.h>
#include <string.h>

#define LINE_MAX (4 * MESSAGE_WORDS_MAX)
#define PAGE_BYTES 4096u

static struct line {
  uint32_t length;
  char text[LINE_MAX];
} lines[THREADS_PER_TASK];

/* The calling thread's line: threads of a task have different message areas. */
static struct line *own_line(void) {
  return &lines[(uint32_t)message_area() % PAGE_BYTES / MESSAGE_AREA_BYTES % THREADS_PER_TASK];
}

static void write_out(struct line *line) {
  if (line->length) {
    memcpy(message_words(), line->text, line->length);
    sys_console_write(line->length);
    line->length = 0;
  }
}

struct console_sink {
  struct sink sink;
  int count;
};

static void put_in_line(struct sink *sink, char c) {
  struct line *line = own_line();
  ((struct console_sink *)sink)->count++;
  line->text[line->length++] = c;
  if (c == '\n' || line->length == LINE_MAX)
    write_out(line);
}

int putchar(int c) {
  struct console_sink console = {{put_in_line}, 0};
  put_in_line(&console.sink, (char)c);
  return (unsigned char)c;
}

int puts(const char *text) {
  struct console_sink console = {{put_in_line}, 0};
  while (*text)
    put_in_line(&console.sink, *text++);
  put_in_line(&console.sink, '\n');
  return console.count;
}

int vprintf(const char *restrict format, va_list args) {
  struct console_sink console = {{put_in_line}, 0};
  format_to(&console.sink, format, args);
  return console.count;
}

int printf(const char *restrict format, ...) {
  va_list args;
  va_start(args, format);
  int count = vprintf(format, args);
  va_end(args);
  return count;
}

void flush_line(void) {
  write_out(own_line());
}
