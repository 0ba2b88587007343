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
  printf("%s: %u tried, %u accepted; refused with", what, tally.tried, tally.accepted);
  for (int error = 1; error < ERRNO_MAX; error++)
    if (tally.by_errno[error])
      printf(" %s %u", pm_strerrorname(error), tally.by_errno[error]);
  printf("\n");
  tally = (struct tally){0, 0, {0}};
}

/* One raw request: `words` words of the same value and `caps` capability items of the same slot. */
static int invoke(slot_t target, uint32_t op, uint32_t words, uint32_t value, uint32_t caps, slot_t cap) {
  struct request request = REQUEST(op);
  for (uint32_t i = 0; i < words; i++)
    request_word(&request, value);
  for (uint32_t i = 0; i < caps; i++)
    request_cap(&request, cap);
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
      count(invoke(forged[i], (uint32_t)operation_names[op].op, 3, PAGE_SIZE, 0, 0));
    for (uint32_t generation = 1; generation <= 8; generation++)
      count(invoke(own_control ^ generation << SLOT_INDEX_BITS, (uint32_t)operation_names[op].op, 1, 1, 0, 0));
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
    count(invoke(victim.control, (uint32_t)operation_names[op].op, 1, 1, 0, 0));
    count(invoke(victim.container, (uint32_t)operation_names[op].op, 3, PAGE_SIZE, 0, 0));
    count(invoke(victim.limited, (uint32_t)operation_names[op].op, 3, PAGE_SIZE, 0, 0));
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
        count(invoke(slots[i], (uint32_t)operation_names[op].op, 3, PAGE_SIZE, 0, 0));
  }
  for (uint32_t op = 1000; op < 1100; op++)
    count(invoke(SLOT_PHYSMEM, op, 0, 0, 0, 0));
  destroy_victim(&victim);
  report("wrong types and unknown operations");
}

/* Every operation on an object of the right type; what happens to be sensible may be accepted. */
static void try_ridiculous_arguments(void) {
  static const uint32_t values[] = {0, 1, 0xfff, 0x1001, 0x7fffffff, 0x80000000, 0xfffff000, 0xffffffff};
  struct victim victim;
  for (unsigned op = 0; op < operation_name_count; op++)
    for (unsigned i = 0; i < sizeof values / sizeof values[0]; i++)
      for (uint32_t words = 0; words <= 60; words = words < 6 ? words + 1 : words + 27) {
        make_victim(&victim);
        const struct operation_name *operation = &operation_names[op];
        slot_t target = accepts(operation, CAP_CONTAINER) ? victim.container
                        : accepts(operation, CAP_CONTROL) ? victim.control
                                                          : SLOT_PHYSMEM;
        count(invoke(target, (uint32_t)operation->op, words, values[i], words & 1, victim.limited));
        destroy_victim(&victim);
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
