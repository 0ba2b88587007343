/* First fit over a list of free blocks in address order; a returned block joins its free neighbours. Each block has
 * a head of 8 bytes that holds its size with the head. */
#include "free-list.h"

#define HEAD_BYTES 8
#define ALIGN_BYTES 8
#define LEAST_BYTES 24

struct block {
  size_t size;
#if __SIZEOF_POINTER__ == 4
  size_t unused; /* keeps the user's part 8-byte aligned */
#endif
  struct block *next; /* of a free block: this is the user's part otherwise */
};

static struct block *first_free;

static struct block *head_of(const void *memory) {
  return (struct block *)((char *)memory - HEAD_BYTES);
}

static int touches(const struct block *low, const struct block *high) {
  return (const char *)low + low->size == (const char *)high;
}

static void insert(struct block *block) {
  struct block *before = 0, *after = first_free;
  while (after && after < block) {
    before = after;
    after = after->next;
  }
  block->next = after;
  if (after && touches(block, after)) {
    block->size += after->size;
    block->next = after->next;
  }
  if (before && touches(before, block)) {
    before->size += block->size;
    before->next = block->next;
  } else if (before) {
    before->next = block;
  } else {
    first_free = block;
  }
}

void free_list_add(void *memory, size_t size) {
  struct block *block = memory;
  block->size = size;
  insert(block);
}

void *free_list_take(size_t size) {
  size_t need = (size + HEAD_BYTES + ALIGN_BYTES - 1) & ~(size_t)(ALIGN_BYTES - 1);
  if (need < size)
    return 0;
  if (need < LEAST_BYTES)
    need = LEAST_BYTES;
  for (struct block **link = &first_free; *link; link = &(*link)->next) {
    struct block *block = *link;
    if (block->size < need)
      continue;
    if (block->size - need >= LEAST_BYTES) {
      struct block *rest = (struct block *)((char *)block + need);
      rest->size = block->size - need;
      rest->next = block->next;
      block->size = need;
      *link = rest;
    } else {
      *link = block->next;
    }
    return (char *)block + HEAD_BYTES;
  }
  return 0;
}

void free_list_return(void *memory) {
  insert(head_of(memory));
}

size_t free_list_block_size(const void *memory) {
  return head_of(memory)->size - HEAD_BYTES;
}
