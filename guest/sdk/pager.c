/* The default pager: a thread that gets the task's page faults as messages, looks the address up in a table of
 * regions, asks physmem for the map and lets the thread go on. Maps are a cache: physmem may take any of them away
 * at any time, and the next fault brings it back from here. */
#include "pager.h"
#include "physmem.h"
#include <stdio.h>
#include <stdlib.h>

#define REGIONS_MAX 256
#define EXIT_FAULT 139 /* as a shell reports a segmentation fault */
#define KILL 1         /* any label but FAULT_RESUME */
#define ERROR_WRITE 2  /* error code bits of #PF */
#define ERROR_FETCH 16

struct fault {
  uint32_t address, eip, error_code, thread, task;
};

/* An entry counts when its size is not 0, which is written last. The lock is for writers only: physmem may take the page of
 * the table away while one of them holds it, and then the pager has to serve that very fault. */
static struct region regions[REGIONS_MAX];
static lock_t regions_lock;
static uint32_t vaddr_next;
static volatile uint32_t fault_count;

void (*pager_refusal)(uint32_t address, const char *why);

void vaddr_start(uint32_t vaddr) {
  vaddr_next = vaddr;
}

uint32_t vaddr_reserve(uint32_t size, uint32_t align) {
  lock(&regions_lock);
  uint32_t vaddr = (vaddr_next + align - 1) & ~(align - 1);
  vaddr_next = vaddr + page_round_up(size);
  unlock(&regions_lock);
  return vaddr;
}

/* Whether `next` goes on where `region` ends, so that one entry can tell both. */
static int continues(const struct region *region, const struct region *next) {
  return region->size && region->vaddr + region->size == next->vaddr &&
         region->start + region->size == next->start && region->container == next->container &&
         region->access == next->access && region->badge == next->badge;
}

int region_add(const struct region *region) {
  struct region *free = 0;
  int error = 0;
  lock(&regions_lock);
  for (struct region *r = regions; r < regions + REGIONS_MAX; r++) {
    if (continues(r, region)) {
      r->size += region->size;
      unlock(&regions_lock);
      return 0;
    }
    if (!free && r->size == 0)
      free = r;
  }
  if (free) {
    struct region entry = *region;
    entry.size = 0;
    *free = entry;
    __asm__ volatile("" : : : "memory");
    free->size = region->size;
  } else
    error = ENOSPC;
  unlock(&regions_lock);
  return error;
}

void region_remove(uint32_t vaddr, uint32_t size) {
  lock(&regions_lock);
  for (struct region *r = regions; r < regions + REGIONS_MAX; r++)
    if (r->badge == 0 && r->vaddr - vaddr < size)
      r->size = 0;
  unlock(&regions_lock);
}

void task_forget(uint32_t badge) {
  lock(&regions_lock);
  for (struct region *r = regions; r < regions + REGIONS_MAX; r++)
    if (r->badge == badge)
      r->size = 0;
  unlock(&regions_lock);
}

void *container_attach(slot_t container, uint32_t start, uint32_t size, uint32_t access) {
  struct region region = {vaddr_reserve(size, PAGE_SIZE), size, container, start, access, 0, 0};
  return region_add(&region) ? 0 : (void *)region.vaddr;
}

uint32_t pager_fault_count(void) {
  return fault_count;
}

enum found { NO_TASK, NO_REGION, FOUND };

static enum found find_region(uint32_t badge, uint32_t address, struct region *out) {
  enum found found = NO_TASK;
  for (const struct region *r = regions; r < regions + REGIONS_MAX && found != FOUND; r++) {
    if (r->size == 0 || r->badge != badge)
      continue;
    found = NO_REGION;
    *out = *r;
    __asm__ volatile("" : : : "memory");
    if (r->size != 0 && out->size != 0 && address - out->vaddr < out->size)
      found = FOUND;
  }
  return found;
}

static const char *verb(uint32_t error_code) {
  return error_code & ERROR_FETCH ? "execute" : error_code & ERROR_WRITE ? "write" : "read";
}

static uint32_t refuse(const struct fault *fault, uint32_t badge, const char *why) {
  if (badge == 0 && pager_refusal)
    pager_refusal(fault->address, why);
  printf("pager: task %u, thread %u, at 0x%08x can not %s 0x%08x: %s\n", fault->task, fault->thread, fault->eip,
         verb(fault->error_code), fault->address, why);
  if (badge == 0)
    exit(EXIT_FAULT);
  return KILL;
}

/* Maps the page of the fault. A read must not break a copy-on-write sharing (NO_BREAK): the write, if it ever comes,
 * faults again. Of a region that is only read, the whole region is mapped at once. */
static uint32_t serve_page_fault(const struct fault *fault, uint32_t badge) {
  struct region region;
  char why[160];
  enum found found = find_region(badge, fault->address, &region);
  if (found == NO_TASK)
    return KILL;
  if (found == NO_REGION)
    return refuse(fault, badge, "no region is there");
  if (fault->error_code & ERROR_WRITE && !(region.access & ACCESS_WRITE))
    return refuse(fault, badge, "the region is read-only");
  uint32_t offset = (fault->address & ~PAGE_MASK) - region.vaddr;
  uint32_t size = PAGE_SIZE;
  if (!(region.access & ACCESS_WRITE)) {
    offset = 0;
    size = region.size;
  }
  uint32_t amount;
  uint32_t flags = fault->error_code & ERROR_WRITE ? 0 : MAP_NO_BREAK;
  int error = container_map(region.container, region.start + offset, size, region.vaddr + offset, region.access,
                            flags, region.task, &amount, 0);
  if (error && region.vaddr + offset + amount <= fault->address) {
    pm_explain(why, sizeof why, error);
    return refuse(fault, badge, why);
  }
  fault_count++;
  return FAULT_RESUME;
}

static uint32_t serve_exception(const uint32_t *words, uint32_t badge) {
  printf("pager: task %u, thread %u, at 0x%08x raised exception %u, error code 0x%x\n", words[4], words[3],
         words[1], words[0], words[2]);
  if (badge == 0)
    exit(128 + (int)words[0]);
  return KILL;
}

void pager_run(void *unused) {
  struct envelope in;
  (void)unused;
  int error = ipc_receive(&in);
  for (;;) {
    if (error) { /* the thread that was answered has died meanwhile */
      error = ipc_receive(&in);
      continue;
    }
    const uint32_t *words = message_words();
    struct fault fault = {words[0], words[1], words[2], words[3], words[4]};
    uint32_t badge = fault.task == task_number() ? 0 : in.badge;
    uint32_t answer = ENOSYS;
    if (in.label == LABEL_PAGE_FAULT)
      answer = serve_page_fault(&fault, badge);
    else if (in.label == LABEL_EXCEPTION)
      answer = serve_exception(words, badge);
    error = ipc_reply_receive(answer, 0, 0, &in);
  }
}
