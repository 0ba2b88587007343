/* The oldest way to keep time on a PC: the 8254 interrupts through the 8259 pair, no APIC. Counter 0 ticks a thousand times
 * a second, counter 2 measures a hundredth of a second for it, as loops that calibrate other clocks do. */
#include "../bare.h"
#include "../kernel/cpu.h"

#define PIT_HZ 1193182u
#define TICKS_PER_SECOND 1000u
#define FIRST_VECTOR 0x20

#define PIC1 0x20
#define PIC2 0xa0
#define COUNTER_0 0x40
#define COUNTER_2 0x42
#define PIT_CONTROL 0x43
#define PORT_B 0x61 /* bit 0: gate of counter 2, bit 5: its output */

static volatile uint32_t ticks;

struct trap *on_trap(struct trap *trap) {
  if (trap->vector != FIRST_VECTOR) {
    serial_write("unexpected trap 0x");
    serial_write_hex(trap->vector);
    leave(1);
  }
  ticks++;
  out8(PIC1, 0x20); /* end of interrupt */
  return trap;
}

/* ICW1 to ICW4: edge-triggered, vectors from 0x20, second chip on input 2; then only IRQ 0 is open. */
static void start_pics(void) {
  out8(PIC1, 0x11);
  out8(PIC2, 0x11);
  out8(PIC1 + 1, FIRST_VECTOR);
  out8(PIC2 + 1, FIRST_VECTOR + 8);
  out8(PIC1 + 1, 1 << 2);
  out8(PIC2 + 1, 2);
  out8(PIC1 + 1, 1);
  out8(PIC2 + 1, 1);
  out8(PIC1 + 1, 0xfe);
  out8(PIC2 + 1, 0xff);
}

static void set_counter(uint8_t control, uint16_t port, uint32_t count) {
  out8(PIT_CONTROL, control);
  out8(port, (uint8_t)count);
  out8(port, (uint8_t)(count >> 8));
}

/* Waits by counter 2 in mode 0: its output rises when the count is over. */
static void wait_hundredth(void) {
  out8(PORT_B, in8(PORT_B) & 0xfc);
  set_counter(0xb0, COUNTER_2, PIT_HZ / 100);
  out8(PORT_B, in8(PORT_B) | 1);
  while (!(in8(PORT_B) & 0x20))
    ;
}

uint32_t kernel_main(void) {
  serial_start();
  load_tables();
  start_pics();
  set_counter(0x34, COUNTER_0, PIT_HZ / TICKS_PER_SECOND); /* mode 2: a pulse per period */
  while (ticks < 5)
    sleep_until_interrupt();
  serial_write("five ticks\n");
  enable_interrupts();
  uint32_t before = ticks;
  wait_hundredth();
  uint32_t meanwhile = ticks - before;
  disable_interrupts();
  serial_write(meanwhile >= 9 && meanwhile <= 11 ? "ten more in a hundredth of a second\n" : "the clocks disagree\n");
  return 0;
}
