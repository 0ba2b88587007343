/* Fragments the memory of the machine: `fragmenter SEED ["PROGRAM ARGUMENTS" ...]`. Fills all memory with single
 * frames, takes three of four away at random, then starts the programs (boot modules), each on a core of its own, the last
 * one with most of the credit, and waits for them. Then it looks whether what it kept is still what it was: memory may
 * have been moved meanwhile. */
#include "load.h"
#include "random.h"
#include <stdio.h>
#include <stdlib.h>

#define KEEP_ONE_OF 4u
#define PAGES_PER_TABLE 1024u
#define PROGRAMS_MAX 8
#define ARGUMENTS_MAX 8
#define COMMAND_BYTES 200
/* Credit that is not filled: page tables and images of the programs. */
#define SPARE_FRAMES 96u
/* Credit of each program but the last one, which gets the rest. */
#define PROGRAM_FRAMES 1280u

static slot_t container;
static char *memory;
static uint32_t pages;

static uint32_t *page_at(uint32_t page) {
  return (uint32_t *)(memory + page * PAGE_SIZE);
}

static void fill(void) {
  uint32_t credit = load_credit();
  pages = credit - SPARE_FRAMES - credit / PAGES_PER_TABLE;
  must(container_create(own_control, &container), "container_create");
  memory = container_attach(container, 0, pages * PAGE_SIZE, ACCESS_READ | ACCESS_WRITE);
  load_fill(container, pages, memory);
  for (uint32_t page = 0; page < pages; page++)
    *page_at(page) = page + 1;
  printf("fragmenter: %u of %u frames are filled, %u KiB\n", pages, credit, pages * 4);
}

/* Which pages are kept is decided by the seed alone, so that it can be said again later. */
static int is_kept(struct random *random) {
  return random_below(random, KEEP_ONE_OF) == 0;
}

static void thin_out(uint32_t seed) {
  struct random random = random_seeded(seed);
  uint32_t freed = 0;
  for (uint32_t page = 0; page < pages; page++) {
    if (is_kept(&random))
      continue;
    must(container_deallocate(container, page * PAGE_SIZE, PAGE_SIZE, 0), "container_deallocate");
    freed++;
  }
  printf("fragmenter: %u frames taken away at random, every fourth stays: %u\n", freed, pages - freed);
}

static uint32_t count_damaged(uint32_t seed) {
  struct random random = random_seeded(seed);
  uint32_t damaged = 0;
  for (uint32_t page = 0; page < pages; page++)
    damaged += is_kept(&random) && *page_at(page) != page + 1;
  return damaged;
}

static void start(const char *text, uint32_t number, uint32_t frames) {
  char command[COMMAND_BYTES];
  const char *arguments[ARGUMENTS_MAX];
  int count = 0;
  slot_t control;
  struct task task;
  snprintf(command, sizeof command, "%s", text);
  for (char *at = command; *at && count < ARGUMENTS_MAX; count++) {
    arguments[count] = at;
    while (*at && *at != ' ')
      at++;
    if (*at)
      *at++ = 0;
  }
  must(control_split(own_control, frames, &control), "control_split");
  struct task_spec spec = {arguments[0], count, arguments, control, CONTROL_ALL & ~CONTROL_DESTROY,
                           number % core_count, number, 0};
  must(task_start(&spec, &task), arguments[0]);
}

/* Answers the programs until each has said that it is done. */
static void serve(uint32_t running) {
  struct envelope in;
  must(ipc_receive(&in), "ipc_receive");
  for (;;) {
    running -= in.label == LOAD_DONE;
    if (running == 0)
      break;
    must(ipc_reply_receive(0, 0, 0, &in), "ipc_reply_receive");
  }
  must(ipc_reply(0, 0, 0), "ipc_reply");
}

int main(int argc, char **argv) {
  uint32_t seed = argc > 1 ? (uint32_t)atoi(argv[1]) : 1;
  uint32_t programs = argc > 2 ? (uint32_t)argc - 2 : 0;
  if (programs > PROGRAMS_MAX) {
    printf("fragmenter: %u programs are too many, at most %u\n", programs, PROGRAMS_MAX);
    return 1;
  }
  fill();
  thin_out(seed);
  if (programs > 0) {
    for (uint32_t i = 0; i < programs; i++) {
      uint32_t rest = load_credit() - SPARE_FRAMES / 2; /* half of the spare frames is for the images */
      start(argv[2 + i], i + 1, i + 1 < programs ? PROGRAM_FRAMES : rest);
    }
    serve(programs);
  }
  uint32_t damaged = count_damaged(seed);
  printf("fragmenter: what was kept is %s\n", damaged ? "DAMAGED" : "as it was");
  return damaged ? 1 : 0;
}
