/* Generated from src/abi by tools/build-abi.ts; do not edit. */
#include "stubs.h"

int sys_ipc(uint32_t dest, uint32_t receive, uint32_t tag, uint32_t mr0, uint32_t mr1,
            uint32_t timeout, uint32_t *out_badge, uint32_t *out_tag, uint32_t *out_mr0,
            uint32_t *out_mr1) {
  int error;
  uint32_t ebx = dest;
  uint32_t ecx = receive;
  uint32_t edx = tag;
  uint32_t esi = mr0;
  uint32_t edi = mr1;
  __asm__ volatile("pushl %[sixth]\n\tpushl %%ebp\n\tmovl 4(%%esp), %%ebp\n\tint %[vector]\n\tpopl %%ebp\n\taddl $4, %%esp"
                   : "=a"(error), "+b"(ebx), "+c"(ecx), "+d"(edx), "+S"(esi), "+D"(edi)
                   : "0"(0), [vector] "i"(SYSCALL_VECTOR), [sixth] "m"(timeout)
                   : "memory", "cc");
  if (out_badge)
    *out_badge = ebx;
  if (out_tag)
    *out_tag = edx;
  if (out_mr0)
    *out_mr0 = esi;
  if (out_mr1)
    *out_mr1 = edi;
  return error;
}

int sys_yield(void) {
  int error;
  __asm__ volatile("int %[vector]"
                   : "=a"(error)
                   : "0"(1), [vector] "i"(SYSCALL_VECTOR)
                   : "memory", "cc");
  return error;
}

int sys_task_exit(uint32_t status) {
  int error;
  uint32_t ebx = status;
  __asm__ volatile("int %[vector]"
                   : "=a"(error), "+b"(ebx)
                   : "0"(2), [vector] "i"(SYSCALL_VECTOR)
                   : "memory", "cc");
  return error;
}

int sys_task_create(uint32_t *out_task) {
  int error;
  uint32_t ebx = 0;
  __asm__ volatile("int %[vector]"
                   : "=a"(error), "+b"(ebx)
                   : "0"(3), [vector] "i"(SYSCALL_VECTOR)
                   : "memory", "cc");
  if (out_task)
    *out_task = ebx;
  return error;
}

int sys_task_destroy(uint32_t task) {
  int error;
  uint32_t ebx = task;
  __asm__ volatile("int %[vector]"
                   : "=a"(error), "+b"(ebx)
                   : "0"(4), [vector] "i"(SYSCALL_VECTOR)
                   : "memory", "cc");
  return error;
}

int sys_thread_create(uint32_t task, uint32_t eip, uint32_t esp, uint32_t pager, uint32_t core,
                      uint32_t priority, uint32_t *out_thread) {
  int error;
  uint32_t ebx = task;
  uint32_t ecx = eip;
  uint32_t edx = esp;
  uint32_t esi = pager;
  uint32_t edi = core;
  __asm__ volatile("pushl %[sixth]\n\tpushl %%ebp\n\tmovl 4(%%esp), %%ebp\n\tint %[vector]\n\tpopl %%ebp\n\taddl $4, %%esp"
                   : "=a"(error), "+b"(ebx), "+c"(ecx), "+d"(edx), "+S"(esi), "+D"(edi)
                   : "0"(5), [vector] "i"(SYSCALL_VECTOR), [sixth] "m"(priority)
                   : "memory", "cc");
  if (out_thread)
    *out_thread = ebx;
  return error;
}

int sys_thread_exit(void) {
  int error;
  __asm__ volatile("int %[vector]"
                   : "=a"(error)
                   : "0"(6), [vector] "i"(SYSCALL_VECTOR)
                   : "memory", "cc");
  return error;
}

int sys_thread_set_pager(uint32_t thread, uint32_t pager) {
  int error;
  uint32_t ebx = thread;
  uint32_t ecx = pager;
  __asm__ volatile("int %[vector]"
                   : "=a"(error), "+b"(ebx), "+c"(ecx)
                   : "0"(7), [vector] "i"(SYSCALL_VECTOR)
                   : "memory", "cc");
  return error;
}

int sys_cap_copy(uint32_t slot, uint32_t rights, uint32_t *out_slot) {
  int error;
  uint32_t ebx = slot;
  uint32_t ecx = rights;
  __asm__ volatile("int %[vector]"
                   : "=a"(error), "+b"(ebx), "+c"(ecx)
                   : "0"(8), [vector] "i"(SYSCALL_VECTOR)
                   : "memory", "cc");
  if (out_slot)
    *out_slot = ebx;
  return error;
}

int sys_cap_delete(uint32_t slot) {
  int error;
  uint32_t ebx = slot;
  __asm__ volatile("int %[vector]"
                   : "=a"(error), "+b"(ebx)
                   : "0"(9), [vector] "i"(SYSCALL_VECTOR)
                   : "memory", "cc");
  return error;
}

int sys_cap_info(uint32_t slot, uint32_t *out_type, uint32_t *out_rights) {
  int error;
  uint32_t ebx = slot;
  uint32_t edx = 0;
  __asm__ volatile("int %[vector]"
                   : "=a"(error), "+b"(ebx), "+d"(edx)
                   : "0"(10), [vector] "i"(SYSCALL_VECTOR)
                   : "memory", "cc");
  if (out_type)
    *out_type = ebx;
  if (out_rights)
    *out_rights = edx;
  return error;
}

int sys_cap_grant(uint32_t task, uint32_t slot, uint32_t rights, uint32_t *out_slot) {
  int error;
  uint32_t ebx = task;
  uint32_t ecx = slot;
  uint32_t edx = rights;
  __asm__ volatile("int %[vector]"
                   : "=a"(error), "+b"(ebx), "+c"(ecx), "+d"(edx)
                   : "0"(11), [vector] "i"(SYSCALL_VECTOR)
                   : "memory", "cc");
  if (out_slot)
    *out_slot = ebx;
  return error;
}

int sys_clock(uint32_t *out_low, uint32_t *out_high) {
  int error;
  uint32_t ebx = 0;
  uint32_t edx = 0;
  __asm__ volatile("int %[vector]"
                   : "=a"(error), "+b"(ebx), "+d"(edx)
                   : "0"(12), [vector] "i"(SYSCALL_VECTOR)
                   : "memory", "cc");
  if (out_low)
    *out_low = ebx;
  if (out_high)
    *out_high = edx;
  return error;
}

int sys_sleep(uint32_t cycles) {
  int error;
  uint32_t ebx = cycles;
  __asm__ volatile("int %[vector]"
                   : "=a"(error), "+b"(ebx)
                   : "0"(13), [vector] "i"(SYSCALL_VECTOR)
                   : "memory", "cc");
  return error;
}

int sys_console_write(uint32_t length) {
  int error;
  uint32_t ebx = length;
  __asm__ volatile("int %[vector]"
                   : "=a"(error), "+b"(ebx)
                   : "0"(14), [vector] "i"(SYSCALL_VECTOR)
                   : "memory", "cc");
  return error;
}

int sys_thread_mint(uint32_t thread, uint32_t badge, uint32_t *out_slot) {
  int error;
  uint32_t ebx = thread;
  uint32_t ecx = badge;
  __asm__ volatile("int %[vector]"
                   : "=a"(error), "+b"(ebx), "+c"(ecx)
                   : "0"(15), [vector] "i"(SYSCALL_VECTOR)
                   : "memory", "cc");
  if (out_slot)
    *out_slot = ebx;
  return error;
}

int sys_thread_control(uint32_t thread, uint32_t what, uint32_t value) {
  int error;
  uint32_t ebx = thread;
  uint32_t ecx = what;
  uint32_t edx = value;
  __asm__ volatile("int %[vector]"
                   : "=a"(error), "+b"(ebx), "+c"(ecx), "+d"(edx)
                   : "0"(16), [vector] "i"(SYSCALL_VECTOR)
                   : "memory", "cc");
  return error;
}

int sys_task_set_driver(uint32_t task) {
  int error;
  uint32_t ebx = task;
  __asm__ volatile("int %[vector]"
                   : "=a"(error), "+b"(ebx)
                   : "0"(17), [vector] "i"(SYSCALL_VECTOR)
                   : "memory", "cc");
  return error;
}

int sys_irq_bind(uint32_t irq, uint32_t thread, uint32_t badge, uint32_t trigger) {
  int error;
  uint32_t ebx = irq;
  uint32_t ecx = thread;
  uint32_t edx = badge;
  uint32_t esi = trigger;
  __asm__ volatile("int %[vector]"
                   : "=a"(error), "+b"(ebx), "+c"(ecx), "+d"(edx), "+S"(esi)
                   : "0"(18), [vector] "i"(SYSCALL_VECTOR)
                   : "memory", "cc");
  return error;
}

int sys_irq_ack(uint32_t irq) {
  int error;
  uint32_t ebx = irq;
  __asm__ volatile("int %[vector]"
                   : "=a"(error), "+b"(ebx)
                   : "0"(19), [vector] "i"(SYSCALL_VECTOR)
                   : "memory", "cc");
  return error;
}

int sys_ioport_bind(uint32_t first, uint32_t count, uint32_t take) {
  int error;
  uint32_t ebx = first;
  uint32_t ecx = count;
  uint32_t edx = take;
  __asm__ volatile("int %[vector]"
                   : "=a"(error), "+b"(ebx), "+c"(ecx), "+d"(edx)
                   : "0"(20), [vector] "i"(SYSCALL_VECTOR)
                   : "memory", "cc");
  return error;
}
