/* Memory beyond the guarantee. Two caches fill the machine with memory that the root is guaranteed but does not use.
 * When the root wants it, physmem asks the caches for it, waits a bounded time, and takes what is still missing: so
 * the root gets its 4 MiB, however rude a cache is. What a kind cache gave back softly it may find again. */
#include "hog.h"
#include <stdio.h>

#define CLAIM_PAGES 1024u
#define CLAIM_BYTES (CLAIM_PAGES * PAGE_SIZE)
/* What taking, shooting down and clearing 1024 pages costs at most, beyond the time that the caches have. */
#define SLACK_CYCLES 1500000u
/* A page table that the claim needs is taken by force, too: the caches have had their time. */
#define TABLES_MAX 2u

static struct cache {
  const char *name;
  struct task task;
  slot_t control, thread;
  uint32_t last[REPLY_WORDS]; /* its last reply */
} kind = {.name = "kind"}, rude = {.name = "rude"};

static uint32_t failures;

static const char *verdict(int is_right, const char *right, const char *wrong) {
  failures += !is_right;
  return is_right ? right : wrong;
}

static void start_cache(struct cache *cache, uint32_t badge) {
  struct envelope in;
  const char *const arguments[] = {"hog-cache", cache->name};
  must(control_split(own_control, CACHE_FRAMES, &cache->control), "control_split");
  struct task_spec spec = {"hog-cache", 2, arguments, cache->control, CONTROL_ALL, badge % core_count, badge, 0};
  must(task_start(&spec, &cache->task), "task_start");
  must(ipc_receive(&in), "ipc_receive");
  cache->thread = received_cap(0);
  must(ipc_reply(0, 0, 0), "ipc_reply");
}

static void end_cache(struct cache *cache, uint32_t badge) {
  task_forget(badge);
  must(control_destroy(cache->control), "control_destroy");
  must(container_destroy(cache->task.image, 0), "container_destroy");
}

static void call(struct cache *cache, uint32_t label, uint32_t pages) {
  message_words()[0] = pages;
  must(ipc_call(cache->thread, label, 1, 0, 0), "ipc_call");
  for (uint32_t i = 0; i < REPLY_WORDS; i++)
    cache->last[i] = message_words()[i];
  failures += cache->last[WRONG];
}

static uint32_t room(void) {
  uint32_t room;
  must(control_query_extra(own_control, 0, 0, 0, 0, &room), "control_query_extra");
  return room;
}

static uint32_t free_frames(void) {
  uint32_t free;
  must(control_query(own_control, 0, &free, 0, 0, 0, 0), "control_query");
  return free;
}

static void fill_machine(void) {
  call(&kind, HOG_FILL, room() / 2);
  call(&rude, HOG_FILL, room());
  printf("The caches fill the machine: %s, %s.\n",
         verdict(kind.last[HELD] > 2 * CLAIM_PAGES / 3 && rude.last[HELD] > 2 * CLAIM_PAGES / 3, "each has about half",
                 "one has TOO LITTLE"),
         verdict(room() == 0, "nothing is left over", "something is LEFT"));
}

/* Claims 4 MiB of what is guaranteed; returns the cycles that it took. */
static uint32_t claim(slot_t container) {
  uint32_t vaddr = vaddr_reserve(CLAIM_BYTES, PAGE_SIZE);
  must(container_allocate(container, 0, CLAIM_BYTES, ALLOC_ALL_OR_NONE, 0), "container_allocate");
  uint64_t began = clock_cycles();
  must(container_map(container, 0, CLAIM_BYTES, vaddr, ACCESS_READ | ACCESS_WRITE, 0, 0, 0, 0), "container_map");
  uint32_t cycles = (uint32_t)(clock_cycles() - began), dirty = 0;
  for (uint32_t page = 0; page < CLAIM_PAGES; page++)
    dirty += ((volatile uint32_t *)vaddr)[page * PAGE_SIZE / 4] != 0;
  printf("root: my 4 MiB came %s; they are %s.\n", verdict(cycles < RETURN_CYCLES + SLACK_CYCLES, "in time", "LATE"),
         verdict(dirty == 0, "zero", "NOT zero"));
  return cycles;
}

static void show(struct cache *cache, uint32_t held_before) {
  call(cache, HOG_CHECK, 0);
  uint32_t less = held_before - cache->last[HELD];
  printf("  the %s cache was asked for %s, and has %s less; the rest is %s\n", cache->name,
         verdict(cache->last[ASKED] > CLAIM_PAGES / 8, "its share", "TOO LITTLE"),
         verdict(less - cache->last[ASKED] <= TABLES_MAX, "that", "SOMETHING ELSE"),
         verdict(cache->last[WRONG] == 0, "right", "WRONG"));
}

int main(void) {
  uint32_t before = free_frames();
  slot_t container;
  must(container_create(own_control, &container), "container_create");
  start_cache(&kind, 1);
  start_cache(&rude, 2);
  fill_machine();
  uint32_t kind_held = kind.last[HELD], rude_held = rude.last[HELD];
  uint32_t waited = claim(container);
  printf("  physmem waited for the rude cache %s\n",
         verdict(waited >= RETURN_CYCLES, "until its time was over", "NOT long enough"));
  show(&kind, kind_held);
  show(&rude, rude_held);
  printf("  what was given back softly was needed: %s\n",
         verdict(kind.last[LOST] == (kind.last[ASKED] + 1) / 2 && kind.last[SOFT] == 0, "it is lost", "it is NOT lost"));

  must(container_deallocate(container, 0, CLAIM_BYTES, 0), "container_deallocate");
  call(&rude, HOG_FILL, room());
  uint32_t lost = kind.last[LOST];
  call(&kind, HOG_SOFTEN, CLAIM_PAGES);
  printf("The kind cache gives %u pages back softly, before anybody asks.\n", kind.last[SOFT]);
  kind_held = kind.last[HELD] + kind.last[SOFT];
  waited = claim(container);
  printf("  physmem %s\n", verdict(waited < RETURN_CYCLES, "asked nobody and did not wait", "WAITED"));
  call(&kind, HOG_RECOVER, 0);
  lost = kind.last[LOST] - lost;
  uint32_t rest = kind.last[HELD] + kind.last[SOFT];
  printf("  the kind cache recovers: some pages are %s, the others are %s\n",
         verdict(lost > 0 && lost < CLAIM_PAGES, "lost", "NOT as expected"),
         verdict(rest == kind_held - lost && kind.last[SOFT] < 8 && kind.last[WRONG] == 0, "as they were", "WRONG"));

  end_cache(&rude, 2);
  end_cache(&kind, 1);
  must(container_destroy(container, 0), "container_destroy");
  uint32_t after = free_frames();
  printf("All are gone. The credit is %s.\n", verdict(before == after, "what it was", "NOT what it was"));
  return failures != 0;
}
