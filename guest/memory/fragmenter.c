/* Fragments the memory of the machine: `fragmenter SEED WRITERS ["PROGRAM ARGUMENTS" ...]`. Fills all memory with single
 * frames and takes three of four away at random. Then WRITERS threads write to what is left, each on a core of its own,
 * and the programs (boot modules) are started on the cores after those, the last one with most of the credit. When they
 * are done, it looks whether what it kept is still what it was, and no write is missing: memory may have been moved
 * meanwhile. */
#include "load.h"
#include "random.h"
#include "writers.h"
#include <stdio.h>
#include <stdlib.h>

#define KEEP_ONE_OF 4u
#define PAGES_MAX 65536u
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
/* One bit for each page. */
static uint32_t kept[PAGES_MAX / 32];

static uint32_t *page_at(uint32_t page) {
  return (uint32_t *)(memory + page * PAGE_SIZE);
}

static void fill(void) {
  uint32_t credit = load_credit();
  pages = credit - SPARE_FRAMES - credit / PAGES_PER_TABLE;
  if (pages > PAGES_MAX)
    pages = PAGES_MAX;
  must(container_create(own_control, &container), "container_create");
  memory = container_attach(container, 0, pages * PAGE_SIZE, ACCESS_READ | ACCESS_WRITE);
  load_fill(container, pages, memory);
  for (uint32_t page = 0; page < pages; page++)
    *page_at(page) = page + 1;
  printf("fragmenter: %u of %u frames are filled, %u KiB\n", pages, credit, pages * 4);
}

static int is_kept(uint32_t page) {
  return kept[page / 32] >> page % 32 & 1;
}

static void thin_out(uint32_t seed) {
  struct random random = random_seeded(seed);
  uint32_t freed = 0;
  for (uint32_t page = 0; page < pages; page++) {
    if (random_below(&random, KEEP_ONE_OF) == 0) {
      kept[page / 32] |= 1u << page % 32;
      continue;
    }
    must(container_deallocate(container, page * PAGE_SIZE, PAGE_SIZE, 0), "container_deallocate");
    freed++;
  }
  printf("fragmenter: %u frames taken away at random, every fourth stays: %u\n", freed, pages - freed);
}

static uint32_t count_damaged(void) {
  uint32_t damaged = 0;
  for (uint32_t page = 0; page < pages; page++)
    damaged += is_kept(page) && *page_at(page) != page + 1;
  return damaged;
}

static void start(const char *text, uint32_t number, uint32_t core, uint32_t frames) {
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
                           core % core_count, number, 0};
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

static void run_programs(uint32_t count, char **commands, uint32_t first_core) {
  for (uint32_t i = 0; i < count; i++) {
    uint32_t rest = load_credit() - SPARE_FRAMES / 2; /* half of the spare frames is for the images */
    start(commands[i], i + 1, first_core + i, i + 1 < count ? PROGRAM_FRAMES : rest);
  }
  if (count > 0)
    serve(count);
}

int main(int argc, char **argv) {
  uint32_t seed = argc > 1 ? (uint32_t)atoi(argv[1]) : 1;
  uint32_t writers = argc > 2 ? (uint32_t)atoi(argv[2]) : 0;
  uint32_t programs = argc > 3 ? (uint32_t)argc - 3 : 0;
  if (programs > PROGRAMS_MAX || writers > WRITERS_MAX) {
    printf("fragmenter: %u writers and %u programs, there may be %u and %u\n", writers, programs, WRITERS_MAX,
           PROGRAMS_MAX);
    return 1;
  }
  fill();
  thin_out(seed);
  writers_start(writers, memory, kept, pages);
  run_programs(programs, argv + 3, core_number() + writers + 1);
  uint32_t missing = writers_stop(), damaged = count_damaged();
  if (writers > 0)
    printf("fragmenter: of %u writes, %u are missing\n", writers_total(), missing);
  printf("fragmenter: what was kept is %s\n", damaged + missing ? "DAMAGED" : "as it was");
  return damaged + missing ? 1 : 0;
}
