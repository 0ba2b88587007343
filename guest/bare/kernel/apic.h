/* The interrupt controllers: local APIC (SDM vol. 3 ch. 11) and I/O APIC (82093AA data sheet). */
#ifndef APIC_H
#define APIC_H

#include <stdint.h>

#define IPI_INIT 0x4500u    /* assert */
#define IPI_STARTUP 0x4600u /* | page number */
#define IPI_FIXED 0x4000u   /* | vector */
#define SPURIOUS_VECTOR 0x4f

/* Masks the 8259 pair, which firmware may have left open, and enables this core's local APIC. */
void apic_start(void);
uint32_t apic_id(void);
/* Periodic interrupts: `vector` every `count` ticks. */
void apic_timer(uint8_t vector, uint32_t count);
void apic_timer_stop(void);
/* Sends an IPI to one core and waits until it has left. */
void apic_send(uint32_t target, uint32_t what);
void apic_end_of_interrupt(void);
/* Sends interrupts of an I/O APIC input (ISA: the number of the IRQ) as `vector` to the core `target`, edge-triggered. */
void ioapic_route(uint32_t input, uint8_t vector, uint32_t target);

#endif
