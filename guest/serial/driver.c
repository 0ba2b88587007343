/* A driver as an ordinary task: it writes a text to the serial port, sixteen bytes for each interrupt that tells it
 * that the transmitter has run empty. Then it goes on receiving and serves no interrupt any more. */
#include "serial.h"
#include <physmem.h>
#include <ports.h>
#include <stdio.h>

static const char text[] = "serial: these words left through COM1, sixteen bytes for each interrupt.\r\n";

static const char *fill_fifo(const char *next) {
  for (int i = 0; i < FIFO_BYTES && *next; i++)
    out8(COM1, (uint8_t)*next++);
  return next;
}

int main(void) {
  struct envelope in;
  uint32_t interrupts = 0;
  int refused = sys_irq_bind(COM1_LINE, main_thread, SERIAL_INTERRUPT, IRQ_TRIGGER_EDGE);
  printf("driver: before I am one, irq_bind says %s\n", pm_strerrorname(refused));
  message_cap(0, main_thread, THREAD_SEND);
  must(ipc_call(starter_thread, SERIAL_READY, 0, 1, 0), "ipc_call");

  must(sys_ioport_bind(COM1, COM1_PORTS, 1), "ioport_bind");
  must(sys_irq_bind(COM1_LINE, main_thread, SERIAL_INTERRUPT, IRQ_TRIGGER_EDGE), "irq_bind");
  out8(FIFO_CONTROL, FIFO_ON_AND_EMPTY);
  out8(INTERRUPT_ENABLE, ENABLE_TRANSMIT_EMPTY);
  for (const char *next = text; *next;) {
    must(ipc_receive(&in), "ipc_receive");
    if (in.label != LABEL_INTERRUPT || in.badge != SERIAL_INTERRUPT)
      continue;
    in8(INTERRUPT_ID); /* takes the interrupt back, so that the next one makes an edge */
    next = fill_fifo(next);
    must(sys_irq_ack(COM1_LINE), "irq_ack");
    interrupts++;
  }
  message_words()[0] = interrupts;
  must(ipc_call(starter_thread, SERIAL_DONE, 1, 0, 0), "ipc_call");
  for (;;)
    ipc_receive(&in);
}
