/* A hostile program: tries slots that were never given, stale slots, objects of the wrong type, and every operation
 * with ridiculous arguments. Nothing of it may be more than an errno, and afterwards the credit is what it was. */
#include "request.h"
#include <names.h>
#include <physmem.h>
#include <stdio.h>

#define VICTIM_FRAMES 8
#define ERRNO_MAX 128

struct victim {
  slot_t control, container, limited;
};

static struct tally {
  uint32_t tried, accepted;
  uint32_t by_errno[ERRNO_MAX];
} tally;

static void count(int error) {
  tally.tried++;
  tally.accepted += error == 0;
  tally.by_errno[error < ERRNO_MAX ? error : ERRNO_MAX - 1]++;
}

static void report(const char *what) {
  printf("%s: %u tried, %u accepted, refused:", what, tally.tried, tally.accepted);
  uint32_t column = 80;
  for (int error = 1; error < ERRNO_MAX; error++)
    if (tally.by_errno[error]) {
      printf(column > 60 ? "\n   %u %s" : ", %u %s", tally.by_errno[error], pm_strerrorname(error));
      column = column > 60 ? 15 : column + 15;
    }
  printf("\n");
  tally = (struct tally){0, 0, {0}};
}

/* One raw request of `words` words of the same value. */
static int invoke(slot_t target, uint32_t op, uint32_t words, uint32_t value) {
  struct request request = REQUEST(op);
  for (uint32_t i = 0; i < words; i++)
    request_word(&request, value);
  return physmem_invoke(target, &request);
}

static void make_victim(struct victim *victim) {
  must(control_split(own_control, VICTIM_FRAMES, &victim->control), "control_split");
  must(container_create(victim->control, &victim->container), "container_create");
  must(container_allocate(victim->container, 0, 2 * PAGE_SIZE, 0, 0), "container_allocate");
  must(container_share(victim->container, ALL_RIGHTS & LIMITED_RIGHTS_MAX, &victim->limited), "container_share");
}

static void destroy_victim(struct victim *victim) {
  control_destroy(victim->control);
  sys_cap_delete(victim->control);
  sys_cap_delete(victim->container);
  sys_cap_delete(victim->limited);
}

static void try_forged_slots(void) {
  static const uint32_t forged[] = {0, 5000, 0x80000000, 0x7fffffff, 0xfffffffe, 0x12345678};
  for (unsigned op = 0; op < operation_name_count; op++) {
    for (unsigned i = 0; i < sizeof forged / sizeof forged[0]; i++)
      count(invoke(forged[i], (uint32_t)operation_names[op].op, 3, PAGE_SIZE));
    for (uint32_t generation = 1; generation <= 8; generation++)
      count(invoke(own_control ^ generation << SLOT_INDEX_BITS, (uint32_t)operation_names[op].op, 1, 1));
  }
  for (uint32_t index = 64; index < SLOT_COUNT; index += 61)
    count(sys_task_destroy(index)), count(sys_cap_delete(index)), count(sys_cap_grant(SLOT_SELF_TASK, index, 1, 0));
  report("forged slots");
}

static void try_stale_slots(void) {
  struct victim victim;
  make_victim(&victim);
  must(control_destroy(victim.control), "control_destroy");
  for (unsigned op = 0; op < operation_name_count; op++) {
    count(invoke(victim.control, (uint32_t)operation_names[op].op, 1, 1));
    count(invoke(victim.container, (uint32_t)operation_names[op].op, 3, PAGE_SIZE));
    count(invoke(victim.limited, (uint32_t)operation_names[op].op, 3, PAGE_SIZE));
  }
  destroy_victim(&victim);
  report("stale slots");
}

static int accepts(const struct operation_name *operation, uint32_t type) {
  return operation->types >> type & 1;
}

static void try_wrong_types(void) {
  struct victim victim;
  make_victim(&victim);
  const slot_t slots[] = {SLOT_PHYSMEM, victim.control, victim.container, victim.limited};
  for (unsigned i = 0; i < sizeof slots / sizeof slots[0]; i++) {
    uint32_t type;
    must(sys_cap_info(slots[i], &type, 0), "sys_cap_info");
    for (unsigned op = 0; op < operation_name_count; op++)
      if (!accepts(&operation_names[op], type))
        count(invoke(slots[i], (uint32_t)operation_names[op].op, 3, PAGE_SIZE));
  }
  for (uint32_t op = 1000; op < 1100; op++)
    count(invoke(SLOT_PHYSMEM, op, 0, 0));
  destroy_victim(&victim);
  report("wrong types and unknown operations");
}

static const uint32_t values[] = {0, 1, 0xfff, 0x1000, 0x7fffffff, 0x80000000, 0xfffff000, 0xffffffff};
#define VALUES (sizeof values / sizeof values[0])

static slot_t target_for(const struct operation_name *operation, const struct victim *victim) {
  return accepts(operation, CAP_CONTAINER) ? victim->container
         : accepts(operation, CAP_CONTROL) ? victim->control
                                           : SLOT_PHYSMEM;
}

/* An operation on a victim, every count of words and items; word i is values[first + i * step]. What happens to make
 * sense is accepted; then the victim is not what it was, and the next request gets a fresh one. */
static void try_arguments(const struct operation_name *operation, uint32_t words, uint32_t caps) {
  struct victim victim;
  make_victim(&victim);
  for (uint32_t pattern = 0; pattern < 3 * VALUES; pattern++) {
    struct request request = REQUEST((uint32_t)operation->op);
    uint32_t first = pattern % VALUES, step = pattern / VALUES;
    for (uint32_t i = 0; i < words; i++)
      request_word(&request, values[(first + i * step) % VALUES]);
    for (uint32_t i = 0; i < caps; i++)
      request_cap(&request, (pattern + i) & 1 ? victim.limited : SLOT_SELF_TASK);
    int error = physmem_invoke(target_for(operation, &victim), &request);
    count(error);
    if (error == 0) {
      destroy_victim(&victim);
      make_victim(&victim);
    }
  }
  destroy_victim(&victim);
}

static void try_ridiculous_arguments(void) {
  for (unsigned op = 0; op < operation_name_count; op++)
    for (uint32_t caps = 0; caps <= 2; caps++) {
      for (uint32_t words = 0; words <= 6; words++)
        try_arguments(&operation_names[op], words, caps);
      try_arguments(&operation_names[op], MESSAGE_WORDS_MAX, caps);
    }
  report("ridiculous arguments");
}

int main(void) {
  uint32_t before, after;
  must(control_query(own_control, 0, &before, 0, 0, 0, 0), "control_query");
  try_forged_slots();
  try_stale_slots();
  try_wrong_types();
  try_ridiculous_arguments();
  must(control_query(own_control, 0, &after, 0, 0, 0, 0), "control_query");
  printf("the server answers (%s), the credit is %s\n", pm_strerrorname(physmem_null(SLOT_PHYSMEM)),
         before == after ? "what it was" : "NOT what it was");
  return before == after ? 0 : 1;
}
