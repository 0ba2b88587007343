/* malloc over a heap container: address space from vaddr_reserve, names at the same container addresses, pages bound
 * and mapped when they are first touched. The heap grows by steps and is given back only with the task. */
#include "free-list.h"
#include "physmem.h"
#include <stdlib.h>
#include <string.h>

#define STEP_BYTES 0x4000u

static lock_t heap_lock;
static slot_t heap;

static int grow(size_t size) {
  uint32_t bytes = (uint32_t)page_round_up(size + 64);
  if (bytes < STEP_BYTES)
    bytes = STEP_BYTES;
  if (!heap && container_create(own_control, &heap))
    return ENOMEM;
  uint32_t vaddr = vaddr_reserve(bytes, PAGE_SIZE);
  int error = container_allocate(heap, vaddr, bytes, ALLOC_ALL_OR_NONE, 0);
  struct region region = {vaddr, bytes, heap, vaddr, ACCESS_READ | ACCESS_WRITE, 0, 0};
  if (!error)
    error = region_add(&region);
  if (!error)
    free_list_add((void *)vaddr, bytes);
  return error;
}

void *malloc(size_t size) {
  if (size > 0x7fffffff)
    return 0;
  lock(&heap_lock);
  void *block = free_list_take(size);
  if (!block && grow(size) == 0)
    block = free_list_take(size);
  unlock(&heap_lock);
  return block;
}

void free(void *block) {
  if (!block)
    return;
  lock(&heap_lock);
  free_list_return(block);
  unlock(&heap_lock);
}

void *calloc(size_t count, size_t size) {
  if (size && count > 0x7fffffff / size)
    return 0;
  void *block = malloc(count * size);
  return block ? memset(block, 0, count * size) : 0;
}

void *realloc(void *block, size_t size) {
  if (!block)
    return malloc(size);
  size_t old = free_list_block_size(block);
  if (size <= old)
    return block;
  void *larger = malloc(size);
  if (larger) {
    memcpy(larger, block, old);
    free(block);
  }
  return larger;
}
