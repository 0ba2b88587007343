/* Identity map of the first 16 MiB in 4 KiB pages. */
#include "paging.h"
#include <stdint.h>

#define TABLES 4
#define PRESENT_WRITABLE 3
#define CR0_PAGING 0x80000000u

static uint32_t directory[1024] __attribute__((aligned(4096)));
static uint32_t tables[TABLES][1024] __attribute__((aligned(4096)));

void paging_start(void) {
  for (uint32_t page = 0; page < TABLES * 1024; page++)
    tables[page / 1024][page % 1024] = page << 12 | PRESENT_WRITABLE;
  for (uint32_t table = 0; table < TABLES; table++)
    directory[table] = (uint32_t)tables[table] | PRESENT_WRITABLE;
  uint32_t cr0;
  __asm__ volatile("movl %0, %%cr3" : : "r"(directory) : "memory");
  __asm__ volatile("movl %%cr0, %0" : "=r"(cr0));
  __asm__ volatile("movl %0, %%cr0" : : "r"(cr0 | CR0_PAGING) : "memory");
}
