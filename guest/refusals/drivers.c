/* Refusals of the system calls for drivers: to a task that is none, and to one that asks for what it can not have. */
#include "refusals.h"
#include <stdio.h>

#define LINE 5u
#define PORT 0x378u

void try_plain_drivers(void) {
  printf("Calls for drivers, from a task that is none\n");
  expect("task_set_driver", sys_task_set_driver(SLOT_SELF_TASK), EPERM);
  expect("irq_bind", sys_irq_bind(LINE, main_thread, 0, 0), EPERM);
  expect("irq_ack", sys_irq_ack(LINE), EPERM);
  expect("ioport_bind", sys_ioport_bind(PORT, 1, 1), EPERM);
}

void try_drivers(void) {
  printf("Calls for drivers, from a driver\n");
  expect("task_set_driver of a control", sys_task_set_driver(own_control), EBADF);
  expect("task_set_driver of a dead task", sys_task_set_driver(dead_task()), ESRCH);
  expect("irq_bind of line 99", sys_irq_bind(99, main_thread, 0, 0), EINVAL);
  expect("irq_bind with a control", sys_irq_bind(LINE, own_control, 0, 0), EBADF);
  expect("giving back a line of nobody", sys_irq_bind(LINE, 0, 0, 0), ENOENT);
  expect("irq_ack of line 99", sys_irq_ack(99), EINVAL);
  expect("irq_ack of a line of nobody", sys_irq_ack(LINE), ENOENT);
  expect("ioport_bind of no port", sys_ioport_bind(PORT, 0, 1), EINVAL);
}
