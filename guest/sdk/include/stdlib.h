/* The part of the C library's <stdlib.h> that guests have. */
#ifndef STDLIB_H
#define STDLIB_H

#include <stddef.h>

#define EXIT_SUCCESS 0
#define EXIT_FAILURE 1

/* Writes out what printf still holds and ends the task. */
_Noreturn void exit(int status);
_Noreturn void abort(void);

/* Memory of the heap container, which charges the task's own control (malloc.c). NULL when there is no credit. */
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *block, size_t size);
void free(void *block);

int atoi(const char *text);
/* base 0 reads 0x and 0 prefixes. */
unsigned long strtoul(const char *text, char **end, int base);
int abs(int value);
void qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *));

#endif
