/* A disk driver as an ordinary task with the driver right: `disk-driver [PIN_CYCLES [rogue]]`. It gets a limited
 * capability for the client's memory, pins what is to be moved, which tells it the physical addresses, programs a device,
 * sleeps until the interrupt, unpins, answers. It has no right to allocate or free in that memory. A rogue driver keeps
 * the address after it has unpinned, and uses it once more. */
#include "disk.h"
#include <dma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIN_CYCLES 20000000u
#define PROGRAMMING_CYCLES 2000u /* from the look at the clock until the device knows the address */
#define ZONE_END 0x1000000u
#define LABEL_SECTOR 5u
#define LINE_LETTERS 66u

static uint32_t pin_cycles = PIN_CYCLES;
static int is_rogue;

/* Prints a sentence, broken into lines of a terminal. */
void say(const char *sentence) {
  while (*sentence) {
    size_t length = strlen(sentence), end = length < LINE_LETTERS ? length : LINE_LETTERS;
    while (end < length && sentence[end] != ' ')
      end--;
    printf("driver:   %.*s\n", (int)end, sentence);
    sentence += sentence[end] ? end + 1 : end;
  }
}

/* What cannot be done on any channel, in words; the same requests that the tests ask the machine about. */
static void show_impossible(void) {
  static const uint32_t requests[][3] = {
      {3, ZONE_END, 512}, {3, 0x2ff00, 512}, {3, 0x20000, 65537}, {5, 0x20000, 3}, {5, 0x20001, 2},
      {3, 0x20000, 0},    {4, 0x20000, 512}, {9, 0x20000, 512},   {DMA_BUS_MASTER, 0xfffffff0, 32},
  };
  char sentence[160];
  for (uint32_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
    const uint32_t *request = requests[i];
    dma_explain(sentence, sizeof sentence, request[0], request[1], request[2]);
    int error = dma_check(request[0], request[1], request[2]);
    printf("driver: channel %u, %u bytes at 0x%08x: %s\n", request[0], request[2], request[1], pm_strerrorname(error));
    say(sentence);
  }
}

int pin_memory(slot_t container, uint32_t start, uint32_t size, uint32_t flags, struct ranges *out, slot_t *out_pin) {
  out->until = clock_cycles() + pin_cycles; /* the server's reckoning begins later */
  return container_pin(container, start, size, pin_cycles, flags, 0, &out->count, out->pairs, 2 * PIN_RANGES_MAX, out_pin);
}

int is_pinned(const struct ranges *ranges) {
  return is_rogue || clock_cycles() + PROGRAMMING_CYCLES < ranges->until;
}

/* Memory of the driver's own: it is allocated for DMA, so it lies below 16 MiB from the beginning. */
static void read_label(void) {
  struct ranges ranges;
  slot_t container, pin;
  uint32_t moved;
  must(container_create(own_control, &container), "container_create");
  must(container_allocate(container, 0, PAGE_SIZE, ALLOC_DMA | ALLOC_CONTIGUOUS, 0), "container_allocate");
  const uint32_t *memory = container_attach(container, 0, PAGE_SIZE, ACCESS_READ);
  must(pin_memory(container, 0, PAGE_SIZE, PIN_DMA, &ranges, &pin), "container_pin");
  uint32_t error = isa_transfer(&ranges, SECTOR_BYTES, LABEL_SECTOR, 1, &moved);
  must(physmem_unpin(pin), "physmem_unpin");
  printf("driver: sector %u, read into memory of my own: error %x, word 0 is %u\n", LABEL_SECTOR, error, memory[0]);
  must(container_destroy(container, 0), "container_destroy");
}

static const char *place(const struct ranges *ranges) {
  for (uint32_t i = 0; i < ranges->count; i++)
    if (ranges->pairs[2 * i] + ranges->pairs[2 * i + 1] > ZONE_END)
      return "above 16 MiB";
  return "below 16 MiB";
}

/* Aims at memory that it has given back. Without a unit between device and memory nothing would stop that. */
static void misbehave(const struct ranges *ranges) {
  uint32_t moved, error = isa_transfer(ranges, SECTOR_BYTES, LABEL_SECTOR, 1, &moved);
  printf("driver: I have unpinned it, and read a sector to the same place: error %x\n", error);
}

/* Returns the errno for the client. */
static int serve(const struct transfer *request, slot_t memory, uint32_t *out_error, uint32_t *out_moved) {
  struct ranges ranges = {0, {0}, 0};
  char sentence[160];
  uint32_t bytes = request->count * SECTOR_BYTES;
  uint32_t flags = request->device == ISA_DISK ? PIN_DMA : 0;
  slot_t pin;
  int error = pin_memory(memory, request->start, page_round_up(bytes), flags, &ranges, &pin);
  if (error) {
    pm_explain(sentence, sizeof sentence, error);
    printf("driver: container_pin is refused\n");
    say(sentence);
    return error;
  }
  printf("driver: %u bytes are pinned, %s\n", page_round_up(bytes), place(&ranges));
  *out_error = (request->device == ISA_DISK ? isa_transfer : master_transfer)(&ranges, bytes, request->sector,
                                                                             request->to_memory, out_moved);
  error = physmem_unpin(pin);
  if (error)
    printf("driver: the pin is over: physmem_unpin says %s\n", pm_strerrorname(error));
  if (is_rogue)
    misbehave(&ranges);
  return *out_error == PIN_IS_OVER ? ETIMEDOUT : 0;
}

static void __attribute__((noreturn)) serve_clients(void) {
  struct envelope in;
  must(ipc_receive(&in), "ipc_receive");
  for (;;) {
    struct transfer request = *(const struct transfer *)message_words();
    uint32_t device_error = 0, moved = 0;
    slot_t memory = in.caps == 1 ? received_cap(0) : 0;
    int error = EINVAL;
    if (in.label == TRANSFER && in.words == TRANSFER_WORDS && memory)
      error = serve(&request, memory, &device_error, &moved);
    if (memory)
      sys_cap_delete(memory);
    message_words()[0] = device_error;
    message_words()[1] = moved;
    if (ipc_reply_receive((uint32_t)error, 2, 0, &in)) /* the client is gone */
      must(ipc_receive(&in), "ipc_receive");
  }
}

int main(int argc, char **argv) {
  if (argc > 1 && atoi(argv[1]) > 0)
    pin_cycles = (uint32_t)atoi(argv[1]);
  is_rogue = argc > 2;
  message_cap(0, main_thread, THREAD_SEND);
  must(ipc_call(starter_thread, HELLO, 0, 1, 0), "ipc_call");
  isa_start();
  master_start();
  interrupts_start();
  printf("driver: a disk of %u sectors on the 8237, a bus master of %u\n", isa_sectors(), master_sectors());
  if (argc == 1) {
    show_impossible();
    read_label();
  }
  must(ipc_call(starter_thread, READY, 0, 0, 0), "ipc_call");
  serve_clients();
}
