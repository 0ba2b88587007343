/* What student kernels of the xv6 kind do with a PC, step by step, each step checked: a kernel in the upper half on 4 MiB
 * pages, the UART without FIFO and with its modem lines off, the I/O APIC that the tables name, cores started
 * without any delay, the disk's interrupt on the last core, two sectors per command without SET MULTIPLE, writes that do
 * not wait for the disk, the screen's cursor, the APIC timer at 10,000,000 ticks, 224 MiB of RAM.
 *
 * Needs --ram 256M and a disk. With the command line `interactive` it also waits for a byte and a key. */
#include "../bare.h"
#include "../kernel/apic.h"
#include "../kernel/cpu.h"
#include "../smp/mp-tables.h"

#define BASE 0x80000000u
#define TRAMPOLINE 0x7000u
#define RAM_END 0x0e000000u
#define STACK_BYTES 4096
#define LARGE_PAGE 0x83u

#define TIMER_VECTOR 0x20
#define KEYBOARD_VECTOR 0x21
#define SERIAL_VECTOR 0x24
#define DISK_VECTOR 0x2e

#define LOCAL_APIC ((volatile uint32_t *)0xfee00000)
#define IO_APIC ((volatile uint32_t *)0xfec00000)

extern const char trampoline[], trampoline_end[];
void *volatile core_stack;

volatile uint32_t directory[1024] __attribute__((aligned(4096))) = {
    [0] = LARGE_PAGE,
    [BASE >> 22] = LARGE_PAGE,
    [0xfec00000u >> 22] = 0xfec00000u | LARGE_PAGE,
};
static uint8_t stacks[MAX_CORES][STACK_BYTES] __attribute__((aligned(16)));
static volatile uint32_t online = 1, ticks, disk_interrupts, disk_core, typed, key;
static uint32_t buffer[2][256]; /* two sectors each */

static void say(const char *text, uint32_t value) {
  serial_write(text);
  serial_write_decimal(value);
  serial_write("\n");
}

struct trap *on_trap(struct trap *trap) {
  if (trap->vector == TIMER_VECTOR)
    ticks++;
  else if (trap->vector == DISK_VECTOR) {
    disk_core = apic_id();
    in8(0x1f7);
    disk_interrupts++;
  } else if (trap->vector == SERIAL_VECTOR)
    typed = in8(0x3f8);
  else if (trap->vector == KEYBOARD_VECTOR)
    key = in8(0x64) & 1 ? in8(0x60) : 0;
  else {
    say("unexpected trap ", trap->vector);
    leave(1);
  }
  apic_end_of_interrupt();
  return trap;
}

/* FIFO off, 9600 baud, modem lines off, receive interrupt on; then what was pending is read away. */
static void start_uart(void) {
  out8(0x3fa, 0);
  out8(0x3fb, 0x80);
  out8(0x3f8, 12);
  out8(0x3f9, 0);
  out8(0x3fb, 0x03);
  out8(0x3fc, 0);
  out8(0x3f9, 0x01);
  in8(0x3fa);
  in8(0x3f8);
}

void core_main(void) {
  load_tables_of_boot_core();
  apic_start();
  __asm__ volatile("lock incl %0" : "+m"(online) : : "memory");
  for (;;)
    sleep_until_interrupt();
}

/* The IPIs follow each other at once: who needs 10 ms between them has a slower bus. */
static void start_core(uint8_t id, uint32_t number) {
  core_stack = stacks[number] + STACK_BYTES;
  out8(0x70, 0x0f);
  out8(0x71, 0x0a);
  ((volatile uint16_t *)(BASE + 0x467))[0] = 0;
  ((volatile uint16_t *)(BASE + 0x467))[1] = TRAMPOLINE >> 4;
  apic_send(id, 0xc500); /* INIT, level, assert */
  apic_send(id, 0x8500); /* INIT, level, de-assert */
  for (int i = 0; i < 2; i++)
    apic_send(id, 0x600 | TRAMPOLINE >> 12);
  while (online <= number)
    pause_core();
}

static void disk_command(uint8_t command, uint32_t sector) {
  while ((in8(0x1f7) & 0xc0) != 0x40)
    ;
  out8(0x3f6, 0);
  out8(0x1f2, 2);
  out8(0x1f3, (uint8_t)sector);
  out8(0x1f4, 0);
  out8(0x1f5, 0);
  out8(0x1f6, 0xe0);
  out8(0x1f7, command);
}

static void wait_disk(uint32_t number) {
  enable_interrupts(); /* the last core may be this one */
  while (disk_interrupts < number)
    pause_core();
  disable_interrupts();
  while ((in8(0x1f7) & 0xc0) != 0x40)
    ;
}

/* Selects the second disk, looks at its status often enough for a slow one, and goes back to the first. */
static int has_second_disk(void) {
  int found = 0;
  out8(0x1f6, 0xf0);
  for (int i = 0; i < 1000 && !found; i++)
    found = in8(0x1f7) != 0;
  out8(0x1f6, 0xe0);
  return found;
}

/* Writes two sectors and reads them back, without waiting for DRQ before the data. */
static void check_disk(uint32_t last_core) {
  ioapic_route(14, DISK_VECTOR, last_core);
  say("second disk: ", has_second_disk());
  for (uint32_t i = 0; i < 256; i++)
    buffer[0][i] = i * 0x01000193;
  const uint32_t *from = buffer[0];
  uint32_t *to = buffer[1], words = 256;
  disk_command(0xc5, 4);
  __asm__ volatile("cld; rep outsl" : "+S"(from), "+c"(words) : "d"(0x1f0) : "memory");
  wait_disk(1);
  disk_command(0xc4, 4);
  wait_disk(2);
  words = 256;
  __asm__ volatile("cld; rep insl" : "+D"(to), "+c"(words) : "d"(0x1f0) : "memory");
  uint32_t same = 0;
  for (uint32_t i = 0; i < 256; i++)
    same += ((volatile uint32_t *)buffer[1])[i] == i * 0x01000193;
  say("words that came back from the disk: ", same);
  say("disk interrupts on the last core: ", disk_core == last_core ? disk_interrupts : 0);
}

/* One word per MiB up to 224 MiB, through 4 MiB pages; the first 4 MiB hold the kernel. */
static void check_memory(void) {
  uint32_t good = 0;
  for (uint32_t at = 0x400000; at < RAM_END; at += 0x400000)
    directory[(BASE + at) >> 22] = at | LARGE_PAGE;
  for (uint32_t at = 0x400000; at < RAM_END; at += 0x100000)
    *(volatile uint32_t *)(BASE + at) = ~at;
  for (uint32_t at = 0x400000; at < RAM_END; at += 0x100000)
    good += *(volatile uint32_t *)(BASE + at) == ~at;
  say("MiB above the first four: ", good);
}

static void check_screen(void) {
  volatile uint16_t *screen = (volatile uint16_t *)(BASE + 0xb8000);
  const char *text = "upper half";
  uint32_t at = 3 * 80;
  while (*text)
    screen[at++] = 0x0700 | (uint8_t)*text++;
  out8(0x3d4, 14);
  out8(0x3d5, (uint8_t)(at >> 8));
  out8(0x3d4, 15);
  out8(0x3d5, (uint8_t)at);
  out8(0x3d4, 14);
  uint32_t cursor = in8(0x3d5) << 8;
  out8(0x3d4, 15);
  say("cursor: ", cursor | in8(0x3d5));
}

static void check_apics(const uint8_t ids[], uint32_t cores) {
  IO_APIC[0] = 0;
  uint32_t id = IO_APIC[4] >> 24 & 15;
  IO_APIC[0] = 1;
  uint32_t inputs = (IO_APIC[4] >> 16 & 0xff) + 1;
  serial_write(id == find_io_apic() ? "I/O APIC: as in the tables\n" : "I/O APIC: not as in the tables\n");
  say("inputs: ", inputs);
  LOCAL_APIC[0x310 / 4] = 0;
  LOCAL_APIC[0x300 / 4] = 0x88500; /* INIT level de-assert to all: synchronises arbitration, changes nothing */
  while (LOCAL_APIC[0x300 / 4] & 0x1000)
    pause_core();
  for (uint32_t i = 1; i < cores; i++)
    start_core(ids[i], i);
  say("cores: ", online);
  apic_timer(TIMER_VECTOR, 10000000);
  while (ticks < 2)
    sleep_until_interrupt();
  apic_timer_stop();
  say("ticks: ", ticks);
}

static int is_interactive(const struct multiboot_info *info) {
  const char *wanted = "interactive", *line = info->command_line;
  while (info->flags & 4 && *wanted && *line == *wanted)
    line++, wanted++;
  return !*wanted;
}

static void check_input(void) {
  while (!typed || !key)
    sleep_until_interrupt();
  say("typed: ", typed);
  say("key: ", key);
}

uint32_t kernel_main(const struct multiboot_info *info) {
  uint8_t ids[MAX_CORES];
  load_tables();
  apic_start();
  start_uart();
  ioapic_route(4, SERIAL_VECTOR, apic_id());
  ioapic_route(1, KEYBOARD_VECTOR, apic_id());
  uint32_t cores = find_cores(ids);
  for (uint32_t i = 0; i < (uint32_t)(trampoline_end - trampoline); i++)
    ((volatile char *)(BASE + TRAMPOLINE))[i] = trampoline[i];
  check_apics(ids, cores);
  check_disk(ids[cores - 1]);
  check_memory();
  check_screen();
  if (is_interactive(info))
    check_input();
  return 0;
}
