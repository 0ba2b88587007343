/* Registers are 32 bits wide and 16 bytes apart, at addresses that every PC of the time has. */
#include "apic.h"
#include "../bare.h"
#include "cpu.h"

#define LOCAL ((volatile uint32_t *)0xfee00000)
#define IO ((volatile uint32_t *)0xfec00000)

enum { ID = 0x20, EOI = 0xb0, SPURIOUS = 0xf0, COMMAND = 0x300, DESTINATION = 0x310, TIMER = 0x320 };
enum { TIMER_COUNT = 0x380, TIMER_DIVIDE = 0x3e0 };

#define ENABLED 0x100u
#define MASKED 0x10000u
#define PERIODIC 0x20000u
#define DIVIDE_BY_1 0xbu
#define DELIVERY_PENDING 0x1000u

static void write_local(uint32_t at, uint32_t value) { LOCAL[at / 4] = value; }
static uint32_t read_local(uint32_t at) { return LOCAL[at / 4]; }

void apic_start(void) {
  out8(0x21, 0xff);
  out8(0xa1, 0xff);
  write_local(SPURIOUS, ENABLED | SPURIOUS_VECTOR);
}

uint32_t apic_id(void) { return read_local(ID) >> 24; }

void apic_timer(uint8_t vector, uint32_t count) {
  write_local(TIMER_DIVIDE, DIVIDE_BY_1);
  write_local(TIMER, PERIODIC | vector);
  write_local(TIMER_COUNT, count);
}

void apic_timer_stop(void) { write_local(TIMER, MASKED); }

void apic_send(uint32_t target, uint32_t what) {
  write_local(DESTINATION, target << 24);
  write_local(COMMAND, what);
  while (read_local(COMMAND) & DELIVERY_PENDING)
    pause_core();
}

void apic_end_of_interrupt(void) { write_local(EOI, 0); }

static void write_io(uint32_t index, uint32_t value) {
  IO[0] = index;
  IO[4] = value;
}

void ioapic_route(uint32_t input, uint8_t vector, uint32_t target) {
  write_io(0x10 + 2 * input + 1, target << 24);
  write_io(0x10 + 2 * input, vector);
}
