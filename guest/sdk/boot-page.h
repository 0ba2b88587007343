/* The boot page as a struct; the layout is described in src/abi/boot-page.ts. */
#ifndef BOOT_PAGE_H
#define BOOT_PAGE_H

#include "stubs.h"

#define BOOT_MODULE_NAME_BYTES 40

struct boot_module {
  uint32_t start, size;
  char name[BOOT_MODULE_NAME_BYTES];
};

struct boot_page {
  uint32_t magic;
  slot_t control, starter;
  uint32_t cores;
  uint32_t argc, argv_offset;
  uint32_t module_count, module_offset;
  slot_t container;
  uint32_t heap_start;
  slot_t pager;
  uint32_t reserved[5];
};

#define BOOT_PAGE ((const struct boot_page *)BOOT_PAGE_VA)

#endif
