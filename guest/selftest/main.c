/* Checks the SDK on the machine itself: heap, threads and locks on all cores, messages with words and capabilities,
 * time-outs, the clock. Prints what failed; exit status 0 when nothing did. */
#include <physmem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORKERS 4
#define ADDITIONS 500

static unsigned checks, failures;

static void check(int holds, const char *what) {
  checks++;
  if (!holds) {
    failures++;
    printf("FAILED: %s\n", what);
  }
}

static void check_heap(void) {
  char *blocks[20];
  for (uint32_t i = 0; i < 20; i++) {
    blocks[i] = malloc(i * 700 + 1);
    check(blocks[i] != 0, "malloc gives memory");
    memset(blocks[i], (int)i, i * 700 + 1);
  }
  for (uint32_t i = 0; i < 20; i++)
    check(blocks[i][0] == (char)i && blocks[i][i * 700] == (char)i, "blocks keep their bytes");
  blocks[3] = realloc(blocks[3], 30000);
  check(blocks[3][2100] == 3, "realloc keeps the bytes");
  for (uint32_t i = 0; i < 20; i++)
    free(blocks[i]);
  char *zeroed = calloc(100, 50);
  int sum = 0;
  for (uint32_t i = 0; i < 5000; i++)
    sum |= zeroed[i];
  check(sum == 0, "calloc gives zeroes");
  free(zeroed);
  check(malloc(0x7ffff000) == 0, "malloc refuses what the control can not pay");
}

static struct {
  lock_t lock;
  uint32_t sum; /* guarded by lock */
  volatile uint32_t atomic, finished, cores_seen;
} shared;

static void add(void *unused) {
  (void)unused;
  for (uint32_t i = 0; i < ADDITIONS; i++) {
    lock(&shared.lock);
    shared.sum++;
    unlock(&shared.lock);
    atomic_add(&shared.atomic, 1);
  }
  lock(&shared.lock);
  shared.cores_seen |= 1u << core_number();
  unlock(&shared.lock);
  atomic_add(&shared.finished, 1);
}

static void check_threads(void) {
  static char stacks[WORKERS][2048] __attribute__((aligned(16)));
  for (uint32_t i = 0; i < WORKERS; i++) {
    slot_t thread;
    must(thread_start(add, 0, stacks[i], sizeof stacks[i], i % core_count, PRIORITY_MAIN, &thread), "thread_start");
  }
  while (shared.finished < WORKERS)
    sys_sleep(2000);
  check(shared.sum == WORKERS * ADDITIONS, "a lock keeps additions of several cores");
  check(shared.atomic == WORKERS * ADDITIONS, "an atomic addition is never lost");
  check(shared.cores_seen == (1u << core_count) - 1, "threads run on the cores that were asked for");
}

/* Answers one call: reverses the words, returns the capability that came. */
static void reverse(void *unused) {
  struct envelope in;
  (void)unused;
  if (ipc_receive(&in))
    return;
  uint32_t *words = message_words();
  for (uint32_t i = 0; i < in.words / 2; i++) {
    uint32_t word = words[i];
    words[i] = words[in.words - 1 - i];
    words[in.words - 1 - i] = word;
  }
  message_cap(0, received_cap(0), ALL_RIGHTS);
  ipc_reply(in.label + 1, in.words, in.caps);
}

static void check_messages(void) {
  static char stack[2048] __attribute__((aligned(16)));
  slot_t thread, minted;
  uint32_t type = 0, rights = 0, wrong = 0;
  struct envelope reply;
  must(thread_start(reverse, 0, stack, sizeof stack, core_count - 1, PRIORITY_MAIN, &thread), "thread_start");
  must(sys_thread_mint(thread, 77, &minted), "sys_thread_mint");
  for (uint32_t i = 0; i < MESSAGE_WORDS_MAX; i++)
    message_words()[i] = i * 3;
  message_cap(0, own_control, CONTROL_QUERY);
  check(ipc_call(minted, 10, MESSAGE_WORDS_MAX, 1, &reply) == 0, "a call through a minted capability");
  for (uint32_t i = 0; i < MESSAGE_WORDS_MAX; i++)
    wrong += message_words()[i] != (MESSAGE_WORDS_MAX - 1 - i) * 3;
  check(wrong == 0 && reply.words == MESSAGE_WORDS_MAX && reply.label == 11, "60 words travel and come back");
  check(sys_cap_info(received_cap(0), &type, &rights) == 0 && type == CAP_CONTROL && rights == CONTROL_QUERY,
        "a capability comes back with the rights that were left");
  check(control_split(received_cap(0), 1, &minted) == EPERM, "a right that was taken is missing");
}

static void check_errors(void) {
  char sentence[200];
  slot_t container;
  must(container_create(own_control, &container), "container_create");
  int error = container_allocate(container, 1, PAGE_SIZE, 0, 0);
  check(error == EINVAL, "an unaligned start is EINVAL");
  pm_explain(sentence, sizeof sentence, error);
  check(strstr(sentence, "argument 1 (start) is not a multiple of 4096") != 0, "the sentence names the argument");
  check(ipc_send(main_thread, 0, 0, 0, 1000) == ETIMEDOUT, "a message that nobody receives times out");
  must(container_destroy(container, 0), "container_destroy");
  check(container_query(container, 0, PAGE_SIZE, 0, 0, 0) == EBADF, "a destroyed container's slot is dead");
}

static void check_clock(void) {
  uint64_t before = clock_cycles();
  sys_sleep(10000);
  uint64_t slept = clock_cycles() - before;
  check(slept >= 10000, "a sleep is not shorter than asked for");
}

int main(int argc, char **argv) {
  check(argc >= 1 && argv[argc] == 0, "arguments end with a null pointer");
  check_heap();
  check_threads();
  check_messages();
  check_errors();
  check_clock();
  check(printf("%s", "") == 0, "printf tells how much it wrote");
  printf("selftest: %u checks, %u failed\n", checks, failures);
  return failures ? 1 : 0;
}
