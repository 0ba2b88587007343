/* The guest SDK in one header: system calls and operations (stubs.h), messages (message.h), and what the SDK adds:
 * boot information, threads, the task's own pager, address ranges, starting other tasks, errors as sentences.
 *
 * A program's main runs in a thread of its own; a second thread, the pager, serves its page faults from a table of
 * regions (physmem has nothing to do with virtual memory: that is the domain of the applications themselves). */
#ifndef PHYSMEM_H
#define PHYSMEM_H

#include "lock.h"
#include "message.h"
#include "stubs.h"
#include <stddef.h>
#include <stdint.h>

#define PAGE_SIZE 4096u
#define PAGE_MASK 4095u
#define page_round_up(bytes) (((bytes) + PAGE_MASK) & ~PAGE_MASK)

#define ACCESS_READ CONTAINER_READ
#define ACCESS_WRITE CONTAINER_WRITE
#define ACCESS_EXECUTE CONTAINER_EXECUTE
#define ANY_CORE 0xffffffffu
#define CONTROL_ALL ALL_CONTROL_RIGHTS
#define CONTAINER_ALL ALL_CONTAINER_RIGHTS

enum { PRIORITY_MAIN = 3, PRIORITY_PAGER = 4 };

/* ---- What the starter gave (the boot page) ---- */

extern slot_t own_control;     /* the task's memory control, 0 = none */
extern slot_t starter_thread;  /* a thread of the starter, 0 = none */
extern slot_t boot_container;  /* holds the own image at its linear addresses, and the boot modules */
extern uint32_t core_count;
extern slot_t main_thread;     /* the thread that runs main */
extern slot_t pager_thread;    /* the thread that serves its faults */

/* Finds a boot module by name: its first byte in boot_container and its size. ENOENT when there is none. */
int boot_module(const char *name, uint32_t *out_start, uint32_t *out_size);

/* ---- Errors as sentences ---- */

const char *pm_strerrorname(int error);
const char *pm_strerror(int error);
const char *pm_operation_name(uint32_t op);
/* Writes a sentence about the calling thread's last refused operation: the errno and, when the server told it, the
 * exact reason with the argument to blame and the limit that was hit, else what the errno means in general. Returns
 * the length that the sentence needs. */
int pm_explain(char *buffer, size_t size, int error);
/* Ends the task with a sentence when `error` is not 0. */
void must(int error, const char *what);

/* ---- Address space and paging ---- */

/* Part of an address space and what is to be seen there. */
struct region {
  uint32_t vaddr, size; /* linear address and bytes, page aligned */
  slot_t container;
  uint32_t start;  /* byte of the container that is seen at vaddr */
  uint32_t access; /* ACCESS_* */
  uint32_t badge;  /* 0: the own address space; else that of the started task whose pager slot has this badge */
  slot_t task;     /* that task, 0 for the own */
};

/* Takes a range of the own address space that nothing else uses; align is a power of two, at least PAGE_SIZE.
 * Ranges are handed out upwards from the end of the image, so small programs stay within one page table. */
uint32_t vaddr_reserve(uint32_t size, uint32_t align);
/* Tells the pager to serve faults of a range. ENOSPC when the table is full. */
int region_add(const struct region *region);
/* Forgets the regions that begin in a range of the own address space; does not unmap. */
void region_remove(uint32_t vaddr, uint32_t size);
/* Reserves a range for `size` bytes of a container from `start`, for the pager to map on faults. NULL on failure. */
void *container_attach(slot_t container, uint32_t start, uint32_t size, uint32_t access);
/* Faults that the own pager has served so far. */
uint32_t pager_fault_count(void);
/* When set, the pager calls it with the address and the reason of a fault of the own task that it can not serve,
 * instead of printing a line and ending the task with status 139. It runs in the pager's thread and must not return. */
extern void (*pager_refusal)(uint32_t address, const char *why);

/* ---- Threads ---- */

/* Starts a thread of the own task at function(argument) with the own pager. The stack is the caller's memory and
 * must live as long as the thread. */
int thread_start(void (*function)(void *), void *argument, void *stack, uint32_t stack_bytes, uint32_t core,
                 uint32_t priority, slot_t *out_thread);

/* ---- Starting other tasks ---- */

struct task_spec {
  const char *module; /* boot module with the ELF image */
  int argc;
  const char *const *argv;
  slot_t control;  /* pays for the page tables of the task, and is given to it */
  uint32_t rights; /* the rights on `control` that the task gets */
  uint32_t core;
  uint32_t badge;   /* what the starter's threads see as the badge of the task's messages; not 0 */
  uint32_t stack_pages; /* 0 = BOOT_STACK_PAGES */
};

struct task {
  slot_t task;
  slot_t thread;         /* its first thread */
  slot_t image;          /* container of its image, boot page and stack, paid by the starter */
};

/* Loads an ELF image from a boot module and starts it. The image is charged to the starter's own control, the page
 * tables to spec->control. The starter's pager thread serves the faults of the task's first thread. ENOENT: no such
 * module; EINVAL: not a static ELF32 i386 image with page-aligned segments; others from the operations used. */
int task_start(const struct task_spec *spec, struct task *out);

/* Forgets the regions of a started task whose end is wanted (its control is going to be destroyed): the pager thread
 * then lets the task's faulting threads die without a word. */
void task_forget(uint32_t badge);

/* Waits until a thread of another task is gone; returns the errno that told it (ESRCH, ECANCELED or EBADF). The
 * thread must not be receiving from anyone, or it would get an empty message with label 0. */
int thread_wait_end(slot_t thread);

/* ---- Time ---- */

/* Cycles since reset, as this core counts them. */
uint64_t clock_cycles(void);

#endif
