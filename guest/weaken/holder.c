/* A task that is given controls and containers which lack rights, and tries what needs them. */
#include "weaken.h"
#include <stdio.h>
#include <string.h>

static slot_t control, container;
static uint32_t window;

static void try_control(struct control_report *report) {
  slot_t made = 0;
  uint32_t type;
  sys_cap_info(control, &type, &report->rights);
  if (sys_cap_copy(control, ALL_RIGHTS, &made) == 0)
    sys_cap_info(made, &type, &report->regained);
  report->split = (uint32_t)control_split(control, 1, 0);
  report->create = (uint32_t)container_create(control, &made);
  report->query = (uint32_t)control_query(control, 0, 0, 0, 0, 0, 0);
  report->sponsor = (uint32_t)control_sponsor(control, SLOT_SELF_TASK);
  report->destroy = (uint32_t)control_destroy(control);
  if (report->create)
    return;
  container = made;
  must(container_allocate(container, 0, HOLDER_PAGES * PAGE_SIZE, 0, 0), "container_allocate");
  must(container_map(container, 0, HOLDER_PAGES * PAGE_SIZE, window, ACCESS_READ | ACCESS_WRITE, 0, 0, 0, 0),
       "container_map");
  *(volatile uint32_t *)window = task_number();
}

static int pass_on(slot_t other, uint32_t rights) {
  message_cap(0, control, rights);
  return ipc_call(other, WEAKEN_CONTROL, 0, 1, 0);
}

/* One page of the container, mapped with an access that needs the right. */
static int map_with(slot_t weak, uint32_t access) {
  return container_map(weak, 0, PAGE_SIZE, window + HOLDER_PAGES * PAGE_SIZE, access, 0, 0, 0, 0);
}

static int try_right(uint32_t right, slot_t weak, slot_t full) {
  switch (right) {
  case CONTAINER_READ: return map_with(weak, ACCESS_READ);
  case CONTAINER_WRITE: return map_with(weak, ACCESS_READ | ACCESS_WRITE);
  case CONTAINER_EXECUTE: return map_with(weak, ACCESS_READ | ACCESS_EXECUTE);
  case CONTAINER_ALLOCATE: return container_allocate(weak, PAGE_SIZE, PAGE_SIZE, 0, 0);
  case CONTAINER_DEALLOCATE: return container_release(weak, 0, PAGE_SIZE, 0, 0);
  case CONTAINER_COPY_OUT: return container_copy(weak, 0, 0, PAGE_SIZE, 0, full, 0);
  case CONTAINER_COPY_IN: return container_copy(full, 0, PAGE_SIZE, PAGE_SIZE, 0, weak, 0);
  case CONTAINER_LOCK: return container_lock(weak, 1000);
  case CONTAINER_PIN: return container_pin(weak, 0, PAGE_SIZE, 1000, 0, 0, 0, 0, 0, 0);
  case CONTAINER_SHARE: return container_share(weak, CONTAINER_READ, 0);
  case CONTAINER_DESTROY: return container_destroy(weak, 0);
  default: return container_query(weak, 0, PAGE_SIZE, 0, 0, 0);
  }
}

static uint32_t serve(uint32_t label, uint32_t *words) {
  uint32_t word = words[0];
  slot_t first = received_cap(0), second = received_cap(1);
  if (label == WEAKEN_CONTROL) {
    struct control_report report = {0};
    control = first;
    try_control(&report);
    memcpy(words, &report, sizeof report);
    return REPORT_WORDS;
  }
  if (label == WEAKEN_PASS) {
    must(pass_on(first, word), "passing on");
    return REPORT_WORDS;
  }
  if (label == WEAKEN_CONTAINER) {
    char sentence[SENTENCE_BYTES];
    int error = try_right(word, first, second);
    pm_explain(sentence, sizeof sentence, error);
    sys_cap_delete(first);
    sys_cap_delete(second);
    words[0] = (uint32_t)error;
    memcpy(words + 1, sentence, sizeof sentence);
    return 1 + SENTENCE_BYTES / 4;
  }
  /* The calls use the words of the message area too. */
  uint32_t map = (uint32_t)container_map(container, 0, PAGE_SIZE, window, ACCESS_READ, 0, 0, 0, 0);
  uint32_t query = (uint32_t)control_query(control, 0, 0, 0, 0, 0, 0);
  words[0] = map;
  words[1] = query;
  return 2;
}

int main(void) {
  struct envelope in;
  window = vaddr_reserve((HOLDER_PAGES + 1) * PAGE_SIZE, PAGE_SIZE);
  message_cap(0, main_thread, THREAD_SEND);
  must(ipc_call(starter_thread, WEAKEN_READY, 0, 1, 0), "ipc_call");
  int error = ipc_receive(&in);
  while (!error)
    error = ipc_reply_receive(0, serve(in.label, message_words()), 0, &in);
  must(error, "ipc_reply_receive");
  return 1;
}
