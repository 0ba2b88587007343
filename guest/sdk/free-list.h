/* The list of free blocks behind malloc. */
#ifndef FREE_LIST_H
#define FREE_LIST_H

#include <stddef.h>

/* Gives a range of memory (8-byte aligned) to the list. */
void free_list_add(void *memory, size_t size);
/* Takes a block of at least `size` bytes, 8-byte aligned, or NULL. */
void *free_list_take(size_t size);
/* Gives a block back; neighbours become one. */
void free_list_return(void *block);
/* Usable bytes of a block. */
size_t free_list_block_size(const void *block);

#endif
