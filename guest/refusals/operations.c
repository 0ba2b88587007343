/* Refusals of the memory server: every one says why, with the argument to blame and the limit. */
#include "refusals.h"
#include <stdio.h>

#define LOCK_CYCLES 3000000
#define STACK_BYTES 8192
#define PATTERN 0x7a77e2u

static char stack[STACK_BYTES];
static slot_t doomed;

static slot_t split(uint32_t frames) {
  slot_t control;
  must(control_split(own_control, frames, &control), "control_split");
  return control;
}

static slot_t container_of(slot_t control, uint32_t pages) {
  slot_t container;
  must(container_create(control, &container), "container_create");
  if (pages)
    must(container_allocate(container, 0, pages * PAGE_SIZE, 0, 0), "container_allocate");
  return container;
}

/* Objects until the quota of a control of one frame is used up. */
static void use_up_quota(slot_t control) {
  slot_t container = 0, slot;
  int error = 0;
  while (!error) {
    error = container_create(control, &slot);
    if (!error)
      container = slot;
  }
  expect("container_create beyond the quota", error, ENOMEM);
  expect("container_share beyond the quota", container_share(container, CONTAINER_READ, 0), ENOMEM);
}

void try_controls(void) {
  slot_t control = split(1), task;
  printf("Controls\n");
  slot_t weak = without(control, CONTROL_QUERY | CONTROL_CREATE);
  expect("control_destroy of the root", control_destroy(own_control), EPERM);
  expect("control_split beyond the credit", control_split(control, 2, 0), ENOMEM);
  expect("control_query without QUERY", control_query(weak, 0, 0, 0, 0, 0, 0), EPERM);
  expect("control_query_extra without it", control_query_extra(weak, 0, 0, 0, 0, 0), EPERM);
  expect("control_on_return without CREATE", control_on_return(weak, 0, 0), EPERM);
  must(sys_task_create(&task), "sys_task_create");
  expect("control_sponsor with one frame", control_sponsor(control, task), ENOMEM);
  expect("control_sponsor of a dead task", control_sponsor(own_control, dead_task()), ESRCH);
  use_up_quota(control);
  slot_t container = container_of(own_control, 1);
  expect("a map into a task without sponsor", container_map(container, 0, PAGE_SIZE, 4096, 1, 0, task, 0, 0), ENOMEM);
  expect("a map into a task without MAP",
         container_map(container, 0, PAGE_SIZE, 4096, 1, 0, without(task, TASK_MAP), 0, 0), EPERM);
  slot_t tight = split(3);
  must(control_sponsor(tight, task), "control_sponsor");
  expect("a map that needs a page table", container_map(container, 0, PAGE_SIZE, 4096, 1, 0, task, 0, 0), ENOMEM);
  must(sys_task_destroy(task), "sys_task_destroy");
  must(control_destroy(tight), "control_destroy");
  must(control_destroy(control), "control_destroy");
  must(container_destroy(container, 0), "container_destroy");
}

void try_containers(void) {
  slot_t control = split(8), pin;
  slot_t container = container_of(control, 6), empty = container_of(control, 0);
  const uint32_t one[] = {0, 0, PAGE_SIZE};
  printf("Containers\n");
  expect("allocate at byte 1", container_allocate(container, 1, PAGE_SIZE, 0, 0), EINVAL);
  expect("allocate of nothing", container_allocate(container, 0, 0, 0, 0), EINVAL);
  expect("allocate beyond 4 GiB", container_allocate(container, 0xfffff000, 2 * PAGE_SIZE, 0, 0), EINVAL);
  expect("allocate with flag 0x100", container_allocate(container, 0, PAGE_SIZE, 0x100, 0), EINVAL);
  expect("allocate where something is", container_allocate(container, 0, PAGE_SIZE, 0, 0), EEXIST);
  expect("allocate beyond the credit", container_allocate(empty, 0, 8 * PAGE_SIZE, ALLOC_ALL_OR_NONE, 0), ENOMEM);
  expect("deallocate without the right",
         container_deallocate(without(container, CONTAINER_DEALLOCATE), 0, PAGE_SIZE, 0), EPERM);
  expect("copy of a hole", container_copy(container, 6 * PAGE_SIZE, 0, PAGE_SIZE, 0, empty, 0), ENOENT);
  expect("copy list to a control", container_copy_list(container, 0, one, 3, control, 0), EBADF);
  expect("recover without ALLOCATE",
         container_recover(without(container, CONTAINER_ALLOCATE), 0, PAGE_SIZE, 0, 0), EPERM);
  expect("pin of more than the quota", container_pin(container, 0, 6 * PAGE_SIZE, 1000000, 0, 0, 0, 0, 0, &pin), ENOMEM);
  must(container_pin(container, 0, PAGE_SIZE, 1000000, 0, 0, 0, 0, 0, &pin), "container_pin");
  expect("allocate over what is pinned", container_allocate(container, 0, PAGE_SIZE, ALLOC_SQUASH, 0), EBUSY);
  must(physmem_unpin(pin), "unpin");
  must(container_pin(container, 0, PAGE_SIZE, 1, 0, 0, 0, 0, 0, &pin), "container_pin");
  sys_sleep(10000);
  expect("unpin of a pin that expired", physmem_unpin(pin), EBADF);
  must(control_destroy(control), "control_destroy");
}

/* What a small control can not have: extra memory is not guaranteed, and the DMA zone and its blocks are few. */
void try_scarce(void) {
  slot_t control = split(2), container = container_of(control, 2), low = container_of(own_control, 0);
  uint32_t window = vaddr_reserve(4 * PAGE_SIZE, PAGE_SIZE), blocks = 0;
  printf("Memory that is scarce\n");
  must(container_map(container, 0, 2 * PAGE_SIZE, window, ACCESS_READ | ACCESS_WRITE, 0, 0, 0, 0), "container_map");
  *(volatile uint32_t *)window = PATTERN;
  must(container_release(container, 0, 2 * PAGE_SIZE, RELEASE_SOFT, 0), "container_release");
  must(container_allocate(container, 2 * PAGE_SIZE, 2 * PAGE_SIZE, 0, 0), "container_allocate");
  expect("recover without credit", container_recover(container, 0, 2 * PAGE_SIZE, 0, 0), ENOMEM);
  must(container_recover(container, 0, 2 * PAGE_SIZE, ALLOC_EXTRA, 0), "container_recover");
  must(container_map(container, 0, PAGE_SIZE, window, ACCESS_READ, 0, 0, 0, 0), "container_map");
  printf("  as extra memory it comes back, %s\n",
         *(volatile uint32_t *)window == PATTERN ? "contents and all" : "WITHOUT its contents");
  must(container_allocate(container, 8 * PAGE_SIZE, PAGE_SIZE, ALLOC_EXTRA, 0), "container_allocate");
  expect("pin of extra memory", container_pin(container, 8 * PAGE_SIZE, PAGE_SIZE, 1000, 0, 0, 0, 0, 0, 0), ENOMEM);
  expect("on_return with a dead thread", control_on_return(control, 0, dead_thread()), ESRCH);
  expect("20 MiB for DMA", container_allocate(low, 0, 20 << 20, ALLOC_DMA | ALLOC_ALL_OR_NONE, 0), ENOMEM);
  int error;
  do
    error = container_allocate(low, blocks++ << 22, 1 << 22, ALLOC_DMA | ALLOC_CONTIGUOUS, 0);
  while (error == 0);
  expect("4 MiB blocks for DMA, all and one", error, ENOMEM);
  must(container_destroy(low, 0), "container_destroy");
  must(control_destroy(control), "control_destroy");
}

static void destroy_doomed(void *unused) {
  (void)unused;
  must(control_destroy(doomed), "control_destroy");
  sys_thread_exit();
}

/* A control whose destruction waits for the end of a lock: nothing can be begun in it any more. */
void try_dying(void) {
  slot_t limited, thread, task;
  doomed = split(16);
  slot_t container = container_of(doomed, 2), other = container_of(own_control, 1);
  const uint32_t one[] = {0, 0, PAGE_SIZE};
  printf("A control that is being destroyed, with a container that is locked\n");
  must(container_share(container, CONTAINER_LOCK, &limited), "container_share");
  must(container_lock(limited, LOCK_CYCLES), "container_lock");
  expect("allocate in the locked container", container_allocate(container, 8 * PAGE_SIZE, PAGE_SIZE, 0, 0), EBUSY);
  expect("destroy of it", container_destroy(container, 0), EBUSY);
  expect("recover in it", container_recover(container, 0, PAGE_SIZE, 0, 0), EBUSY);
  expect("copy list out of it", container_copy_list(container, 0, one, 3, other, 0), EBUSY);
  must(thread_start(destroy_doomed, 0, stack, STACK_BYTES, core_count - 1, PRIORITY_MAIN, &thread), "thread_start");
  sys_sleep(100000);
  expect("control_split", control_split(doomed, 1, 0), EBUSY);
  expect("container_create", container_create(doomed, 0), EBUSY);
  expect("control_on_return", control_on_return(doomed, 0, 0), EBUSY);
  expect("container_share", container_share(container, CONTAINER_READ, 0), EBUSY);
  must(sys_task_create(&task), "sys_task_create");
  expect("control_sponsor", control_sponsor(doomed, task), EBUSY);
  must(container_unlock(limited), "container_unlock");
  thread_wait_end(thread);
  must(sys_task_destroy(task), "sys_task_destroy");
  must(container_destroy(other, 0), "container_destroy");
}
