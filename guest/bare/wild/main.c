/* A kernel that loses its way, to see how that is explained: paging is on, there is no IDT, and a call through a wrong
 * pointer leads where nothing is mapped. The page fault cannot be delivered, nor the fault of its delivery: triple fault. */
#include "../bare.h"
#include "paging.h"

static const struct {
  uint16_t limit;
  uint32_t base;
} __attribute__((packed)) no_idt = {0, 0};

uint32_t kernel_main(void) {
  void (*volatile wrong)(void) = (void (*)(void))0x40000123;
  serial_start();
  paging_start();
  __asm__ volatile("lidt %0" : : "m"(no_idt));
  serial_write("calling a wrong pointer\n");
  wrong();
  return 0;
}
