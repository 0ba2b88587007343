/* The loops that engines are compared by; the same source runs on the bare machine and as a native program. */
#ifndef LOOPS_H
#define LOOPS_H

#include <stdint.h>

#define MIB 0x100000u
/* What the loops need: three areas of 16 MiB behind each other. */
#define AREA (16u * MIB)
#define AREAS 3u

/* Set before the first loop: `AREAS * AREA` bytes. */
extern uint8_t *memory;

struct loop {
  const char *name;
  /* Does `repeat` units of work (about a million instructions each, `sieve` 116 million); returns a checksum. */
  uint32_t (*run)(uint32_t repeat);
};

/* Ends with a loop without name. */
extern const struct loop loops[];

#endif
