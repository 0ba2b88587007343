/* Refusals of the system calls on capabilities, tasks, threads and messages. */
#include "refusals.h"
#include <stdio.h>

#define NO_SLOT 0x500u
#define STACK_BYTES 8192

static char stack[STACK_BYTES];
static volatile uint32_t turns;

void try_capabilities(void) {
  slot_t task = make_task(), dead = dead_task(), slot;
  printf("Capabilities\n");
  expect("cap_copy of an empty slot", sys_cap_copy(NO_SLOT, 1, &slot), EBADF);
  expect("cap_grant without MANAGE", sys_cap_grant(without(task, TASK_MANAGE), SLOT_PHYSMEM, 1, 0), EPERM);
  expect("cap_grant to a dead task", sys_cap_grant(dead, SLOT_PHYSMEM, 1, 0), ESRCH);
  expect("thread_mint of a control", sys_thread_mint(own_control, 1, &slot), EBADF);
  expect("thread_mint without CONTROL", sys_thread_mint(without(main_thread, THREAD_CONTROL), 1, &slot), EPERM);
  int error;
  do
    error = sys_cap_grant(task, SLOT_PHYSMEM, 0, 0);
  while (error == 0);
  expect("cap_grant to a full table", error, ENOSPC);
  fill_slots();
  int copied = sys_cap_copy(SLOT_PHYSMEM, 1, &slot), minted = sys_thread_mint(main_thread, 1, &slot);
  int created = sys_task_create(&slot), started = sys_thread_create(SLOT_SELF_TASK, 4096, 0, 0, 0, 0, &slot);
  int answered = container_create(own_control, &slot);
  free_slots();
  expect("cap_copy into a full table", copied, ENOSPC);
  expect("thread_mint into a full table", minted, ENOSPC);
  expect("task_create with a full table", created, ENOSPC);
  expect("thread_create with a full table", started, ENOSPC);
  expect("a call whose reply has no room", answered, ENOSPC);
  must(sys_task_destroy(task), "sys_task_destroy");
}

void try_tasks(void) {
  slot_t task = make_task(), slot;
  printf("Tasks\n");
  expect("task_destroy without DESTROY", sys_task_destroy(without(task, TASK_DESTROY)), EPERM);
  expect("thread_create in an empty slot", sys_thread_create(NO_SLOT, 4096, 0, 0, 0, 0, &slot), EBADF);
  expect("thread_create without MANAGE",
         sys_thread_create(without(task, TASK_MANAGE), 4096, 0, 0, 0, 0, &slot), EPERM);
  expect("thread_create on core 99", sys_thread_create(task, 4096, 0, 0, 99, 0, &slot), EINVAL);
  expect("thread_create in a dead task", sys_thread_create(dead_task(), 4096, 0, 0, 0, 0, &slot), ESRCH);
  slot_t poor;
  must(sys_task_create(&poor), "sys_task_create");
  expect("thread_create without a sponsor", sys_thread_create(poor, 4096, 0, 0, 0, 0, &slot), ENOMEM);
  must(sys_task_destroy(poor), "sys_task_destroy");
  must(sys_task_destroy(task), "sys_task_destroy");
}

static void turn(void *unused) {
  (void)unused;
  for (;;) {
    turns++;
    sys_yield();
  }
}

/* Whether the thread has taken a turn within a while. */
static int is_turning(void) {
  uint32_t before = turns;
  sys_sleep(200000);
  return turns != before;
}

slot_t dead_thread(void) {
  slot_t task = make_task(), thread;
  must(sys_thread_create(task, 4096, 0, 0, 0, 0, &thread), "sys_thread_create");
  must(sys_task_destroy(task), "sys_task_destroy");
  thread_wait_end(thread);
  return thread;
}

void try_threads(void) {
  slot_t thread;
  printf("Threads\n");
  must(thread_start(turn, 0, stack, STACK_BYTES, core_count - 1, PRIORITY_MAIN, &thread), "thread_start");
  must(sys_thread_set_pager(thread, pager_thread), "sys_thread_set_pager");
  must(sys_thread_control(thread, THREAD_CONTROL_SUSPEND, 0), "sys_thread_control");
  sys_sleep(200000);
  printf("  a thread is suspended: %s\n", is_turning() ? "it goes on" : "it stands still");
  must(sys_thread_control(thread, THREAD_CONTROL_RESUME, 0), "sys_thread_control");
  printf("  and resumed: %s\n", is_turning() ? "it goes on" : "it stands still");
  expect("set_pager of an empty slot", sys_thread_set_pager(NO_SLOT, 0), EBADF);
  expect("set_pager without CONTROL", sys_thread_set_pager(without(thread, THREAD_CONTROL), 0), EPERM);
  expect("thread_control of an empty slot", sys_thread_control(NO_SLOT, 0, 0), EBADF);
  expect("thread_control without CONTROL", sys_thread_control(without(thread, THREAD_CONTROL), 0, 0), EPERM);
  expect("thread_control to core 99", sys_thread_control(thread, THREAD_CONTROL_MOVE, 99), EINVAL);
  expect("thread_control of a dead thread", sys_thread_control(dead_thread(), 0, 0), ESRCH);
  must(sys_thread_control(thread, THREAD_CONTROL_SUSPEND, 0), "sys_thread_control");
  expect("console_write of 241 bytes", sys_console_write(241), EMSGSIZE);
}

/* A message without waiting for long. */
static int message(slot_t dest, uint32_t receive, uint32_t tag) {
  return sys_ipc(dest, receive, tag, 0, 0, 1000, 0, 0, 0, 0);
}

void try_messages(void) {
  printf("Messages\n");
  expect("to an empty slot", message(NO_SLOT, RECEIVE_NONE, 0), EBADF);
  expect("without SEND", message(without(pager_thread, THREAD_SEND), RECEIVE_NONE, 0), EPERM);
  expect("of 61 words", message(pager_thread, RECEIVE_NONE, make_tag(0, 61, 0)), EMSGSIZE);
  expect("with a reserved bit in the tag", message(pager_thread, RECEIVE_NONE, 1u << 11), EINVAL);
  expect("to itself, within 1000 cycles", message(main_thread, RECEIVE_NONE, 0), ETIMEDOUT);
  expect("a reply to nobody", message(REPLY_SLOT, RECEIVE_NONE, 0), ESRCH);
}
