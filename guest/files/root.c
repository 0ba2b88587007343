/* A client of file servers: it makes a container, shares a limited capability with a server that locks the container
 * and fills it, and takes the capability back. Then it does the same with servers that misbehave: one keeps what it
 * saw, one locks for ever, one hangs, one dies with the lock. The client's word is the last one each time. */
#include "files.h"
#include <stdio.h>
#include <string.h>

#define SECRET 0x5ec4e7u
#define SHARED_WORD 0x0b1ec7u
#define SETTLE_CYCLES 50000
/* What the server, the shootdown and the messages take at most, beyond the rest of a lock. */
#define SLACK_CYCLES 400000

static struct server {
  struct task task;
  slot_t control, thread;
} server;

static slot_t container;
static char *memory;

static void start_server(const char *module, const char *how, uint32_t badge) {
  struct envelope in;
  must(control_split(own_control, SERVER_FRAMES, &server.control), "control_split");
  const char *const arguments[] = {module, how};
  struct task_spec spec = {module, how ? 2 : 1, arguments, server.control, CONTROL_CREATE | CONTROL_QUERY,
                           core_count - 1, badge, 0};
  must(task_start(&spec, &server.task), "task_start");
  must(ipc_receive(&in), "ipc_receive");
  server.thread = received_cap(0);
  must(ipc_reply(0, 0, 0), "ipc_reply");
}

static void end_server(uint32_t badge) {
  task_forget(badge);
  must(control_destroy(server.control), "control_destroy");
  must(container_destroy(server.task.image, 0), "container_destroy");
  sys_cap_delete(server.control);
  sys_cap_delete(server.thread);
  sys_cap_delete(server.task.task);
  sys_cap_delete(server.task.thread);
}

static slot_t share(uint32_t rights) {
  slot_t limited;
  must(container_share(container, rights, &limited), "container_share");
  return limited;
}

static void revoke(slot_t limited) {
  must(container_revoke(container, limited), "container_revoke");
}

/* A call with a capability, 0 for none; the reply's words stay in the message area. */
static int call(uint32_t label, uint32_t words, slot_t limited) {
  if (limited)
    message_cap(0, limited, ALL_RIGHTS);
  return ipc_call(server.thread, label, words, limited != 0, 0);
}

static const char *name_of(int error) {
  return error ? pm_strerrorname(error) : "done";
}

/* What the owner may do now: nothing, while somebody else has the container locked. */
static void try_as_owner(void) {
  slot_t other;
  must(container_create(own_control, &other), "container_create");
  printf("client:   map %s", name_of(container_map(container, 0, PAGE_SIZE, (uint32_t)memory, ACCESS_READ, 0, 0, 0, 0)));
  printf(", copy %s", name_of(container_copy(container, 0, 0, PAGE_SIZE, 0, other, 0)));
  printf(", deallocate %s", name_of(container_deallocate(container, 0, PAGE_SIZE, 0)));
  printf(", lock %s", name_of(container_lock(container, TRANSFER_CYCLES)));
  printf(", unlock %s\n", name_of(container_unlock(container)));
  must(container_destroy(other, 0), "container_destroy");
}

static uint32_t wrong_lines(uint32_t bytes) {
  uint32_t wrong = 0;
  for (uint32_t line = 0; line < bytes / 16; line++) {
    char expected[16];
    square_line(expected, line);
    wrong += memcmp(memory + 16 * line, expected, 16) != 0;
  }
  return wrong;
}

static uint32_t read_file(void) {
  char name[4 * NAME_WORDS] = "squares";
  memory[0] = 'x';
  printf("client: I share %u pages to read, write, lock, and ask for the file \"%s\".\n", FILE_PAGES, name);
  slot_t limited = share(CONTAINER_READ | CONTAINER_WRITE | CONTAINER_LOCK);
  message_words()[0] = 0;
  message_words()[1] = FILE_BYTES;
  memcpy(message_words() + 2, name, sizeof name);
  must(call(FILES_OPEN, 2 + NAME_WORDS, limited), "FILES_OPEN");
  uint32_t error = message_words()[0], bytes = message_words()[1];
  must((int)error, "the server's container_lock");
  printf("client: The server has locked my container, my map is gone. What I try:\n");
  try_as_owner();
  must(call(FILES_TRANSFER, 0, 0), "FILES_TRANSFER");
  must((int)message_words()[0], "the server's transfer");
  uint32_t wrong = wrong_lines(bytes);
  printf("client: The lock has ended. I read %u bytes, %s:\n", bytes, wrong ? "NOT what the file says" : "all as in the file");
  printf("client:   \"%.15s\"\n", memory + 16 * 300);
  revoke(limited);
  must(call(FILES_ASK, 0, 0), "FILES_ASK");
  printf("client: I revoke the capability. The server maps through it: %s.\n", name_of((int)message_words()[0]));
  return wrong;
}

static uint32_t be_robbed(void) {
  volatile uint32_t *word = (uint32_t *)memory;
  *word = SHARED_WORD;
  slot_t weak = share(CONTAINER_READ);
  must(call(FILES_MISBEHAVE, 0, weak), "FILES_MISBEHAVE");
  const uint32_t *reply = message_words();
  printf("client: A rogue may read; it copies the pages by SHARED: %s.\n", name_of((int)reply[1]));
  revoke(weak);
  slot_t careless = share(CONTAINER_READ | CONTAINER_WRITE | CONTAINER_COPY_OUT);
  must(call(FILES_MISBEHAVE, 0, careless), "FILES_MISBEHAVE");
  printf("client: With COPY_OUT: %s, and it paid %u frames of its own credit.\n", name_of((int)reply[1]), reply[2]);
  must(call(FILES_LOOK, 0, 0), "FILES_LOOK");
  printf("client: It sees 0x%06x. I revoke, and write 0x%06x.\n", reply[0], SECRET);
  revoke(careless);
  *word = SECRET;
  must(call(FILES_LOOK, 0, 0), "FILES_LOOK");
  uint32_t seen = reply[0], error = reply[1];
  printf("client: Its copy shows 0x%06x now, a map gives %s.\n", seen, name_of((int)error));
  int end = call(FILES_TOUCH, 0, 0);
  printf("client: The rogue has ended (%s).\n", name_of(end));
  return seen == SECRET || error == 0;
}

static uint32_t outlast_relocking(void) {
  struct envelope in;
  slot_t limited = share(CONTAINER_READ | CONTAINER_LOCK);
  must(call(FILES_MISBEHAVE, 0, limited), "FILES_MISBEHAVE");
  sys_sleep(4 * RELOCK_CYCLES);
  uint64_t before = clock_cycles();
  revoke(limited);
  uint32_t waited = (uint32_t)(clock_cycles() - before);
  must(ipc_receive(&in), "ipc_receive");
  uint32_t locks = message_words()[0], error = message_words()[1];
  must(ipc_reply(0, 0, 0), "ipc_reply");
  int in_time = waited < RELOCK_CYCLES + SLACK_CYCLES;
  printf("client: A rogue locked %s, for %u cycles. I revoked and had\n",
         locks > 1 ? "again and again" : "ONLY ONCE", RELOCK_CYCLES);
  printf("client:   to wait %s. Its next lock: %s.\n", in_time ? "for the lock that it had, no longer" : "TOO LONG",
         name_of((int)error));
  printf("client: What I try then:\n");
  try_as_owner();
  return !in_time || locks < 2;
}

/* The time until the owner may map its container again. */
static uint32_t wait_for_map(void) {
  uint64_t before = clock_cycles();
  int error;
  do {
    error = container_map(container, 0, PAGE_SIZE, (uint32_t)memory, ACCESS_READ, 0, 0, 0, 0);
    if (error == EBUSY)
      sys_sleep(SETTLE_CYCLES / 10);
  } while (error == EBUSY);
  must(error, "container_map");
  return (uint32_t)(clock_cycles() - before);
}

static uint32_t outlast_hanging(void) {
  slot_t limited = share(CONTAINER_LOCK);
  must(call(FILES_MISBEHAVE, 0, limited), "FILES_MISBEHAVE");
  int in_time = wait_for_map() < RELOCK_CYCLES + SLACK_CYCLES;
  printf("client: A rogue locked for %u cycles and hung. I can map %s.\n", RELOCK_CYCLES,
         in_time ? "after them" : "TOO LATE");
  revoke(limited);
  return !in_time;
}

static uint32_t outlive(void) {
  slot_t limited = share(CONTAINER_LOCK);
  int end = call(FILES_MISBEHAVE, 0, limited);
  int in_time = wait_for_map() < SLACK_CYCLES;
  printf("client: A rogue locked for %u and died (%s). I can map %s.\n", LOCK_CYCLES_MAX, name_of(end),
         in_time ? "at once" : "TOO LATE");
  revoke(limited);
  return !in_time;
}

static uint32_t free_frames(void) {
  uint32_t free;
  must(control_query(own_control, 0, &free, 0, 0, 0, 0), "control_query");
  return free;
}

int main(void) {
  static const struct act {
    const char *module, *how;
    uint32_t (*play)(void);
  } acts[] = {
      {"files-server", 0, read_file},       {"files-rogue", "steal", be_robbed}, {"files-rogue", "relock", outlast_relocking},
      {"files-rogue", "hang", outlast_hanging}, {"files-rogue", "die", outlive},
  };
  uint32_t before = free_frames(), wrong = 0;
  for (uint32_t act = 0; act < sizeof acts / sizeof acts[0]; act++) {
    must(container_create(own_control, &container), "container_create");
    must(container_allocate(container, 0, FILE_BYTES, 0, 0), "container_allocate");
    memory = container_attach(container, 0, FILE_BYTES, ACCESS_READ | ACCESS_WRITE);
    start_server(acts[act].module, acts[act].how, act + 1);
    wrong += acts[act].play();
    end_server(act + 1);
    region_remove((uint32_t)memory, FILE_BYTES);
    must(container_destroy(container, 0), "container_destroy");
    sys_cap_delete(container);
  }
  uint32_t after = free_frames();
  printf("client: All servers are gone. My credit is %s.\n", before == after ? "what it was" : "NOT what it was");
  return wrong || before != after;
}
