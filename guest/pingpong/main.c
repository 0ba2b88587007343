/* What crossing a line costs, in cycles: a system call, a call of the memory server, a call of another thread of
 * the same task on this core and on another one. */
#include <physmem.h>
#include <stdio.h>

#define ROUNDS 1000

enum { LABEL_ECHO = 1, LABEL_STOP = 2 };

static char echo_stack[2][2048] __attribute__((aligned(16)));

/* Answers every call with what it brought, until it is told to stop. */
static void echo(void *unused) {
  struct envelope in;
  (void)unused;
  int error = ipc_receive(&in);
  while (!error && in.label != LABEL_STOP)
    error = ipc_reply_receive(in.label, in.words, 0, &in);
  ipc_reply(0, 0, 0);
}

static void report(const char *what, uint64_t cycles) {
  printf("%-32s %6llu cycles each\n", what, cycles / ROUNDS);
}

static uint64_t time_system_calls(void) {
  uint32_t type, rights;
  uint64_t before = clock_cycles();
  for (uint32_t i = 0; i < ROUNDS; i++)
    sys_cap_info(SLOT_PHYSMEM, &type, &rights);
  return clock_cycles() - before;
}

static uint64_t time_server_calls(void) {
  uint64_t before = clock_cycles();
  for (uint32_t i = 0; i < ROUNDS; i++)
    must(physmem_null(SLOT_PHYSMEM), "physmem_null");
  return clock_cycles() - before;
}

static uint64_t time_thread_calls(uint32_t core, void *stack) {
  slot_t thread;
  must(thread_start(echo, 0, stack, sizeof echo_stack[0], core, PRIORITY_MAIN, &thread), "thread_start");
  uint64_t before = clock_cycles();
  for (uint32_t i = 0; i < ROUNDS; i++) {
    message_words()[0] = i;
    must(ipc_call(thread, LABEL_ECHO, 1, 0, 0), "ipc_call");
    if (message_words()[0] != i)
      printf("round %u came back as %u\n", i, message_words()[0]);
  }
  uint64_t cycles = clock_cycles() - before;
  must(ipc_call(thread, LABEL_STOP, 0, 0, 0), "ipc_call");
  return cycles;
}

int main(void) {
  report("system call (cap_info)", time_system_calls());
  report("memory server (physmem_null)", time_server_calls());
  report("call and reply, same core", time_thread_calls(core_number(), echo_stack[0]));
  if (core_count > 1)
    report("call and reply, other core", time_thread_calls((core_number() + 1) % core_count, echo_stack[1]));
  return 0;
}
