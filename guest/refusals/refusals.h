/* The parts of the conformance test: each provokes errors and says whether they came (try.c). */
#ifndef REFUSALS_H
#define REFUSALS_H

#include <physmem.h>

/* Notes that `error` came where `wanted` was, and prints the sentence. */
void expect(const char *what, int error, int wanted);
uint32_t failures(void);

/* The same capability without some rights. */
slot_t without(slot_t slot, uint32_t rights);
/* A task that exists and has an address space, and one that is dead. */
slot_t make_task(void);
slot_t dead_task(void);
slot_t dead_thread(void);
/* Takes all free slots of the own capability table, or gives them back. */
void fill_slots(void);
void free_slots(void);

void try_capabilities(void);
void try_tasks(void);
void try_threads(void);
void try_messages(void);
void try_plain_drivers(void);
void try_drivers(void);
void try_controls(void);
void try_containers(void);
void try_scarce(void);
void try_dying(void);

#endif
