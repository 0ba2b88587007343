/* A cache that takes all memory which nobody needs: its pages are extra memory, beyond a guarantee of one frame. When
 * physmem asks for some of them, a kind cache gives half of them back for good and half softly, so that it may find
 * them again; a rude one does not listen. */
#include "hog.h"
#include <stdio.h>
#include <string.h>

#define CHUNK_PAGES 64u
#define RETURN_BADGE 7u
#define PAGE_WORDS (PAGE_SIZE / 4)

static slot_t cache_control, cache;
static volatile uint32_t *memory;
static uint32_t end;                /* pages of the container that were ever named */
static volatile uint32_t asked;
static lock_t busy;                 /* the two threads change the cache in turn */
static char stack[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

static uint32_t stamp(uint32_t page) {
  return task_number() << 24 | page << 4 | 0xc;
}

/* What is known of the pages that were looked at last. */
#define WINDOW 32u
static uint32_t states[WINDOW];

static void look(uint32_t first, uint32_t pages) {
  must(container_query(cache, first * PAGE_SIZE, pages * PAGE_SIZE, 0, states, WINDOW), "container_query");
}

static int is_real(uint32_t state) {
  return (state & (PAGE_BOUND | PAGE_SOFT)) == PAGE_BOUND;
}

static int is_soft(uint32_t state) {
  return (state & PAGE_SOFT) != 0;
}

/* The first page from `page` on that is as wanted, or the end of what was looked at. */
static uint32_t skip_until(int (*wanted)(uint32_t state), uint32_t page, uint32_t stop) {
  uint32_t size = stop - page < WINDOW ? stop - page : WINDOW, i = 0;
  look(page, size);
  while (i < size && !wanted(states[i]))
    i++;
  return page + i;
}

/* Maps what is there of a range, and calls `visit` for every page of it. Returns the pages that are there. */
static uint32_t visit_pages(uint32_t first, uint32_t pages, void (*visit)(uint32_t page)) {
  uint32_t there = 0, page = first;
  while (page < first + pages) {
    uint32_t amount = 0;
    int error = container_map(cache, page * PAGE_SIZE, (first + pages - page) * PAGE_SIZE,
                              (uint32_t)memory + page * PAGE_SIZE, ACCESS_READ | ACCESS_WRITE, 0, 0, &amount, 0);
    for (uint32_t i = 0; i < amount / PAGE_SIZE; i++)
      visit(page + i);
    there += amount / PAGE_SIZE;
    page += amount / PAGE_SIZE;
    if (error && error != ENOENT && error != ENOMEM)
      must(error, "container_map");
    if (error == ENOMEM) /* nobody has memory for this one */
      page++;
    else if (error)
      page = skip_until(is_real, page, first + pages);
  }
  return there;
}

static void write_page(uint32_t page) {
  memory[page * PAGE_WORDS] = stamp(page);
  memory[page * PAGE_WORDS + PAGE_WORDS - 1] = ~stamp(page);
}

static uint32_t wrong;

static void check_page(uint32_t page) {
  wrong += memory[page * PAGE_WORDS] != stamp(page) || memory[page * PAGE_WORDS + PAGE_WORDS - 1] != ~stamp(page);
}

/* Names that found no memory are of no use. */
static void drop_unbound(uint32_t first, uint32_t pages) {
  for (uint32_t page = first; page < first + pages; page++) {
    look(page, 1);
    if (!(states[0] & PAGE_BOUND))
      must(container_deallocate(cache, page * PAGE_SIZE, PAGE_SIZE, 0), "container_deallocate");
  }
}

static void fill(uint32_t pages) {
  int error = 0;
  while (pages > 0 && !error) {
    uint32_t chunk = pages < CHUNK_PAGES ? pages : CHUNK_PAGES, amount;
    error = container_allocate(cache, end * PAGE_SIZE, chunk * PAGE_SIZE, ALLOC_EXTRA, &amount);
    if (visit_pages(end, amount / PAGE_SIZE, write_page) < amount / PAGE_SIZE)
      drop_unbound(end, amount / PAGE_SIZE);
    end += amount / PAGE_SIZE;
    pages -= amount / PAGE_SIZE;
  }
}

static void give_run(uint32_t first, uint32_t pages, int softly) {
  if (softly)
    must(container_release(cache, first * PAGE_SIZE, pages * PAGE_SIZE, RELEASE_SOFT, 0), "container_release");
  else
    must(container_deallocate(cache, first * PAGE_SIZE, pages * PAGE_SIZE, 0), "container_deallocate");
}

/* Gives so many pages back, the newest first: for good, or softly. */
static void give_back(uint32_t pages, int softly) {
  for (uint32_t top = end; top > 0 && pages > 0;) {
    uint32_t size = top < WINDOW ? top : WINDOW;
    look(top - size, size);
    for (uint32_t i = size, run; i > 0 && pages > 0; i -= run + 1) {
      for (run = 0; run < i && run < pages && is_real(states[i - 1 - run]); run++)
        ;
      if (run)
        give_run(top - size + i - run, run, softly);
      pages -= run;
      if (run == i)
        break;
    }
    top -= size;
  }
}

/* Makes real again what is not lost, as far as there is room. */
static void recover(void) {
  int error = 0;
  for (uint32_t page = 0; page < end && error != ENOMEM;) {
    uint32_t amount;
    error = container_recover(cache, page * PAGE_SIZE, (end - page) * PAGE_SIZE, ALLOC_EXTRA, &amount);
    if (error && error != ENOENT && error != ENOMEM)
      must(error, "container_recover");
    page += amount / PAGE_SIZE;
    if (error == ENOENT)
      page = skip_until(is_soft, page, end);
  }
}

/* The thread that physmem asks. */
static void listen(void *rude) {
  struct envelope in;
  while (!ipc_receive(&in)) {
    uint32_t pages = message_words()[0];
    if (in.label != LABEL_RETURN_FRAMES || in.badge != RETURN_BADGE)
      continue;
    asked += pages;
    if (rude)
      continue;
    lock(&busy);
    give_back(pages / 2, 0);
    give_back(pages - pages / 2, 1);
    unlock(&busy);
  }
}

static void serve(uint32_t label, uint32_t pages) {
  lock(&busy);
  if (label == HOG_FILL)
    fill(pages);
  else if (label == HOG_SOFTEN)
    give_back(pages, 1);
  else if (label == HOG_RECOVER)
    recover();
  wrong = 0;
  uint32_t held = visit_pages(0, end, check_page), soft, lost;
  must(control_query_extra(cache_control, 0, 0, &soft, &lost, 0), "control_query_extra");
  unlock(&busy);
  uint32_t *words = message_words();
  words[HELD] = held;
  words[WRONG] = wrong;
  words[ASKED] = asked;
  words[SOFT] = soft;
  words[LOST] = lost;
}

int main(int argc, char **argv) {
  struct envelope in;
  slot_t listener;
  int rude = argc > 1 && strcmp(argv[1], "rude") == 0;
  must(control_split(own_control, 1, &cache_control), "control_split");
  must(container_create(cache_control, &cache), "container_create");
  memory = (volatile uint32_t *)vaddr_reserve(CACHE_PAGES_MAX * PAGE_SIZE, PAGE_SIZE);
  must(thread_start(listen, rude ? &rude : 0, stack, sizeof stack, ANY_CORE, PRIORITY_MAIN, &listener),
       "thread_start");
  must(control_on_return(cache_control, RETURN_BADGE, listener), "control_on_return");
  message_cap(0, main_thread, THREAD_SEND);
  must(ipc_call(starter_thread, HOG_READY, 0, 1, 0), "ipc_call");
  int error = ipc_receive(&in);
  while (!error) {
    serve(in.label, message_words()[0]);
    error = ipc_reply_receive(0, REPLY_WORDS, 0, &in);
  }
  must(error, "ipc_reply_receive");
  return 1;
}
