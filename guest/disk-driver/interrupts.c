/* The thread that takes the interrupts. Devices are told first, then the line is opened again. */
#include "disk.h"
#include <ports.h>

enum { WAIT = 1 };

static slot_t thread;
static char stack[2048] __attribute__((aligned(16)));

static void serve_device(uint32_t line) {
  if (line == DISK_LINE)
    out8(DISK, ACKNOWLEDGE);
  else
    out32(MASTER, ACKNOWLEDGE);
  must(sys_irq_ack(line), "irq_ack");
}

static void run(void *unused) {
  struct envelope in;
  uint32_t came = 0, wanted = 0; /* bits per line */
  (void)unused;
  for (;;) {
    must(ipc_receive(&in), "ipc_receive");
    if (in.label == LABEL_INTERRUPT) {
      serve_device(in.badge);
      came |= 1u << in.badge;
    } else {
      wanted = 1u << message_words()[0];
    }
    if (came & wanted) {
      came &= ~wanted;
      wanted = 0;
      ipc_reply(0, 0, 0);
    }
  }
}

void interrupts_start(void) {
  must(thread_start(run, 0, stack, sizeof stack, core_number(), PRIORITY_PAGER, &thread), "thread_start");
  must(sys_irq_bind(DISK_LINE, thread, DISK_LINE, IRQ_TRIGGER_EDGE), "irq_bind");
  must(sys_irq_bind(MASTER_LINE, thread, MASTER_LINE, IRQ_TRIGGER_LEVEL), "irq_bind");
}

void interrupt_wait(uint32_t line) {
  message_words()[0] = line;
  must(ipc_call(thread, WAIT, 1, 0, 0), "ipc_call");
}
