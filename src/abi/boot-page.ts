/**
 * The boot page: what a new task finds at BOOT_PAGE_VA (read-only for the root task; other starters give
 * their children a page of the same form). Little-endian words:
 *
 *   +0  magic 'PMBP' (0x50424d50)     +4  control: slot of the task's memory control (0 = none)
 *   +8  starter: slot of a thread of the starter (0 = none)  +12 number of cores
 *   +16 argc                          +20 offset of the argument strings (NUL-terminated, one after another)
 *   +24 module count                  +28 offset of the module table
 *   +32 slot of the boot container (0 = none)   +36 heap start (first page above the image)
 *   +40 slot of the thread that serves the faults of the first thread (0 = the memory server does), +44 reserved to +64
 *   module table, 48 bytes each: start in the boot container, size in bytes, name (40 bytes, NUL-padded)
 *
 * The initial stack pointer is BOOT_STACK_TOP - 16 with a zero return address, of a stack of BOOT_STACK_PAGES.
 * Guest images are linked at IMAGE_BASE by the SDK; any base in user space works. The image, the boot page and the
 * stack lie in the boot container at their own linear addresses; boot page, stack and a small image share the first
 * 4 MiB, so that one page table serves them all (it is paid by the task's sponsor):
 *
 *   0x00040000  boot page     0x0007c000 .. 0x00080000  stack (it may be longer downwards)     0x00100000  image, heap
 */
export const BOOT_PAGE_MAGIC = 0x50424d50;
export const BOOT_PAGE_VA = 0x00040000;
export const BOOT_STACK_TOP = 0x00080000;
export const BOOT_STACK_PAGES = 4;
export const IMAGE_BASE = 0x00100000;
export const BOOT_PAGE_MODULES_MAX = 64;

/** Container addresses in the boot container: image segments lie at their own linear address, modules from here. */
export const BOOT_MODULES_CONTAINER_BASE = 0x80000000;
