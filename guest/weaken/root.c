/* Rights only shrink. Two tasks hold the same control, which may create and be asked but not split or destroyed; one
 * passes it on with even less. Then containers that each lack one right. At last the owner destroys the control that
 * both hold, and what they made with it is gone for both. */
#include "weaken.h"
#include <names.h>
#include <stdio.h>
#include <string.h>

#define HOLDERS 2

static struct holder {
  struct task task;
  slot_t control, thread;
} holders[HOLDERS];

static void start_holder(uint32_t number) {
  struct holder *holder = &holders[number];
  struct envelope in;
  must(control_split(own_control, HOLDER_FRAMES, &holder->control), "control_split");
  const char *const arguments[] = {"weaken-holder"};
  struct task_spec spec = {"weaken-holder", 1, arguments, holder->control, 0, number % core_count, number + 1, 0};
  must(task_start(&spec, &holder->task), "task_start");
  must(ipc_receive(&in), "ipc_receive");
  holder->thread = received_cap(0);
  must(ipc_reply(0, 0, 0), "ipc_reply");
}

static void end_holder(uint32_t number) {
  task_forget(number + 1);
  must(control_destroy(holders[number].control), "control_destroy");
  must(container_destroy(holders[number].task.image, 0), "container_destroy");
}

static const char *name_of(uint32_t error) {
  return error ? pm_strerrorname((int)error) : "done";
}

static void print_rights(uint32_t type, uint32_t rights) {
  for (unsigned i = 0; i < right_name_count; i++)
    if (right_names[i].type == type && rights & right_names[i].bit)
      printf(" %s", right_names[i].name);
}

/* Prints the report in the message area; returns whether it is as the rights say. */
static int show_report(const char *who) {
  struct control_report report;
  memcpy(&report, message_words(), sizeof report);
  printf("%s may:", who);
  print_rights(CAP_CONTROL, report.rights);
  printf("\n  split %s, create %s, query %s, sponsor %s, destroy %s\n", name_of(report.split), name_of(report.create),
         name_of(report.query), name_of(report.sponsor), name_of(report.destroy));
  printf("  it copies the slot and asks for all rights; the copy may:");
  print_rights(CAP_CONTROL, report.regained);
  printf("\n");
  return report.regained == report.rights && report.split == EPERM && report.destroy == EPERM &&
         report.query == 0 && (report.create == 0) == (report.rights & CONTROL_CREATE) / CONTROL_CREATE;
}

static int give(uint32_t number, const char *who, slot_t control) {
  message_cap(0, control, CONTROL_CREATE | CONTROL_QUERY);
  must(ipc_call(holders[number].thread, WEAKEN_CONTROL, 0, 1, 0), "WEAKEN_CONTROL");
  return show_report(who);
}

static void show_credit(slot_t control) {
  uint32_t total, free, charged;
  must(control_query(control, &total, &free, &charged, 0, 0, 0), "control_query");
  printf("The control: total %u = free %u + charged %u\n", total, free, charged);
}

static int pass_on(void) {
  message_words()[0] = CONTROL_QUERY | CONTROL_DESTROY;
  message_cap(0, holders[1].thread, ALL_RIGHTS);
  must(ipc_call(holders[0].thread, WEAKEN_PASS, 1, 1, 0), "WEAKEN_PASS");
  return show_report("A passes it to B with QUERY, and DESTROY which it does not have. B");
}

static slot_t make_container(void) {
  slot_t container;
  must(container_create(own_control, &container), "container_create");
  must(container_allocate(container, 0, PAGE_SIZE, 0, 0), "container_allocate");
  return container;
}

/* A container without one right goes to A; returns whether the refusal names the right. */
static int without(const struct right_name *right) {
  slot_t weak = make_container(), full = make_container();
  if (right->bit == CONTAINER_COPY_OUT)
    must(container_deallocate(full, 0, PAGE_SIZE, 0), "container_deallocate");
  message_words()[0] = right->bit;
  message_cap(0, weak, ALL_RIGHTS & ~right->bit);
  message_cap(1, full, ALL_RIGHTS);
  must(ipc_call(holders[0].thread, WEAKEN_CONTAINER, 1, 2, 0), "WEAKEN_CONTAINER");
  uint32_t error = message_words()[0];
  char sentence[SENTENCE_BYTES];
  memcpy(sentence, message_words() + 1, sizeof sentence);
  printf("  without %-10s  %s\n", right->name, sentence);
  must(container_destroy(weak, 0), "container_destroy");
  must(container_destroy(full, 0), "container_destroy");
  sys_cap_delete(weak);
  sys_cap_delete(full);
  return error == EPERM && strstr(sentence, right->name) != 0;
}

static int try_containers(void) {
  int good = 1;
  printf("A gets containers that lack one right each, and tries what needs it:\n");
  for (unsigned i = 0; i < right_name_count; i++)
    if (right_names[i].type == CAP_CONTAINER)
      good &= without(&right_names[i]);
  return good;
}

static int take_back(slot_t shared) {
  int good = 1;
  must(control_destroy(shared), "control_destroy");
  printf("I destroy the control.\n");
  for (uint32_t i = 0; i < HOLDERS; i++) {
    must(ipc_call(holders[i].thread, WEAKEN_GONE, 0, 0, 0), "WEAKEN_GONE");
    uint32_t map = message_words()[0], query = message_words()[1];
    good &= map == EBADF && query == EBADF;
    printf("  %c maps what it made with it: %s; asks it: %s\n", (int)('A' + i), name_of(map), name_of(query));
  }
  return good;
}

static uint32_t free_frames(void) {
  uint32_t free;
  must(control_query(own_control, 0, &free, 0, 0, 0, 0), "control_query");
  return free;
}

int main(void) {
  slot_t shared;
  uint32_t before = free_frames();
  must(control_split(own_control, SHARED_FRAMES, &shared), "control_split");
  for (uint32_t i = 0; i < HOLDERS; i++)
    start_holder(i);
  printf("I give a control of %u frames to two tasks.\n", SHARED_FRAMES);
  int good = give(0, "A", shared);
  good &= give(1, "B", shared);
  show_credit(shared);
  good &= pass_on();
  good &= try_containers();
  good &= take_back(shared);
  for (uint32_t i = 0; i < HOLDERS; i++)
    end_holder(i);
  uint32_t after = free_frames();
  printf("Each right that was missing was refused: %s. The credit is %s.\n", good ? "yes" : "NO",
         before == after ? "what it was" : "NOT what it was");
  return !good || before != after;
}
