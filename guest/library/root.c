/* A shared library: 32 tasks have copies of its names, so its memory is there once. Each task calls every function from
 * two cores; then it drops the library, page by page, while its other thread still runs. Who drops a page that others
 * keep takes nothing from anybody: its old translation may stay on the other core for a while (deferred unmap), or the
 * other core is interrupted for each page. The counters at the end of the run tell which.
 * `library times` also tells how long the calls took. */
#include "library.h"
#include <stdio.h>
#include <string.h>

extern const char function_begin[], function_end[];

static struct user {
  struct task task;
  slot_t control;
} users[USERS];

/* A page for each function, allocated one by one: a frame is the unit of sharing. */
static void fill(slot_t library) {
  for (uint32_t n = 0; n < FUNCTIONS; n++)
    must(container_allocate(library, n * PAGE_SIZE, PAGE_SIZE, 0, 0), "container_allocate");
  char *memory = container_attach(library, 0, LIBRARY_BYTES, ACCESS_READ | ACCESS_WRITE);
  for (uint32_t n = 0; n < FUNCTIONS; n++) {
    memcpy(memory + n * PAGE_SIZE, function_begin, (size_t)(function_end - function_begin));
    *(uint32_t *)(memory + (n + 1) * PAGE_SIZE - sizeof(uint32_t)) = n;
  }
}

static void start_user(uint32_t number, slot_t library, slot_t board) {
  struct user *user = &users[number];
  struct envelope in;
  const char *const arguments[] = {"library-user"};
  must(control_split(own_control, USER_FRAMES, &user->control), "control_split");
  struct task_spec spec = {"library-user", 1, arguments, user->control, CONTROL_CREATE | CONTROL_QUERY,
                           number % core_count, number + 1, 0};
  must(task_start(&spec, &user->task), "task_start");
  must(ipc_receive(&in), "ipc_receive");
  message_words()[0] = number;
  message_cap(0, library, ALL_RIGHTS);
  message_cap(1, board, ALL_RIGHTS);
  must(ipc_reply(0, 1, 2), "ipc_reply");
}

static void end_users(void) {
  for (uint32_t number = 0; number < USERS; number++) {
    task_forget(number + 1);
    must(control_destroy(users[number].control), "control_destroy");
    must(container_destroy(users[number].task.image, 0), "container_destroy");
  }
}

static uint32_t free_frames(void) {
  uint32_t free;
  must(control_query(own_control, 0, &free, 0, 0, 0, 0), "control_query");
  return free;
}

/* Pages of the library that somebody else names, too. */
static uint32_t shared_pages(slot_t library) {
  uint32_t states[FUNCTIONS], shared = 0;
  must(container_query(library, 0, LIBRARY_BYTES, 0, states, FUNCTIONS), "container_query");
  for (uint32_t n = 0; n < FUNCTIONS; n++)
    shared += (states[n] & PAGE_COW) != 0;
  return shared;
}

int main(int argc, char **argv) {
  slot_t library, copies, container, shared;
  uint32_t wrong = 0, calls = 0, cycles = 0;
  must(container_create(own_control, &container), "container_create");
  must(container_allocate(container, 0, PAGE_SIZE, 0, 0), "container_allocate");
  must(container_share(container, CONTAINER_READ | CONTAINER_WRITE, &shared), "container_share");
  struct board *board = container_attach(container, 0, PAGE_SIZE, ACCESS_READ | ACCESS_WRITE);
  board->turn = 0;
  must(container_create(own_control, &library), "container_create");
  fill(library);
  must(container_share(library, CONTAINER_READ | CONTAINER_COPY_OUT, &copies), "container_share");
  uint32_t before = free_frames();
  printf("A library of %u functions, a page each, and %u tasks that use it on %u cores.\n", FUNCTIONS, USERS, core_count);
  for (uint32_t number = 0; number < USERS; number++)
    start_user(number, copies, shared);
  for (uint32_t number = 0; number < USERS; number++) {
    board->turn = number + 1;
    while (!board->users[number].done)
      sys_sleep(WAIT_CYCLES);
    wrong += board->users[number].wrong;
    calls += board->users[number].calls;
    cycles += board->users[number].cycles;
  }
  printf("%u calls, from two cores in each task, %u wrong.\n", calls, wrong);
  printf("All have dropped it: %u of its %u pages are still shared.\n", shared_pages(library), FUNCTIONS);
  if (argc > 1 && strcmp(argv[1], "times") == 0)
    printf("Dropping a page took %u cycles.\n", cycles / (USERS * FUNCTIONS));
  end_users();
  must(container_deallocate(library, 0, LIBRARY_BYTES, 0), "container_deallocate");
  printf("The library is gone, and the credit is %s.\n",
         free_frames() == before + FUNCTIONS ? "what it was" : "NOT what it was");
  return wrong != 0;
}
