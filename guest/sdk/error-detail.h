/* Where a thread keeps the detail of the last refusal: in words of its message area that are the program's.
 *
 *   word 4  operation << 16 | errno      word 5  reason      word 6  argument      word 7  limit
 *   words 84..86  further numbers of the sentence */
#ifndef ERROR_DETAIL_H
#define ERROR_DETAIL_H

#include <stdint.h>

#define DETAIL_WORD 4
#define DETAIL_MORE_WORD 84
#define DETAIL_MORE 3

static inline void remember_error(uint32_t *area, uint32_t op, int error, uint32_t reason, uint32_t argument,
                                  uint32_t limit) {
  area[DETAIL_WORD] = op << 16 | (uint32_t)error;
  area[DETAIL_WORD + 1] = reason;
  area[DETAIL_WORD + 2] = argument;
  area[DETAIL_WORD + 3] = limit;
}

#endif
