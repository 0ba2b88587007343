/* One task of the tree: its heap is a copy-on-write copy of its parent's, paid by its own control. It writes one page
 * before it is copied and one afterwards, and must never see what others write after the copy. */
#include "fork.h"
#include <stdio.h>

#define PAGE_WORDS (PAGE_SIZE / 4)

static uint32_t node;
static slot_t heap;
static volatile uint32_t *memory;

/* Whether it has written its second page, after its heap was copied. */
static int is_late;

static uint32_t late_page(void) {
  return NODES + 1 + node;
}

/* Who wrote a page last, as this node must see it: the nearest of its ancestors that did, else node 0. What they wrote
 * after the copy is not seen. */
static uint32_t writer(uint32_t page) {
  uint32_t at = node;
  if (is_late && page == late_page())
    return node + NODES;
  while (at != 0 && at != page)
    at = (at - 1) / 2;
  return at;
}

static uint32_t stamp(uint32_t who, uint32_t page) {
  return who << 16 | page << 8 | 0x55;
}

static void write_page(uint32_t page) {
  memory[page * PAGE_WORDS] = stamp(writer(page), page);
  memory[(page + 1) * PAGE_WORDS - 1] = ~stamp(writer(page), page);
}

/* All copies of this heap exist by now. */
static void write_late(void) {
  is_late = 1;
  write_page(late_page());
}

static uint32_t wrong_words(void) {
  uint32_t wrong = 0;
  for (uint32_t page = 0; page < HEAP_PAGES; page++) {
    uint32_t expected = stamp(writer(page), page);
    wrong += memory[page * PAGE_WORDS] != expected;
    wrong += memory[(page + 1) * PAGE_WORDS - 1] != ~expected;
  }
  return wrong;
}

/* Page by page, as frames of their own: a break copies a whole frame. */
static void make_first_heap(void) {
  for (uint32_t page = 0; page < HEAP_PAGES; page++)
    must(container_allocate(heap, page * PAGE_SIZE, PAGE_SIZE, 0, 0), "container_allocate");
}

static slot_t begin(slot_t parent) {
  slot_t limited;
  must(container_create(own_control, &heap), "container_create");
  memory = container_attach(heap, 0, HEAP_BYTES, ACCESS_READ | ACCESS_WRITE);
  if (parent)
    must(container_copy(parent, 0, 0, HEAP_BYTES, COPY_ALL_OR_NONE, heap, 0), "container_copy");
  else
    make_first_heap();
  if (parent)
    write_page(node);
  else
    for (uint32_t page = 0; page < HEAP_PAGES; page++)
      write_page(page);
  must(container_share(heap, CONTAINER_READ | CONTAINER_COPY_OUT, &limited), "container_share");
  return limited;
}

static uint32_t shared_pages(void) {
  uint32_t states[HEAP_PAGES], count = 0;
  must(container_query(heap, 0, HEAP_BYTES, 0, states, HEAP_PAGES), "container_query");
  for (uint32_t page = 0; page < HEAP_PAGES; page++)
    count += (states[page] & PAGE_COW) != 0;
  return count;
}

int main(void) {
  struct envelope in;
  message_cap(0, main_thread, THREAD_SEND);
  must(ipc_call(starter_thread, FORK_READY, 0, 1, 0), "ipc_call");
  int error = ipc_receive(&in);
  while (!error) {
    uint32_t caps = 0;
    if (in.label == FORK_BEGIN) {
      slot_t parent = in.caps ? received_cap(0) : 0;
      node = message_words()[0];
      slot_t limited = begin(parent);
      message_cap(caps++, limited, ALL_RIGHTS);
    } else if (!is_late) {
      write_late();
    }
    uint32_t shared = shared_pages();
    uint32_t wrong = wrong_words();
    message_words()[0] = wrong;
    message_words()[1] = shared;
    error = ipc_reply_receive(0, 2, caps, &in);
  }
  must(error, "ipc_reply_receive");
  return 1;
}
