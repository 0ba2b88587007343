/* The processors that the firmware lists in its multiprocessor tables (Intel MultiProcessor Specification 1.4, ch. 4). */
#ifndef MP_TABLES_H
#define MP_TABLES_H

#include <stdint.h>

#define MAX_CORES 16

/* Writes the APIC IDs of all usable cores, the one that runs first, and returns their number; 0 = there are no tables. */
uint32_t find_cores(uint8_t ids[MAX_CORES]);

/* The ID that the tables give to the first I/O APIC; 0xff = none. */
uint32_t find_io_apic(void);

#endif
