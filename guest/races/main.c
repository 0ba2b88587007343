/* Four races that the rules of the server rule out, each against a second thread on the other core whose TLB holds the
 * page in question: what is copied may be written no more; what is freed may be seen no more; what is new reads as
 * zeroes; what is pinned is nobody else's. With a fault switch on, one of them is lost (docs/fault-switches.md). */
#include <physmem.h>
#include <stdio.h>

#define PIN_CYCLES 10000000
#define WATCH_CYCLES 20000
#define OLD_BYTES 0x0ddb17e5u

enum phase { IDLE, WRITE, STOP };
static volatile enum phase wanted, reached;
static uint32_t *volatile target;
static uint8_t stack[4096] __attribute__((aligned(16)));
static uint32_t lost;

/* The other thread: writes the target as long as it is told to. */
static void run(void *unused) {
  (void)unused;
  for (uint32_t count = 1; reached != STOP;) {
    enum phase phase = wanted;
    if (phase == WRITE)
      *(volatile uint32_t *)target = OLD_BYTES + count++ % 8;
    reached = phase;
  }
  sys_thread_exit();
}

static void go(enum phase phase) {
  wanted = phase;
  while (reached != phase)
    sys_yield();
}

static uint32_t *new_page(slot_t *container, uint32_t access) {
  must(container_create(own_control, container), "container_create");
  must(container_allocate(*container, 0, PAGE_SIZE, 0, 0), "container_allocate");
  return container_attach(*container, 0, PAGE_SIZE, access);
}

static void report(const char *what, int isKept) {
  printf("%s: %s\n", what, isKept ? "kept" : "BROKEN");
  lost += !isKept;
}

/* The copy is a copy: what the other core writes from now on is not in it. */
static void copy_while_written(slot_t page) {
  slot_t copy;
  must(container_create(own_control, &copy), "container_create");
  must(container_copy(page, 0, 0, PAGE_SIZE, 0, copy, 0), "container_copy");
  volatile uint32_t *seen = container_attach(copy, 0, PAGE_SIZE, ACCESS_READ);
  uint32_t first = *seen, same = 1;
  for (uint64_t end = clock_cycles() + WATCH_CYCLES; clock_cycles() < end;)
    same &= *seen == first;
  report("a copy stays as it was", same);
  must(container_destroy(copy, 0), "container_destroy");
}

/* What the other core's TLB holds is freed; who gets it next finds zeroes and no company. */
static void free_and_reuse(slot_t page) {
  slot_t next;
  must(container_deallocate(page, 0, PAGE_SIZE, 0), "container_deallocate");
  volatile uint32_t *word = new_page(&next, ACCESS_READ | ACCESS_WRITE);
  report("new memory reads as zeroes", *word == 0);
  must(container_destroy(next, 0), "container_destroy");
}

static uint32_t pin_page(slot_t container, slot_t *pin) {
  uint32_t ranges[2], count;
  must(container_pin(container, 0, PAGE_SIZE, PIN_CYCLES, 0, 0, &count, ranges, 2, pin), "container_pin");
  return ranges[0];
}

/* A device may still be at work in what is pinned, whether it has a name or not. */
static void reuse_pinned(void) {
  slot_t pinned, next, pin, other;
  new_page(&pinned, ACCESS_READ);
  uint32_t address = pin_page(pinned, &pin);
  must(container_deallocate(pinned, 0, PAGE_SIZE, 0), "container_deallocate");
  new_page(&next, ACCESS_READ);
  report("pinned memory is nobody else's", pin_page(next, &other) != address);
  must(physmem_unpin(pin), "physmem_unpin");
  must(physmem_unpin(other), "physmem_unpin");
}

int main(void) {
  slot_t page, thread;
  if (core_count < 2) {
    printf("this needs two cores\n");
    return 1;
  }
  target = new_page(&page, ACCESS_READ | ACCESS_WRITE);
  must(thread_start(run, 0, stack, sizeof stack, (core_number() + 1) % core_count, PRIORITY_MAIN, &thread),
       "thread_start");
  go(WRITE);
  copy_while_written(page);
  go(IDLE);
  free_and_reuse(page);
  reuse_pinned();
  go(STOP);
  printf(lost ? "%u rules are broken\n" : "all rules hold\n", lost);
  return lost != 0;
}
