/* The owner of the memory that the driver moves: `disk-client [MODE]`. It shares containers with the driver by limited
 * capabilities, goes on writing to them from other cores meanwhile, and compares what comes back with what it knows:
 * the disks are numbered, each word holds its own number. With `long` or `owner` it asks for one long transfer in which
 * somebody dies, and looks whether its other memory was hit; with `rogue` the driver is not to be trusted; with `expiry`
 * the pin ends before the transfer. */
#include "protocol.h"
#include <stdio.h>
#include <string.h>

#define PAGES 15u /* frames of 8, 4, 2 and 1 pages */
#define WIDE_PAGES 61u /* more than half of what the root gives */
#define SECTORS (PAGES * PAGE_SIZE / SECTOR_BYTES)
#define PAGE_WORDS (PAGE_SIZE / 4)
#define SECTOR_WORDS (SECTOR_BYTES / 4)
#define DATA_WORDS 1000u /* of each page; behind them are the counters of the writers */
#define WRITERS 2u
#define POLL_CYCLES 5000u
#define FIND_CYCLES 20000u
#define FIND_POLLS 100u
#define PIN_BIT 16u
#define EXPIRY_CYCLES 80000u /* more than the driver pins for, less than its first piece takes */
#define FREE_SECTOR 200u /* from here on the disks need not stay numbered */

struct buffer {
  slot_t container, limited;
  volatile uint32_t *words;
};

static slot_t driver;
static uint32_t failures;

static void expect(int holds, const char *what) {
  printf("client: %s: %s\n", what, holds ? "yes" : "NO");
  failures += !holds;
}

/* Gives up after a while: a driver may have died before it was ready. */
static void find_driver(void) {
  struct envelope reply = {0, 0, 0, 0};
  for (uint32_t polls = 0; reply.caps == 0; polls++) {
    must(polls < FIND_POLLS ? 0 : ETIMEDOUT, "looking for the driver");
    must(ipc_call(starter_thread, HELLO, 0, 0, &reply), "ipc_call");
    if (reply.caps == 0)
      sys_sleep(FIND_CYCLES);
  }
  driver = received_cap(0);
}

/* The driver may read, write and pin; nothing else. */
static void buffer_create(struct buffer *buffer, uint32_t pages, uint32_t rights) {
  must(container_create(own_control, &buffer->container), "container_create");
  must(container_allocate(buffer->container, 0, pages * PAGE_SIZE, ALLOC_ALL_OR_NONE, 0), "container_allocate");
  must(container_share(buffer->container, rights, &buffer->limited), "container_share");
  buffer->words = container_attach(buffer->container, 0, pages * PAGE_SIZE, ACCESS_READ | ACCESS_WRITE);
}

#define FOR_DRIVER (CONTAINER_READ | CONTAINER_WRITE | CONTAINER_PIN)

static int transfer(slot_t memory, const struct transfer *request, uint32_t *out_error) {
  struct envelope reply;
  memcpy(message_words(), request, sizeof *request);
  message_cap(0, memory, ALL_RIGHTS);
  int error = ipc_call(driver, TRANSFER, TRANSFER_WORDS, 1, &reply);
  *out_error = message_words()[0];
  return error ? error : (int)reply.label;
}

/* Moves a whole buffer; it must go well. */
static void move(const struct buffer *buffer, enum device device, uint32_t to_memory, uint32_t sector) {
  struct transfer request = {device, to_memory, sector, SECTORS, 0};
  uint32_t device_error;
  must(transfer(buffer->limited, &request, &device_error), "transfer");
  if (device_error) {
    printf("client: the device says error %x\n", device_error);
    failures++;
  }
}

static uint32_t pattern(uint32_t page, uint32_t word) {
  return page << 16 ^ word * 0x9e3779b1u;
}

static void fill(const struct buffer *buffer, uint32_t first, uint32_t pages, uint32_t salt) {
  for (uint32_t page = first; page < first + pages; page++)
    for (uint32_t word = 0; word < DATA_WORDS; word++)
      buffer->words[page * PAGE_WORDS + word] = pattern(page + salt, word);
}

static int is_filled(const struct buffer *buffer, uint32_t first, uint32_t pages, uint32_t salt) {
  for (uint32_t page = first; page < first + pages; page++)
    for (uint32_t word = 0; word < DATA_WORDS; word++)
      if (buffer->words[page * PAGE_WORDS + word] != pattern(page + salt, word))
        return 0;
  return 1;
}

/* Whether the first pages are what a numbered disk has from a sector on. */
static int is_numbered(const struct buffer *buffer, uint32_t pages, uint32_t sector) {
  for (uint32_t word = 0; word < pages * PAGE_WORDS; word++)
    if (buffer->words[word] != sector * SECTOR_WORDS + word)
      return 0;
  return 1;
}

/* ---- Writing from other cores while the memory moves and a device reads it ---- */

static volatile uint32_t stop_writing, rounds[WRITERS], writers_done;
static char stacks[WRITERS][1024] __attribute__((aligned(16)));
static struct buffer source, target;

static void write_on(void *argument) {
  uint32_t writer = (uint32_t)argument;
  while (!stop_writing) {
    for (uint32_t page = 0; page < PAGES; page++)
      source.words[page * PAGE_WORDS + PAGE_WORDS - 1 - writer]++;
    rounds[writer]++;
  }
  atomic_add(&writers_done, 1);
}

static void start_writers(void) {
  static const uint32_t cores[WRITERS] = {WRITER_CORE, CLIENT_CORE};
  slot_t witness;
  for (uint32_t i = 0; i < WRITERS; i++)
    must(thread_start(write_on, (void *)i, stacks[i], sizeof stacks[i], cores[i] % core_count, PRIORITY_MAIN, 0),
         "thread_start");
  must(container_share(source.container, CONTAINER_READ, &witness), "container_share");
  message_words()[0] = PAGES;
  message_cap(0, witness, ALL_RIGHTS);
  must(ipc_call(starter_thread, WITNESS, 1, 1, 0), "ipc_call");
}

static void stop_writers(void) {
  uint32_t lost = 0;
  must(ipc_call(starter_thread, STOP, 0, 0, 0), "ipc_call");
  expect(message_words()[0] == 0, "another task, on another core, saw no counter go back");
  stop_writing = 1;
  while (writers_done < WRITERS)
    sys_sleep(POLL_CYCLES);
  for (uint32_t page = 0; page < PAGES; page++)
    for (uint32_t i = 0; i < WRITERS; i++)
      lost += source.words[page * PAGE_WORDS + PAGE_WORDS - 1 - i] != rounds[i];
  expect(rounds[0] && rounds[1] && lost == 0, "my writers on two cores lost nothing");
}

static void both_directions(enum device device, const char *name) {
  char what[80];
  fill(&source, 0, PAGES, device);
  memset((void *)target.words, 0, PAGES * PAGE_SIZE);
  move(&source, device, 0, FREE_SECTOR);
  move(&target, device, 1, FREE_SECTOR);
  snprintf(what, sizeof what, "%s: what I wrote came back", name);
  expect(is_filled(&target, 0, PAGES, device), what);
  move(&target, device, 1, 0);
  snprintf(what, sizeof what, "%s: its first sectors are numbered", name);
  expect(is_numbered(&target, PAGES, 0), what);
}

/* ---- Copying and deallocating before and in the middle of a transfer ---- */

static volatile uint32_t meddled;
static struct buffer snapshot;
static char meddler_stack[1024] __attribute__((aligned(16)));
static uint32_t free_before, free_in_quarantine;

static uint32_t free_frames(void) {
  uint32_t free;
  must(control_query(own_control, 0, &free, 0, 0, 0, 0), "control_query");
  return free;
}

static uint32_t page_state(slot_t container, uint32_t page) {
  uint32_t state = 0;
  must(container_query(container, page * PAGE_SIZE, PAGE_SIZE, 0, &state, 1), "container_query");
  return state;
}

/* Pages 6 and 7 are copied, 8 and the rest are taken away, and others put in their place: all while a device writes. */
static void meddle(void *delay_cycles) {
  while (!(page_state(target.container, 0) & PIN_BIT))
    sys_sleep(POLL_CYCLES);
  sys_sleep((uint32_t)delay_cycles);
  must(container_copy(target.container, 6 * PAGE_SIZE, 0, 2 * PAGE_SIZE, 0, snapshot.container, 0), "container_copy");
  free_before = free_frames();
  must(container_deallocate(target.container, 8 * PAGE_SIZE, (PAGES - 8) * PAGE_SIZE, 0), "container_deallocate");
  free_in_quarantine = free_frames();
  must(container_allocate(target.container, 8 * PAGE_SIZE, (PAGES - 8) * PAGE_SIZE, 0, 0), "container_allocate");
  fill(&target, 8, PAGES - 8, 77);
  meddled = 1;
}

static void meddle_in_mid_transfer(uint32_t delay_cycles) {
  must(container_create(own_control, &snapshot.container), "container_create");
  snapshot.words = container_attach(snapshot.container, 0, 4 * PAGE_SIZE, ACCESS_READ);
  fill(&target, 0, PAGES, 5);
  if (!delay_cycles) /* else the memory stays whole: one piece for the device, which outlasts the pin */
    must(container_copy(target.container, 4 * PAGE_SIZE, 2 * PAGE_SIZE, 2 * PAGE_SIZE, 0, snapshot.container, 0),
         "container_copy");
  must(thread_start(meddle, (void *)delay_cycles, meddler_stack, sizeof meddler_stack, WRITER_CORE % core_count,
                    PRIORITY_MAIN, 0),
       "thread_start");
  struct transfer request = {ISA_DISK, 1, 0, SECTORS, 0};
  uint32_t device_error;
  int error = transfer(target.limited, &request, &device_error);
  if (error)
    printf("client: the driver says %s\n", pm_strerrorname(error));
  expect(meddled, "I copied and deallocated pages in mid-transfer");
  expect(free_in_quarantine == free_before, "what I deallocated stayed charged, in quarantine");
  expect(is_numbered(&target, 8, 0), "what I kept has the disk's data");
  expect(is_filled(&snapshot, 0, 2, 11), "the copy of then has what was there before the device came");
  if (!delay_cycles)
    expect(is_filled(&snapshot, 2, 2, 7), "so has a copy-on-write copy that I had made before");
  expect(is_filled(&target, 8, PAGES - 8, 77), "the new memory in its place was not hit");
  expect(free_frames() == free_before, "the credit was back with the end of the transfer");
}

/* ---- What cannot be done ---- */

static void refused(slot_t memory, struct transfer request, int expected, uint32_t expected_device, const char *what) {
  uint32_t device_error = 0;
  int error = transfer(memory, &request, &device_error);
  printf("client: %s: %s, error %x of the device\n", what, pm_strerrorname(error), device_error);
  failures += error != expected || device_error != expected_device;
}

static void ask_for_the_impossible(void) {
  struct buffer unpinnable, wide;
  buffer_create(&unpinnable, 1, CONTAINER_READ | CONTAINER_WRITE);
  buffer_create(&wide, WIDE_PAGES, FOR_DRIVER);
  refused(source.limited, (struct transfer){ISA_DISK, 1, 0, 0, 0}, EINVAL, 0, "no sectors");
  refused(source.limited, (struct transfer){ISA_DISK, 1, 0, 8, 200 * PAGE_SIZE}, ENOENT, 0, "pages that I do not have");
  refused(source.limited, (struct transfer){ISA_DISK, 1, 0, 8, 100}, EINVAL, 0, "an address in mid-page");
  refused(unpinnable.limited, (struct transfer){ISA_DISK, 1, 0, 8, 0}, EPERM, 0, "a capability without PIN");
  refused(wide.limited, (struct transfer){ISA_DISK, 1, 0, WIDE_PAGES * PAGE_SIZE / SECTOR_BYTES, 0}, ENOMEM, 0,
          "more than half of my credit");
  refused(source.limited, (struct transfer){ISA_DISK, 1, 508, 8, 0}, 0, 4, "beyond the last sector");
  refused(source.limited, (struct transfer){BUS_MASTER_DISK, 1, 508, 8, 0}, 0, 4, "the same of the bus master");
}

/* ---- A driver that uses memory after it has unpinned it ---- */

static void meet_a_rogue(void) {
  move(&target, ISA_DISK, 1, 0);
  expect(is_numbered(&target, PAGES, 0), "what the driver gave back was not hit again");
}

/* ---- One long transfer in which somebody dies ---- */

static void lose_the_driver(void) {
  struct transfer request = {ISA_DISK, 1, 0, SECTORS, 0};
  struct buffer other;
  uint32_t device_error, before = free_frames();
  must(ipc_call(starter_thread, BEGIN_LONG, 0, 0, 0), "ipc_call");
  int error = transfer(target.limited, &request, &device_error);
  printf("client: the call of the driver ended with %s\n", pm_strerrorname(error));
  must(container_deallocate(target.container, 0, PAGES * PAGE_SIZE, 0), "container_deallocate");
  expect(free_frames() < before + PAGES, "what I deallocated is charged while the device has it");
  buffer_create(&other, PAGES, FOR_DRIVER);
  fill(&other, 0, PAGES, 9);
  find_driver(); /* a new one, which has reset the device */
  for (uint32_t i = 0; i < 100 && free_frames() < before; i++)
    sys_sleep(POLL_CYCLES);
  expect(free_frames() <= before && free_frames() + 1 >= before, "the credit is back");
  expect(is_filled(&other, 0, PAGES, 9), "the device did not hit memory that I took meanwhile");
  move(&other, ISA_DISK, 1, 0);
  expect(is_numbered(&other, PAGES, 0), "the new driver serves me");
}

int main(int argc, char **argv) {
  const char *mode = argc > 1 ? argv[1] : "story";
  find_driver();
  buffer_create(&target, PAGES, FOR_DRIVER);
  if (strcmp(mode, "rogue") == 0) {
    meet_a_rogue();
  } else if (strcmp(mode, "expiry") == 0) {
    meddle_in_mid_transfer(EXPIRY_CYCLES);
  } else if (strcmp(mode, "story") != 0) {
    lose_the_driver();
  } else {
    buffer_create(&source, PAGES, FOR_DRIVER);
    both_directions(BUS_MASTER_DISK, "bus master"); /* reaches all memory: it stays where it is */
    fill(&source, 0, PAGES, 0);
    start_writers();
    move(&source, ISA_DISK, 0, FREE_SECTOR);
    move(&target, ISA_DISK, 1, FREE_SECTOR);
    expect(is_filled(&target, 0, PAGES, 0), "8237: what I wrote came back");
    stop_writers();
    both_directions(ISA_DISK, "8237");
    meddle_in_mid_transfer(0);
    ask_for_the_impossible();
  }
  message_words()[0] = failures;
  must(ipc_call(starter_thread, DONE, 1, 0, 0), "ipc_call");
  return 0;
}
