/* Threads of the own task. */
#include "physmem.h"

#define POLL_CYCLES 20000

extern void thread_entry(void);

int thread_start(void (*function)(void *), void *argument, void *stack, uint32_t stack_bytes, uint32_t core,
                 uint32_t priority, slot_t *out_thread) {
  uint32_t *top = (uint32_t *)((char *)stack + stack_bytes - 16);
  top[0] = (uint32_t)function;
  top[1] = (uint32_t)argument;
  return sys_thread_create(SLOT_SELF_TASK, (uint32_t)thread_entry, (uint32_t)top, pager_thread, core, priority,
                           out_thread);
}

int thread_wait_end(slot_t thread) {
  int error;
  do
    error = ipc_send(thread, 0, 0, 0, POLL_CYCLES);
  while (error == 0 || error == ETIMEDOUT);
  return error;
}
