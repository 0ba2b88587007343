/* What root, driver and client say to each other. Every message is a call. */
#ifndef PROTOCOL_H
#define PROTOCOL_H

#include <physmem.h>

enum {
  /* To the root: */
  HELLO = 1,  /* item 0: the driver's thread; or of the client, reply item 0: that thread, none when it is not ready */
  READY,      /* the driver serves from now on */
  WITNESS,    /* item 0: limited capability to read; word 0: pages. The root reads them until STOP */
  STOP,       /* reply word 0: how often it saw a counter go back */
  BEGIN_LONG, /* the client's next call takes long: somebody may die in it */
  DONE,       /* word 0: 0 when all was well */
  /* To the driver: a transfer between disk and memory. Item 0: limited capability with PIN.
   * Words: see struct transfer. Reply: label errno, word 0 error register of the device, word 1 bytes moved. */
  TRANSFER,
};

enum { DRIVER_BADGE = 1, CLIENT_BADGE = 2 };

/* Cores of the parties; the root is on core 0. */
enum { DRIVER_CORE = 1, CLIENT_CORE = 2, WRITER_CORE = 3 };

enum device { ISA_DISK = 0, BUS_MASTER_DISK = 1 };

#define SECTOR_BYTES 512u

struct transfer {
  uint32_t device, to_memory, sector, count;
  uint32_t start; /* byte of the client's container, page aligned */
};
enum { TRANSFER_WORDS = 5 };

#endif
