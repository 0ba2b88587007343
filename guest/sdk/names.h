/* Tables of names.c (generated from src/abi): errors, reasons, operations and their arguments. */
#ifndef NAMES_H
#define NAMES_H

struct errno_name {
  int value;
  const char *name;
  const char *meaning;
};
struct operation_name {
  int op;
  /* Bit per CAP_* type on which it may be invoked. */
  unsigned types;
  /* Words of a request (with a list: of one that has a single element, and of each further element), and items. */
  unsigned words, element_words, caps;
  const char *name;
  /* Names of the arguments, then of the capability items, in order, each followed by a space. */
  const char *args;
};

struct right_name {
  unsigned type, bit;
  const char *name;
};

extern const struct errno_name errno_names[];
extern const unsigned errno_name_count;
/* %a is the argument, %l the limit, %r the rights whose bits the limit has; an empty entry is NULL. */
extern const char *const reason_sentences[];
extern const unsigned reason_sentence_count;
extern const struct right_name right_names[];
extern const unsigned right_name_count;
extern const struct operation_name operation_names[];
extern const unsigned operation_name_count;

#endif
