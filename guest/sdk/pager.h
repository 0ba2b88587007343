/* Between start.c and pager.c. */
#ifndef PAGER_H
#define PAGER_H

#include <stdint.h>

/* Body of the pager thread. */
void pager_run(void *unused);
/* Sets the first address that vaddr_reserve may hand out. */
void vaddr_start(uint32_t vaddr);

#endif
