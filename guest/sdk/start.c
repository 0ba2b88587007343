/* From the first instruction to main: reads the boot page, registers the image's regions, starts the pager and then
 * the main thread whose faults it serves. The first thread ends itself: it could not name itself, so nothing could
 * set a pager for it. */
#include "boot-page.h"
#include "pager.h"
#include "physmem.h"
#include <stdlib.h>
#include <string.h>

#define ARGUMENTS_MAX 16
#define EXIT_NO_BOOT_PAGE 127

slot_t own_control, starter_thread, boot_container, main_thread, pager_thread;
uint32_t core_count;

static char *arguments[ARGUMENTS_MAX + 1];
static char pager_stack[3072] __attribute__((aligned(16)));

extern int main(int argc, char **argv);
extern char text_start[], text_end[], rodata_end[], data_start[], image_end[];

static void add_image_region(uint32_t from, uint32_t to, uint32_t access) {
  struct region region = {from, page_round_up(to) - from, boot_container, from, access, 0, 0};
  if (region.size)
    region_add(&region);
}

static void add_image_regions(void) {
  uint32_t rodata_start = page_round_up((uint32_t)text_end);
  add_image_region((uint32_t)text_start & ~PAGE_MASK, (uint32_t)text_end, ACCESS_READ | ACCESS_EXECUTE);
  add_image_region(rodata_start, (uint32_t)rodata_end, ACCESS_READ);
  add_image_region((uint32_t)data_start, (uint32_t)image_end, ACCESS_READ | ACCESS_WRITE);
  add_image_region(BOOT_PAGE_VA, BOOT_PAGE_VA + PAGE_SIZE, ACCESS_READ);
  add_image_region(BOOT_PAGE_VA + 2 * PAGE_SIZE, BOOT_STACK_TOP, ACCESS_READ | ACCESS_WRITE);
}

static int read_arguments(void) {
  char *next = (char *)BOOT_PAGE_VA + BOOT_PAGE->argv_offset;
  int count = 0;
  for (; count < (int)BOOT_PAGE->argc && count < ARGUMENTS_MAX; count++) {
    arguments[count] = next;
    next += strlen(next) + 1;
  }
  return count;
}

static void run_main(void *argument_count) {
  exit(main((int)argument_count, arguments));
}

void start(void) {
  if (BOOT_PAGE->magic != BOOT_PAGE_MAGIC)
    sys_task_exit(EXIT_NO_BOOT_PAGE);
  own_control = BOOT_PAGE->control;
  starter_thread = BOOT_PAGE->starter;
  boot_container = BOOT_PAGE->container;
  core_count = BOOT_PAGE->cores;
  vaddr_start(BOOT_PAGE->heap_start);
  add_image_regions();
  pager_thread = BOOT_PAGE->pager; /* the pager's own pager */
  slot_t pager;
  int error = thread_start(pager_run, 0, pager_stack, sizeof pager_stack, core_number(), PRIORITY_PAGER, &pager);
  pager_thread = pager;
  void *stack = (void *)(BOOT_STACK_TOP - PAGE_SIZE);
  if (!error)
    error = thread_start(run_main, (void *)read_arguments(), stack, PAGE_SIZE, core_number(), PRIORITY_MAIN,
                         &main_thread);
  if (error)
    sys_task_exit(EXIT_NO_BOOT_PAGE);
  sys_thread_exit();
}

int boot_module(const char *name, uint32_t *out_start, uint32_t *out_size) {
  const struct boot_module *modules = (const void *)(BOOT_PAGE_VA + BOOT_PAGE->module_offset);
  for (uint32_t i = 0; i < BOOT_PAGE->module_count; i++)
    if (strncmp(modules[i].name, name, BOOT_MODULE_NAME_BYTES) == 0) {
      *out_start = modules[i].start;
      *out_size = modules[i].size;
      return 0;
    }
  return ENOENT;
}

uint64_t clock_cycles(void) {
  uint32_t low, high;
  sys_clock(&low, &high);
  return (uint64_t)high << 32 | low;
}
