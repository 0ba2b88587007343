/* What all parts use. */
#include "refusals.h"
#include <stdio.h>
#include <string.h>

static uint32_t failed;
static slot_t fillers[SLOT_COUNT];
static uint32_t filler_count;

/* How long a lock goes on depends on the interleaving, so that is not printed. */
static int visible_length(const char *sentence) {
  const char *locked = strstr(sentence, " locked for ");
  return locked ? locked - sentence + 7 : (int)strlen(sentence);
}

void expect(const char *what, int error, int wanted) {
  char sentence[160];
  pm_explain(sentence, sizeof sentence, error);
  if (error != wanted)
    printf("  WRONG, %s was wanted:\n", pm_strerrorname(wanted));
  printf("  %-34s %s\n", what, pm_strerrorname(error));
  const char *detail = strchr(sentence, ':');
  if (detail && strcmp(detail + 2, pm_strerror(error)) != 0)
    printf("      %.*s\n", visible_length(detail + 2), detail + 2);
  failed += error != wanted;
}

uint32_t failures(void) {
  return failed;
}

slot_t without(slot_t slot, uint32_t rights) {
  slot_t weak;
  must(sys_cap_copy(slot, ALL_RIGHTS & ~rights, &weak), "sys_cap_copy");
  return weak;
}

slot_t make_task(void) {
  slot_t task;
  must(sys_task_create(&task), "sys_task_create");
  must(control_sponsor(own_control, task), "control_sponsor");
  return task;
}

slot_t dead_task(void) {
  slot_t task;
  must(sys_task_create(&task), "sys_task_create");
  must(sys_task_destroy(task), "sys_task_destroy");
  return task;
}

void fill_slots(void) {
  while (sys_cap_copy(SLOT_PHYSMEM, 0, &fillers[filler_count]) == 0)
    filler_count++;
}

void free_slots(void) {
  while (filler_count > 0)
    sys_cap_delete(fillers[--filler_count]);
}
