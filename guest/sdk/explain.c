/* Errors as sentences: from the errno, and from the detail that the memory server sent with its last refusal. */
#include "error-detail.h"
#include "message.h"
#include "names.h"
#include "physmem.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct errno_name *find_errno(int error) {
  for (unsigned i = 0; i < errno_name_count; i++)
    if (errno_names[i].value == error)
      return &errno_names[i];
  return 0;
}

static const struct operation_name *find_operation(int op) {
  for (unsigned i = 0; i < operation_name_count; i++)
    if (operation_names[i].op == op)
      return &operation_names[i];
  return 0;
}

const char *pm_strerrorname(int error) {
  const struct errno_name *found = find_errno(error);
  return found ? found->name : "E?";
}

const char *pm_strerror(int error) {
  const struct errno_name *found = find_errno(error);
  return found ? found->meaning : "unknown error";
}

const char *pm_operation_name(uint32_t op) {
  const struct operation_name *found = find_operation((int)op);
  return found ? found->name : "unknown operation";
}

/* Text under construction: snprintf's habit, cut at the end of the buffer. */
struct text {
  char *buffer;
  size_t size, length;
};

static void append(struct text *text, const char *format, ...) {
  size_t room = text->length < text->size ? text->size - text->length : 0;
  va_list args;
  va_start(args, format);
  text->length += (size_t)vsnprintf(room ? text->buffer + text->length : 0, room, format, args);
  va_end(args);
}

/* Appends word `number` (from 1) of a space-separated list in parentheses, if there is one. */
static void append_name(struct text *text, const char *names, uint32_t number) {
  for (uint32_t i = 1; *names; i++) {
    size_t length = strchr(names, ' ') - names;
    if (i == number) {
      append(text, " (%.*s)", (int)length, names);
      return;
    }
    names += length + 1;
  }
}

static void append_reason(struct text *text, const char *sentence, uint32_t argument, uint32_t limit,
                          const char *names) {
  for (; *sentence; sentence++) {
    if (sentence[0] == '%' && sentence[1] == 'a') {
      append(text, "%u", argument);
      append_name(text, names, argument);
      sentence++;
    } else if (sentence[0] == '%' && sentence[1] == 'l') {
      append(text, limit > 0xffff ? "0x%x" : "%u", limit);
      sentence++;
    } else {
      append(text, "%c", *sentence);
    }
  }
}

int pm_explain(char *buffer, size_t size, int error) {
  struct text text = {buffer, size, 0};
  const uint32_t *detail = message_area() + DETAIL_WORD;
  uint32_t reason = detail[1];
  append(&text, "%s, %s", pm_strerrorname(error), pm_strerror(error));
  if ((int)(detail[0] & 0xffff) == error && reason != REASON_NONE && reason < reason_sentence_count &&
      reason_sentences[reason]) {
    const struct operation_name *operation = find_operation((int)(detail[0] >> 16));
    const char *names = operation ? operation->args : "";
    append(&text, ": ");
    append_reason(&text, reason_sentences[reason], detail[2], detail[3], names);
  }
  return (int)text.length;
}

void must(int error, const char *what) {
  char sentence[200];
  if (!error)
    return;
  pm_explain(sentence, sizeof sentence, error);
  printf("%s failed: %s\n", what, sentence);
  exit(1);
}
