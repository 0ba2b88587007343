/* The two disks (docs/dma.md), and what the parts of the driver offer each other. */
#ifndef DISK_H
#define DISK_H

#include "protocol.h"

/* The disk on the 8237. */
enum { DISK = 0x320, DISK_CONTROL = DISK + 1, DISK_ERROR = DISK + 1, DISK_COUNT = DISK + 2, DISK_CHANNEL = DISK + 3 };
enum { DISK_SECTOR = DISK + 4, DISK_PORTS = 8, DISK_LINE = 5 };
enum { DISK_READ = 1, DISK_WRITE = 2, DISK_CAPACITY = 3, DISK_RESET = 5 };

/* The bus master; its registers are 32 bits wide. */
enum { MASTER = 0xc000, MASTER_LIST = MASTER + 4, MASTER_SECTOR = MASTER + 8, MASTER_COUNT = MASTER + 12 };
enum { MASTER_CONTROL = MASTER + 16, MASTER_ERROR = MASTER + 16, MASTER_MOVED = MASTER + 20, MASTER_CAPACITY = MASTER + 24 };
enum { MASTER_PORTS = 32, MASTER_LINE = 11 };
enum { MASTER_START = 1, MASTER_RESET = 5 };

enum { ACKNOWLEDGE = 0, INTERRUPT_WANTED = 1 };
#define DESCRIPTORS_MAX 64u

/* Memory that is pinned: pairs of physical address and size, as container_pin tells them, and when it ends, in cycles. */
struct ranges {
  uint32_t count;
  uint32_t pairs[2 * PIN_RANGES_MAX];
  uint64_t until;
};

/* driver.c: pins part of a container. A device must be told an address before the pin is over, or not at all: what it has
 * been told by then stays in place until it is quiet, what is pinned no longer may belong to anybody. */
int pin_memory(slot_t container, uint32_t start, uint32_t size, uint32_t flags, struct ranges *out, slot_t *out_pin);
int is_pinned(const struct ranges *ranges);

/* interrupts.c: a thread of its own takes the interrupts, so that the one that serves clients can wait for one of them
 * and owe a client its reply at the same time. */
void interrupts_start(void);
void interrupt_wait(uint32_t line);

/* driver.c: prints a sentence. */
void say(const char *sentence);

#define PIN_IS_OVER 0x100u /* instead of an error register: nothing more was programmed */

/* isa.c, master.c: move `bytes`, whole sectors, between the disk from `sector` on and the ranges. Return the device's
 * error register, 0 when all went well, and the bytes that moved. */
void isa_start(void);
uint32_t isa_sectors(void);
uint32_t isa_transfer(const struct ranges *ranges, uint32_t bytes, uint32_t sector, uint32_t to_memory, uint32_t *out_moved);
void master_start(void);
uint32_t master_sectors(void);
uint32_t master_transfer(const struct ranges *ranges, uint32_t bytes, uint32_t sector, uint32_t to_memory,
                         uint32_t *out_moved);

#endif
