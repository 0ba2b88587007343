/* Starts hostile tasks in pairs, one on each core, with a control and two containers in common, until they have done
 * enough harm; a task that is ruined by what it does itself is replaced. Afterwards the server must answer, and all
 * credit must be back.   hostile [MESSAGES [COPIES]] */
#include "hostile.h"
#include <stdio.h>
#include <stdlib.h>

#define LIFE_MESSAGES 2500u
#define ROUNDS_MAX 4000u

static slot_t count_page;
static volatile uint32_t *counts;

static struct pair {
  slot_t common, first, second;
  struct task tasks[TASKS];
  slot_t controls[TASKS], threads[TASKS];
} pair;

static void make_container(slot_t *out) {
  must(container_create(pair.common, out), "container_create");
  must(container_allocate(*out, 0, CONTAINER_PAGES * PAGE_SIZE, 0, 0), "container_allocate");
}

/* Waits for the task's first message; others may send anything meanwhile. */
static void meet(uint32_t number, slot_t limited) {
  struct envelope in;
  int error = ipc_receive(&in);
  while (error || in.badge != number + 1 || in.label != HOSTILE_READY || in.caps != 1) {
    for (uint32_t i = 0; !error && i < in.caps; i++)
      sys_cap_delete(received_cap(i));
    error = error ? ipc_receive(&in) : ipc_reply_receive(ENOSYS, 0, 0, &in);
  }
  pair.threads[number] = received_cap(0);
  message_cap(0, pair.common, ALL_RIGHTS);
  message_cap(1, pair.first, ALL_RIGHTS);
  message_cap(2, pair.second, ALL_RIGHTS);
  message_cap(3, limited, ALL_RIGHTS);
  message_words()[0] = number;
  must(ipc_reply(0, 1, 4), "ipc_reply");
}

static void start(uint32_t number, const char *module, const char *amount, uint32_t seed, slot_t limited) {
  char text[16];
  snprintf(text, sizeof text, "%u", seed);
  must(control_split(own_control, TASK_FRAMES, &pair.controls[number]), "control_split");
  const char *const arguments[] = {module, amount, text};
  struct task_spec spec = {module, 3, arguments, pair.controls[number], CONTROL_ALL, number % core_count, number + 1, 0};
  must(task_start(&spec, &pair.tasks[number]), "task_start");
  meet(number, limited);
}

/* A task may have destroyed a control itself, or be at it still: then the slot is empty, or about to be. */
static void destroy(slot_t control) {
  int error;
  while ((error = control_destroy(control)) == EBUSY)
    sys_sleep(10000);
  if (error != EBADF)
    must(error, "control_destroy");
  sys_cap_delete(control);
}

static void end(uint32_t number) {
  thread_wait_end(pair.threads[number]);
  task_forget(number + 1);
  destroy(pair.controls[number]);
  must(container_destroy(pair.tasks[number].image, 0), "container_destroy");
  sys_cap_delete(pair.threads[number]);
  sys_cap_delete(pair.tasks[number].task);
  sys_cap_delete(pair.tasks[number].thread);
}

/* One pair of tasks from birth to death; returns what they have done. */
static uint32_t play_pair(const char *module, const char *amount, uint32_t seed) {
  slot_t limited;
  must(control_split(own_control, COMMON_FRAMES, &pair.common), "control_split");
  make_container(&pair.first);
  make_container(&pair.second);
  must(container_share(count_page, CONTAINER_READ | CONTAINER_WRITE, &limited), "container_share");
  counts[0] = counts[1] = counts[COUNT_GO] = 0;
  for (uint32_t number = 0; number < TASKS; number++)
    start(number, module, amount, seed + number, limited);
  counts[COUNT_GO] = 1;
  for (uint32_t number = 0; number < TASKS; number++)
    end(number);
  must(container_revoke(count_page, limited), "container_revoke");
  destroy(pair.common);
  sys_cap_delete(pair.first);
  sys_cap_delete(pair.second);
  return counts[0] + counts[1];
}

static uint32_t free_frames(void) {
  uint32_t free;
  must(control_query(own_control, 0, &free, 0, 0, 0, 0), "control_query");
  return free;
}

static int play(const char *title, const char *module, uint32_t wanted, uint32_t life) {
  char amount[16];
  uint32_t before = free_frames(), done = 0, rounds = 0;
  snprintf(amount, sizeof amount, "%u", life);
  for (; done < wanted && rounds < ROUNDS_MAX; rounds++)
    done += play_pair(module, amount, 2 * rounds + 1);
  uint32_t after = free_frames();
  int answers = physmem_null(SLOT_PHYSMEM) == 0;
  printf("%u %s: %s.\n  The server %s, the credit is %s.\n", wanted, title, done >= wanted ? "done" : "NOT DONE",
         answers ? "answers" : "is DEAD", before == after ? "what it was" : "NOT what it was");
  return done >= wanted && answers && before == after;
}

int main(int argc, char **argv) {
  uint32_t messages = argc > 1 ? strtoul(argv[1], 0, 0) : 20000;
  uint32_t copies = argc > 2 ? strtoul(argv[2], 0, 0) : 2000;
  must(container_create(own_control, &count_page), "container_create");
  must(container_allocate(count_page, 0, PAGE_SIZE, 0, 0), "container_allocate");
  counts = container_attach(count_page, 0, PAGE_SIZE, ACCESS_READ | ACCESS_WRITE);
  counts[0] = 0;
  int good = play("random messages from two cores", "hostile-random", messages, LIFE_MESSAGES);
  good &= play("copies A to B against B to A", "hostile-race", copies, copies / TASKS);
  return !good;
}
