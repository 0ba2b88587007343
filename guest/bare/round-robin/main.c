/* Preemptive round robin: three threads in ring 3 that never give the core away, and a timer that takes it from them.
 *
 * Each thread says its name once per turn and then spins until the timer has interrupted it. So the names come in
 * turn, A1 B1 C1 A2 ..., although no thread knows of the others: that is what preemption gives. */
#include "../bare.h"
#include "../kernel/apic.h"
#include "../kernel/cpu.h"

#define THREADS 3
#define TURNS 4
#define STACK_BYTES 4096
#define TIMER_VECTOR 0x20
#define SYSTEM_CALL 0x30
#define SLICE_TICKS 1000000 /* long enough to say a name, on this machine and on QEMU */

enum { CALL_SAY, CALL_EXIT };

struct thread {
  char user_stack[STACK_BYTES] __attribute__((aligned(16)));
  char kernel_stack[STACK_BYTES] __attribute__((aligned(16)));
  struct trap *frame; /* where it goes on, on its kernel stack */
  int alive;
};

static struct thread threads[THREADS];
static uint32_t current;
static volatile uint32_t ticks;

void resume(struct trap *frame) __attribute__((noreturn));

/* ---- ring 3 ---- */

static void system_call(uint32_t number, uint32_t argument) {
  __asm__ volatile("int %0" : : "i"(SYSTEM_CALL), "a"(number), "b"(argument) : "memory");
}

static void thread_main(uint32_t name) {
  for (uint32_t turn = 1; turn <= TURNS; turn++) {
    uint32_t before = ticks;
    system_call(CALL_SAY, name << 8 | ('0' + turn));
    while (ticks == before)
      ;
  }
  system_call(CALL_EXIT, 0);
}

/* ---- ring 0 ---- */

/* A frame as if the thread had been interrupted before its first instruction. */
static void make_thread(struct thread *thread, uint32_t name) {
  uint32_t *stack = (uint32_t *)(thread->user_stack + STACK_BYTES);
  *--stack = name; /* the argument of thread_main */
  *--stack = 0;    /* its return address: it never returns */
  struct trap *frame = (struct trap *)(thread->kernel_stack + STACK_BYTES) - 1;
  frame->eip = (uint32_t)thread_main;
  frame->cs = USER_CODE;
  frame->eflags = EFLAGS_IF;
  frame->esp = (uint32_t)stack;
  frame->ss = USER_DATA;
  thread->frame = frame;
  thread->alive = 1;
}

static void finish(void) {
  apic_timer_stop();
  serial_write("\ntimer interrupts: ");
  serial_write_decimal(ticks);
  serial_write("\n");
  leave(0);
}

/* The next living thread after the current one. */
static struct trap *next_thread(void) {
  for (uint32_t step = 1; step <= THREADS; step++) {
    uint32_t candidate = (current + step) % THREADS;
    if (!threads[candidate].alive)
      continue;
    current = candidate;
    set_kernel_stack(threads[current].kernel_stack + STACK_BYTES);
    return threads[current].frame;
  }
  finish();
  return 0;
}

static struct trap *on_system_call(struct trap *trap) {
  if (trap->eax == CALL_EXIT) {
    threads[current].alive = 0;
    return next_thread();
  }
  char text[] = {(char)(trap->ebx >> 8), (char)trap->ebx, ' ', 0};
  serial_write(text);
  return trap;
}

struct trap *on_trap(struct trap *trap) {
  if (trap->vector == SYSTEM_CALL)
    return on_system_call(trap);
  if (trap->vector != TIMER_VECTOR || (trap->cs & 3) != 3) {
    serial_write("unexpected trap 0x");
    serial_write_hex(trap->vector);
    leave(1);
  }
  ticks++;
  apic_end_of_interrupt();
  threads[current].frame = trap;
  return next_thread();
}

uint32_t kernel_main(void) {
  serial_start();
  serial_write("three threads in ring 3, one core\n");
  load_tables();
  apic_start();
  for (uint32_t i = 0; i < THREADS; i++)
    make_thread(&threads[i], 'A' + i);
  current = THREADS - 1;
  apic_timer(TIMER_VECTOR, SLICE_TICKS);
  resume(next_thread());
}
