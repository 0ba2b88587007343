/* The story's child: lives on a control of 10 frames, allocates, shares, copies, and is destroyed while it reads its
 * memory. */
#include "story.h"
#include <stdio.h>
#include <stdlib.h>

#define WHO "child:"

static slot_t container, copy, limited;
static char *memory, *copied;

static void call_root(uint32_t label, uint32_t words, uint32_t caps) {
  struct envelope reply;
  must(ipc_call(starter_thread, label, words, caps, &reply), "ipc_call");
}

static void greet(void) {
  message_cap(0, main_thread, THREAD_SEND);
  call_root(STORY_STARTED, 0, 1);
  printf(WHO " I am task %u, on core %u, with the control that I was given.\n", task_number(), core_number());
  printf(WHO "   (charged: page directory, system table, message frame, page table)\n");
  show_control(WHO, "my control", own_control);
}

static void allocate(void) {
  printf(WHO " I create a container and allocate %u KiB in it.\n", STORY_BYTES / 1024);
  must(container_create(own_control, &container), "container_create");
  must(container_allocate(container, 0, STORY_BYTES, ALLOC_ALL_OR_NONE, 0), "container_allocate");
  show_pages(WHO, container, STORY_BYTES);
  show_control(WHO, "my control", own_control);
}

static void write_pattern(void) {
  uint32_t faults = pager_fault_count();
  memory = container_attach(container, 0, STORY_BYTES, ACCESS_READ | ACCESS_WRITE);
  printf(WHO " I write; my own pager thread serves the page faults.\n");
  for (uint32_t page = 0; page < STORY_BYTES / PAGE_SIZE; page++)
    snprintf(memory + page * PAGE_SIZE, PAGE_SIZE, "page %u, written by task %u on core %u", page, task_number(),
             core_number());
  printf(WHO "   faults served: %u\n", pager_fault_count() - faults);
  show_pages(WHO, container, STORY_BYTES);
}

static void share(void) {
  uint32_t sum = checksum(memory, STORY_BYTES);
  printf(WHO " I share it with the root: a limited capability to read and copy.\n");
  printf(WHO "   checksum of all %u bytes: 0x%08x\n", STORY_BYTES, sum);
  must(container_share(container, CONTAINER_READ | CONTAINER_COPY_OUT | CONTAINER_QUERY, &limited),
       "container_share");
  message_cap(0, limited, ALL_RIGHTS);
  message_words()[0] = STORY_BYTES;
  call_root(STORY_SHARED, 1, 1);
  uint32_t seen = message_words()[0];
  printf(WHO " The root saw 0x%08x: %s.\n", seen, seen == sum ? "the same bytes" : "NOT the same bytes");
}

static void copy_on_write(void) {
  printf(WHO " I copy the %u KiB to a second container: names only, no bytes.\n", STORY_BYTES / 1024);
  must(container_create(own_control, &copy), "container_create");
  must(container_copy(container, 0, 0, STORY_BYTES, 0, copy, 0), "container_copy");
  show_pages(WHO, copy, STORY_BYTES);
  show_control(WHO, "my control", own_control);
  copied = container_attach(copy, 0, STORY_BYTES, ACCESS_READ | ACCESS_WRITE);
  printf(WHO " I write to the first page of the copy; that breaks the sharing.\n");
  snprintf(copied, PAGE_SIZE, "this page is my own now");
  printf(WHO "   original: \"%s\"\n", memory);
  printf(WHO "   copy:     \"%s\"\n", copied);
  show_pages(WHO, copy, STORY_BYTES);
}

static void ask_too_much(void) {
  char sentence[200];
  pm_explain(sentence, sizeof sentence, container_allocate(copy, STORY_BYTES, PAGE_SIZE, 0, 0));
  printf(WHO " I ask for one page more:\n" WHO "   %s\n", sentence);
}

static void revoke(void) {
  printf(WHO " I revoke the root's capability.\n");
  must(container_revoke(container, limited), "container_revoke");
  call_root(STORY_REVOKED, 0, 0);
}

/* Runs in the pager's thread when the memory is gone for good. */
static void end(uint32_t address, const char *why) {
  (void)address;
  (void)why;
  exit(0);
}

int main(void) {
  greet();
  allocate();
  write_pattern();
  share();
  copy_on_write();
  ask_too_much();
  revoke();
  printf(WHO " I read my page for ever now.\n");
  pager_refusal = end;
  call_root(STORY_SPINNING, 0, 0);
  for (;;)
    (void)*(volatile char *)memory;
}
