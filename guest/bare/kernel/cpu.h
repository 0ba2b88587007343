/* What the toy kernels share of the processor: descriptor tables, traps, control registers. */
#ifndef CPU_H
#define CPU_H

#include <stdint.h>

/* Selectors of the GDT in descriptors.c. */
#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10
#define USER_CODE 0x1b /* ring 3 */
#define USER_DATA 0x23
#define TASK_STATE 0x28

#define EFLAGS_IF 0x200

/* What a trap leaves on the kernel's stack, lowest address first; `esp` and `ss` are there only when it came from
 * ring 3. */
struct trap {
  uint32_t edi, esi, ebp, unused, ebx, edx, ecx, eax;
  uint32_t vector, error;
  uint32_t eip, cs, eflags, esp, ss;
};

/* Written by each kernel: handles a trap and returns the frame to go on with, its own or another one's. */
struct trap *on_trap(struct trap *trap);

/* Loads GDT, TSS and IDT; vectors 0 to 0x4f lead to on_trap, with interrupts off. 0x30 may be called from ring 3. */
void load_tables(void);
/* Loads GDT and IDT of load_tables on another core, which has no TSS of its own. */
void load_tables_of_boot_core(void);
/* The stack for the next trap from ring 3. */
void set_kernel_stack(void *top);

static inline void enable_interrupts(void) { __asm__ volatile("sti" : : : "memory"); }
static inline void disable_interrupts(void) { __asm__ volatile("cli" : : : "memory"); }
/* Sleeps until an interrupt has been handled. STI takes effect after HLT has begun, so none is missed. */
static inline void sleep_until_interrupt(void) { __asm__ volatile("sti; hlt; cli" : : : "memory"); }
static inline void pause_core(void) { __asm__ volatile("pause" : : : "memory"); }

static inline uint32_t read_cr0(void) {
  uint32_t value;
  __asm__ volatile("movl %%cr0, %0" : "=r"(value));
  return value;
}
static inline void write_cr0(uint32_t value) { __asm__ volatile("movl %0, %%cr0" : : "r"(value) : "memory"); }
static inline uint32_t read_cr2(void) {
  uint32_t value;
  __asm__ volatile("movl %%cr2, %0" : "=r"(value));
  return value;
}
static inline void write_cr3(uint32_t value) { __asm__ volatile("movl %0, %%cr3" : : "r"(value) : "memory"); }
static inline uint32_t read_cr4(void) {
  uint32_t value;
  __asm__ volatile("movl %%cr4, %0" : "=r"(value));
  return value;
}
static inline void write_cr4(uint32_t value) { __asm__ volatile("movl %0, %%cr4" : : "r"(value) : "memory"); }
static inline void invalidate_page(uint32_t address) {
  __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

#endif
