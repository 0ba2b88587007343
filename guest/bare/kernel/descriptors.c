/* GDT, TSS and IDT (SDM vol. 3 ch. 3, 6, 7): flat segments for rings 0 and 3, one task state segment for the stack of
 * traps from ring 3, interrupt gates. */
#include "cpu.h"

#define VECTORS 0x50
#define SYSTEM_CALL 0x30
#define GATE_INTERRUPT 0x8e00u
#define GATE_FROM_RING_3 0x6000u

struct task_state {
  uint32_t link, esp0, ss0, others[22];
  uint32_t io_map; /* high half: offset of the I/O map, beyond the limit = none */
};

struct table_pointer {
  uint16_t limit;
  uint32_t base;
} __attribute__((packed));

extern const uint32_t trap_entries[VECTORS]; /* traps.S */

static struct task_state task_state;
static uint64_t gdt[6] = {
    0,
    0x00cf9a000000ffff, /* kernel code: base 0, limit 4 GiB */
    0x00cf92000000ffff, /* kernel data */
    0x00cffa000000ffff, /* user code */
    0x00cff2000000ffff, /* user data */
    0,                  /* the task state segment; its address is known at run time */
};
static uint64_t idt[VECTORS];

void load_tables_of_boot_core(void) {
  struct table_pointer gdt_pointer = {sizeof gdt - 1, (uint32_t)gdt};
  struct table_pointer idt_pointer = {sizeof idt - 1, (uint32_t)idt};
  /* DS and ES get ring 3's data segment for good: it is as flat as the kernel's, and traps need not change it. */
  __asm__ volatile("lgdt %0\n\t"
                   "ljmp %2, $1f\n"
                   "1:\tmovw %w3, %%ds\n\t"
                   "movw %w3, %%es\n\t"
                   "movw %w4, %%ss\n\t"
                   "lidt %1"
                   :
                   : "m"(gdt_pointer), "m"(idt_pointer), "i"(KERNEL_CODE), "r"(USER_DATA), "r"(KERNEL_DATA)
                   : "memory");
}

void load_tables(void) {
  uint32_t base = (uint32_t)&task_state, limit = sizeof task_state - 1;
  task_state.ss0 = KERNEL_DATA;
  task_state.io_map = sizeof task_state << 16;
  gdt[TASK_STATE / 8] = (uint64_t)(base & 0xff000000u) << 32 | (uint64_t)0x89 << 40 |
                        (uint64_t)(base & 0xffffffu) << 16 | limit;
  for (uint32_t vector = 0; vector < VECTORS; vector++) {
    uint32_t entry = trap_entries[vector];
    uint32_t kind = GATE_INTERRUPT | (vector == SYSTEM_CALL ? GATE_FROM_RING_3 : 0);
    idt[vector] = (uint64_t)((entry & 0xffff0000u) | kind) << 32 | (uint32_t)KERNEL_CODE << 16 | (entry & 0xffff);
  }
  load_tables_of_boot_core();
  __asm__ volatile("ltr %w0" : : "r"(TASK_STATE));
}

void set_kernel_stack(void *top) { task_state.esp0 = (uint32_t)top; }
