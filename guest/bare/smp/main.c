/* Several cores: found by the multiprocessor tables, started by INIT and STARTUP, kept apart by a spinlock, woken by
 * IPIs, and told by a shootdown of its own that a translation has changed.
 *
 * The boot core leads: it raises `phase`, the others do the phase's work and report. All share one page directory. */
#include "../bare.h"
#include "../kernel/apic.h"
#include "../kernel/cpu.h"
#include "mp-tables.h"

#define TRAMPOLINE 0x7000u /* as in trampoline.S */
#define STACK_BYTES 4096
#define ROUNDS 1000
#define HELLO_VECTOR 0x40
#define SHOOTDOWN_VECTOR 0x41

#define WINDOW 0x00400000u /* the page whose translation changes */
#define PRESENT_WRITABLE 3u
#define LARGE 0x80u
#define CR0_PAGING 0x80000000u
#define CR4_LARGE_PAGES 0x10u

extern const char trampoline[], trampoline_end[];
void *volatile core_stack; /* of the core that is being started */

static uint8_t stacks[MAX_CORES][STACK_BYTES] __attribute__((aligned(16)));
static volatile uint32_t directory[1024] __attribute__((aligned(4096)));
static volatile uint32_t window_table[1024] __attribute__((aligned(4096)));
static uint32_t frames[2][1024] __attribute__((aligned(4096)));

static volatile uint32_t online = 1;
static volatile uint32_t phase;
static volatile uint32_t reported;   /* cores that have done the phase */
static volatile uint32_t window_sum; /* what they read in it */
static volatile uint32_t hellos, acknowledged;

/* ---- locks ---- */

static volatile uint32_t lock;
static uint32_t guarded;

static uint32_t exchange(volatile uint32_t *at, uint32_t value) {
  __asm__ volatile("xchgl %0, %1" : "+r"(value), "+m"(*at) : : "memory");
  return value;
}

static void take(void) {
  while (exchange(&lock, 1))
    pause_core();
}

static void release(void) { exchange(&lock, 0); }

static void add(volatile uint32_t *at, uint32_t value) {
  __asm__ volatile("lock addl %1, %0" : "+m"(*at) : "r"(value) : "memory");
}

/* ---- what every core does ---- */

static void start_paging(void) {
  write_cr4(read_cr4() | CR4_LARGE_PAGES);
  write_cr3((uint32_t)directory);
  write_cr0(read_cr0() | CR0_PAGING);
}

/* Plain additions: without the lock some would be lost. */
static void count_under_lock(void) {
  for (uint32_t i = 0; i < ROUNDS; i++) {
    take();
    guarded = *(volatile uint32_t *)&guarded + 1;
    release();
  }
}

static void read_window(void) { add(&window_sum, *(volatile uint32_t *)WINDOW); }

static void do_phase(uint32_t number) {
  if (number == 1)
    count_under_lock();
  else
    read_window();
  add(&reported, 1);
}

struct trap *on_trap(struct trap *trap) {
  if (trap->vector == HELLO_VECTOR)
    add(&hellos, 1);
  else if (trap->vector == SHOOTDOWN_VECTOR) {
    invalidate_page(WINDOW);
    add(&acknowledged, 1);
  } else {
    serial_write("unexpected trap 0x");
    serial_write_hex(trap->vector);
    leave(1);
  }
  apic_end_of_interrupt();
  return trap;
}

/* A core other than the boot core, on its own stack. */
void core_main(void) {
  load_tables_of_boot_core();
  start_paging();
  apic_start();
  add(&online, 1);
  enable_interrupts();
  for (uint32_t done = 0;;) {
    while (phase == done)
      pause_core();
    do_phase(++done);
  }
}

/* ---- the boot core ---- */

static void wait_for(volatile uint32_t *counter, uint32_t value) {
  while (*counter < value)
    pause_core();
}

/* A few hundred microseconds on any machine: reads of port 0x80 take about one each. */
static void wait_a_little(void) {
  for (int i = 0; i < 300; i++)
    in8(0x80);
}

/* MP specification 1.4 §B.4: reset code 0x0a and the warm-reset vector for old processors, INIT, twice STARTUP. */
static void start_core(uint8_t id, uint32_t number) {
  volatile uint16_t *reset_vector = (volatile uint16_t *)0x467;
  __asm__("" : "+r"(reset_vector));
  core_stack = stacks[number] + STACK_BYTES;
  out8(0x70, 0x0f);
  out8(0x71, 0x0a);
  reset_vector[0] = 0;
  reset_vector[1] = TRAMPOLINE >> 4;
  apic_send(id, IPI_INIT);
  wait_a_little();
  for (int i = 0; i < 2; i++) {
    apic_send(id, IPI_STARTUP | TRAMPOLINE >> 12);
    wait_a_little();
  }
  wait_for(&online, number + 1);
}

static void lead(uint32_t number, uint32_t cores) {
  reported = 0;
  window_sum = 0;
  phase = number;
  do_phase(number);
  wait_for(&reported, cores);
}

static void say(const char *text, uint32_t value) {
  serial_write(text);
  serial_write_decimal(value);
  serial_write("\n");
}

static void map(void) {
  directory[0] = 0 | PRESENT_WRITABLE | LARGE;
  directory[WINDOW >> 22] = (uint32_t)window_table | PRESENT_WRITABLE;
  directory[0xfec00000u >> 22] = 0xfec00000u | PRESENT_WRITABLE | LARGE; /* both kinds of APIC */
  window_table[0] = (uint32_t)frames[0] | PRESENT_WRITABLE;
  frames[0][0] = 1;
  frames[1][0] = 100;
}

/* The order is what counts: change the table, tell all, wait for all; only then is the old frame free. */
static void shoot_down(const uint8_t ids[], uint32_t cores) {
  window_table[0] = (uint32_t)frames[1] | PRESENT_WRITABLE;
  invalidate_page(WINDOW);
  for (uint32_t i = 1; i < cores; i++)
    apic_send(ids[i], IPI_FIXED | SHOOTDOWN_VECTOR);
  wait_for(&acknowledged, cores - 1);
}

uint32_t kernel_main(void) {
  uint8_t ids[MAX_CORES];
  serial_start();
  uint32_t cores = find_cores(ids);
  say("cores in the tables: ", cores);
  load_tables();
  map();
  start_paging();
  apic_start();
  for (uint32_t i = 0; i < (uint32_t)(trampoline_end - trampoline); i++)
    ((volatile char *)TRAMPOLINE)[i] = trampoline[i];
  for (uint32_t i = 1; i < cores; i++)
    start_core(ids[i], i);
  say("cores online: ", online);
  lead(1, cores);
  say("counted under the lock: ", guarded);
  for (uint32_t i = 1; i < cores; i++)
    apic_send(ids[i], IPI_FIXED | HELLO_VECTOR);
  wait_for(&hellos, cores - 1);
  say("interrupts answered: ", hellos);
  lead(2, cores);
  say("read before the shootdown: ", window_sum);
  shoot_down(ids, cores);
  say("shootdown acknowledged by: ", acknowledged);
  lead(3, cores);
  say("read after the shootdown: ", window_sum);
  return 0;
}
