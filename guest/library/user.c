/* A task that uses the library: two threads on two cores call all its functions; then the first one drops the library,
 * page by page, while the second one goes on running and would have to be interrupted for each. */
#include "library.h"
#include <stdlib.h>

#define STACK_BYTES 2048

static char helper_stack[STACK_BYTES] __attribute__((aligned(16)));
static struct board *board;
static uint32_t number;
static char *library;
static volatile uint32_t helper_wrong, helper_called, is_dropped;

static uint32_t call_all(void) {
  uint32_t wrong = 0;
  for (uint32_t n = 0; n < FUNCTIONS; n++) {
    uint32_t x = number + n;
    wrong += ((library_function)(library + n * PAGE_SIZE))(x) != n + x * x;
  }
  return wrong;
}

static void helper(void *unused) {
  (void)unused;
  helper_wrong = call_all();
  helper_called = 1;
  while (!is_dropped)
    cpu_pause();
  for (;;)
    sys_sleep(50 * WAIT_CYCLES);
}

static uint32_t drop(slot_t container) {
  uint64_t before = clock_cycles();
  for (uint32_t n = 0; n < FUNCTIONS; n++)
    must(container_deallocate(container, n * PAGE_SIZE, PAGE_SIZE, 0), "container_deallocate");
  return (uint32_t)(clock_cycles() - before);
}

int main(void) {
  slot_t container, thread;
  must(ipc_call(starter_thread, LIBRARY_READY, 0, 0, 0), "ipc_call");
  number = message_words()[0];
  slot_t source = received_cap(0);
  board = container_attach(received_cap(1), 0, PAGE_SIZE, ACCESS_READ | ACCESS_WRITE);
  must(container_create(own_control, &container), "container_create");
  must(container_copy(source, 0, 0, LIBRARY_BYTES, COPY_ALL_OR_NONE, container, 0), "container_copy");
  library = container_attach(container, 0, LIBRARY_BYTES, ACCESS_READ | ACCESS_EXECUTE);
  while (board->turn != number + 1)
    sys_sleep(WAIT_CYCLES);
  uint32_t other_core = (core_number() + 1) % core_count;
  must(thread_start(helper, 0, helper_stack, sizeof helper_stack, other_core, PRIORITY_MAIN, &thread), "thread_start");
  uint32_t wrong = call_all();
  while (!helper_called)
    cpu_pause();
  board->users[number].cycles = drop(container);
  is_dropped = 1;
  board->users[number].wrong = wrong + helper_wrong;
  board->users[number].calls = 2 * FUNCTIONS;
  board->users[number].done = 1;
  for (;;)
    sys_sleep(50 * WAIT_CYCLES);
}
