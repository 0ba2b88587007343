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

/* The name of argument `number` (from 1), or the empty string at the end of the list. */
static const char *argument_name(const struct operation_name *operation, uint32_t number) {
  const char *name = operation->args;
  for (uint32_t i = 1; i < number && *name; i++)
    name = strchr(name, ' ') + 1;
  return name;
}

static void append_name(struct text *text, const struct operation_name *operation, uint32_t number) {
  const char *name = argument_name(operation, number);
  if (*name)
    append(text, " (%.*s)", (int)(strchr(name, ' ') - name), name);
}

/* Types, a bit each, whose rights a refusal is about: of the capability that was invoked, or of an item. */
static unsigned blamed_types(const struct operation_name *operation, uint32_t argument) {
  if (argument == 0)
    return operation->types;
  return strncmp(argument_name(operation, argument), "task ", 5) == 0 ? 1u << CAP_TASK : 1u << CAP_CONTAINER;
}

/* Rights of the objects on which an operation works; a limited capability has those of a container. */
static void append_rights(struct text *text, unsigned types, uint32_t bits) {
  const char *between = "";
  if (types & 1u << CAP_LIMITED)
    types |= 1u << CAP_CONTAINER;
  for (unsigned i = 0; i < right_name_count; i++)
    if (types >> right_names[i].type & 1 && bits & right_names[i].bit) {
      append(text, "%s%s", between, right_names[i].name);
      between = " ";
    }
}

struct detail {
  uint32_t reason, argument, limit;
};

static void append_reason(struct text *text, const struct detail *detail, const struct operation_name *operation) {
  for (const char *at = reason_sentences[detail->reason]; *at; at++) {
    if (at[0] != '%') {
      append(text, "%c", *at);
      continue;
    }
    switch (*++at) {
    case 'a':
      append(text, "%u", detail->argument);
      if (operation && detail->argument)
        append_name(text, operation, detail->argument);
      break;
    case 'c': append(text, "%u", message_area()[DETAIL_MORE_WORD]); break;
    case 'm': append(text, "0x%08x", message_area()[DETAIL_MORE_WORD + 1]); break;
    case 'n': append(text, "0x%08x", message_area()[DETAIL_MORE_WORD + 2]); break;
    case 'r':
      if (operation)
        append_rights(text, blamed_types(operation, detail->argument), detail->limit);
      else
        append(text, "right bits 0x%x", detail->limit);
      break;
    default: append(text, detail->limit > 0xffff ? "0x%x" : "%u", detail->limit);
    }
  }
}

/* The reason of the thread's last refusal if it was this error, else NONE. */
static struct detail last_detail(int error) {
  const uint32_t *words = message_area() + DETAIL_WORD;
  struct detail detail = {words[1], words[2], words[3]};
  if ((int)(words[0] & 0xffff) != error || detail.reason >= reason_sentence_count ||
      !reason_sentences[detail.reason])
    detail.reason = REASON_NONE;
  return detail;
}

int pm_explain(char *buffer, size_t size, int error) {
  struct text text = {buffer, size, 0};
  struct detail detail = last_detail(error);
  append(&text, "%s: ", pm_strerrorname(error));
  if (detail.reason == REASON_NONE)
    append(&text, "%s", pm_strerror(error));
  else
    append_reason(&text, &detail, find_operation((int)(message_area()[DETAIL_WORD] >> 16)));
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
