/* Starts the driver, gives it the driver right, starts its client: `disk-root [long | owner | rogue | expiry] [PIN_CYCLES]`. Each on
 * a core of its own, with a control of its own. In the story it also reads the client's memory while it is moved. With
 * `long` it kills the driver in the middle of a transfer and starts another one; with `owner` it destroys the client's
 * control; a rogue driver uses an address after it has given the memory back; with `expiry`, PIN_CYCLES
 * is less than a transfer takes. */
#include "protocol.h"
#include <stdio.h>
#include <string.h>

#define DRIVER_FRAMES 24
#define CLIENT_FRAMES 120
#define LONG_CYCLES 120000u /* until the device is in the middle of the transfer */
#define POLL_CYCLES 5000u
#define POLLS_MAX 400u
#define OWN_PAGES 32u

static const char *mode = "story", *pin_cycles = "0";
static struct task driver, client;
static slot_t driver_thread, driver_control, client_control;
static int driver_ready;

static void start(const char *module, int argc, const char *const *argv, slot_t control, uint32_t core, uint32_t badge,
                  struct task *out) {
  struct task_spec spec = {module, argc, argv, control, CONTROL_ALL & ~CONTROL_DESTROY, core, badge, 0};
  must(task_start(&spec, out), module);
}

/* It will say HELLO and READY. */
static void start_driver(void) {
  int is_rogue = strcmp(mode, "rogue") == 0;
  const char *const arguments[] = {"disk-driver", pin_cycles, "rogue"};
  int argc = strcmp(mode, "story") == 0 ? 1 : is_rogue ? 3 : 2;
  must(control_split(own_control, DRIVER_FRAMES, &driver_control), "control_split");
  start("disk-driver", argc, arguments, driver_control, DRIVER_CORE % core_count, DRIVER_BADGE, &driver);
}

static void welcome_driver(void) {
  driver_thread = received_cap(0);
  must(sys_task_set_driver(driver.task), "task_set_driver");
}

static void kill_driver(void) {
  printf("root:   I kill the driver in the middle of a transfer\n");
  task_forget(DRIVER_BADGE);
  must(sys_task_destroy(driver.task), "task_destroy");
  thread_wait_end(driver_thread);
  sys_cap_delete(driver_thread);
  must(container_destroy(driver.image, 0), "container_destroy");
  must(control_destroy(driver_control), "control_destroy");
  driver.task = 0;
  driver_ready = 0;
}

static void start_client(void) {
  const char *const arguments[] = {"disk-client", mode};
  must(control_split(own_control, CLIENT_FRAMES, &client_control), "control_split");
  start("disk-client", 2, arguments, client_control, CLIENT_CORE % core_count, CLIENT_BADGE, &client);
}

/* ---- Reading the client's memory while it moves ---- */

static volatile uint32_t witness_pages, witness_stop, witness_ended, went_back;
static volatile uint32_t *witnessed;
static char witness_stack[1024] __attribute__((aligned(16)));

static void witness(void *unused) {
  static uint32_t last[64];
  (void)unused;
  while (!witness_stop)
    for (uint32_t page = 0; page < witness_pages; page++) {
      uint32_t now = witnessed[(page + 1) * (PAGE_SIZE / 4) - 1];
      went_back += now < last[page];
      last[page] = now;
    }
  witness_ended = 1;
}

static void start_witness(slot_t memory, uint32_t pages) {
  witness_pages = pages;
  witnessed = container_attach(memory, 0, pages * PAGE_SIZE, ACCESS_READ);
  must(thread_start(witness, 0, witness_stack, sizeof witness_stack, 0, PRIORITY_MAIN, 0), "thread_start");
}

static void stop_witness(void) {
  witness_stop = 1;
  while (!witness_ended)
    sys_sleep(POLL_CYCLES);
}

/* ---- The death of the owner ---- */

static uint32_t free_frames(void) {
  uint32_t free;
  must(control_query(own_control, 0, &free, 0, 0, 0, 0), "control_query");
  return free;
}

/* Returns 0 when all is well. */
static uint32_t destroy_owner(void) {
  slot_t container;
  int damaged = 0;
  uint32_t expected = free_frames() + CLIENT_FRAMES, polls = 0;
  printf("root:   I destroy the control of the owner in the middle of a transfer\n");
  task_forget(CLIENT_BADGE);
  must(control_destroy(client_control), "control_destroy");
  uint32_t at_once = free_frames();
  must(container_create(own_control, &container), "container_create");
  must(container_allocate(container, 0, OWN_PAGES * PAGE_SIZE, ALLOC_DMA, 0), "container_allocate");
  volatile uint32_t *memory = container_attach(container, 0, OWN_PAGES * PAGE_SIZE, ACCESS_READ | ACCESS_WRITE);
  for (uint32_t word = 0; word < OWN_PAGES * PAGE_SIZE / 4; word++)
    memory[word] = ~word;
  while (free_frames() + OWN_PAGES + 1 < expected && polls++ < POLLS_MAX)
    sys_sleep(POLL_CYCLES);
  for (uint32_t word = 0; word < OWN_PAGES * PAGE_SIZE / 4; word++)
    damaged |= memory[word] != ~word;
  must(container_destroy(container, 0), "container_destroy");
  int is_back = free_frames() + 1 >= expected;
  printf("root:   %s\n", at_once < expected ? "part of the credit waits for the device" : "ALL CREDIT IS BACK AT ONCE");
  printf("root:   %s; memory that I took meanwhile is %s\n", is_back ? "now all is back" : "NOT ALL IS BACK",
         damaged ? "DAMAGED" : "as I left it");
  return damaged || !is_back || at_once >= expected;
}

/* The client wants the driver: its thread is item 0 of the reply, or there is none yet. Returns the number of items. */
static uint32_t offer_driver(void) {
  if (!driver.task)
    start_driver();
  if (driver_ready)
    message_cap(0, driver_thread, THREAD_SEND);
  return (uint32_t)driver_ready;
}

/* The client's next call takes long. Returns when something has been done to it, 1 when that is the end. */
static int disturb(void) {
  must(ipc_reply(0, 0, 0), "ipc_reply");
  sys_sleep(LONG_CYCLES);
  if (strcmp(mode, "long") == 0)
    kill_driver();
  return strcmp(mode, "owner") == 0;
}

/* Serves driver and client until the client is done; returns its failures. */
static uint32_t serve(void) {
  struct envelope in;
  must(ipc_receive(&in), "ipc_receive");
  for (;;) {
    uint32_t caps = 0;
    switch (in.label) {
    case HELLO:
      if (in.badge == CLIENT_BADGE)
        caps = offer_driver();
      else
        welcome_driver();
      break;
    case READY: driver_ready = 1; break;
    case WITNESS: start_witness(received_cap(0), message_words()[0]); break;
    case STOP:
      stop_witness();
      message_words()[0] = went_back;
      break;
    case BEGIN_LONG:
      if (disturb())
        return destroy_owner();
      must(ipc_receive(&in), "ipc_receive");
      continue;
    case DONE: return message_words()[0];
    }
    must(ipc_reply_receive(0, in.label == STOP, caps, &in), "ipc_reply_receive");
  }
}

int main(int argc, char **argv) {
  if (argc > 1)
    mode = argv[1];
  if (argc > 2)
    pin_cycles = argv[2];
  start_driver();
  start_client();
  return serve() ? 1 : 0;
}
