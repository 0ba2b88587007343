/* Interrupts and I/O ports of a driver task. The root task, which is booted as a driver, starts another one and gives it
 * that right; the driver writes to the serial port by interrupts. Then it is killed in the middle of its work: ports
 * and interrupt line are free again, and the root writes the last line itself. */
#include "serial.h"
#include <physmem.h>
#include <ports.h>
#include <stdio.h>

#define DRIVER_FRAMES 10

static const char farewell[] = "serial: and this line was written by the root task.\r\n";

static void start_driver(struct task *driver) {
  slot_t control;
  const char *const arguments[] = {"serial-driver"};
  must(control_split(own_control, DRIVER_FRAMES, &control), "control_split");
  struct task_spec spec = {"serial-driver", 1,           arguments, control, CONTROL_QUERY, (core_number() + 1) % core_count,
                           SERIAL_BADGE,    0};
  must(task_start(&spec, driver), "task_start");
}

int main(void) {
  struct task driver;
  struct envelope in;
  start_driver(&driver);
  must(ipc_receive(&in), "ipc_receive");
  slot_t driver_thread = received_cap(0);
  must(sys_task_set_driver(driver.task), "task_set_driver");
  printf("root:   the task is a driver now\n");
  must(ipc_reply(0, 0, 0), "ipc_reply");

  must(ipc_receive(&in), "ipc_receive");
  printf("root:   it took %u interrupts\n", message_words()[0]);
  int taken = sys_ioport_bind(COM1, COM1_PORTS, 1);
  printf("root:   the ports are the driver's: ioport_bind says %s\n", pm_strerrorname(taken));
  must(sys_task_destroy(driver.task), "task_destroy");
  thread_wait_end(driver_thread);
  printf("root:   the driver is dead\n");

  must(sys_ioport_bind(COM1, COM1_PORTS, 1), "ioport_bind");
  while (sys_irq_bind(COM1_LINE, main_thread, SERIAL_INTERRUPT, IRQ_TRIGGER_EDGE) == EBUSY)
    sys_yield(); /* its core has not put it away yet */
  for (const char *next = farewell; *next; next++)
    out8(COM1, (uint8_t)*next);
  must(sys_irq_bind(COM1_LINE, 0, 0, 0), "irq_bind");
  return 0;
}
