/* Between root and driver, and the serial port COM1 (16550). */
#ifndef SERIAL_H
#define SERIAL_H

enum { SERIAL_READY = 1, SERIAL_DONE = 2, SERIAL_BADGE = 1, SERIAL_INTERRUPT = 2 };

enum { COM1 = 0x3f8, COM1_PORTS = 8, COM1_LINE = 4 };
enum { INTERRUPT_ENABLE = COM1 + 1, INTERRUPT_ID = COM1 + 2, FIFO_CONTROL = COM1 + 2 };
enum { ENABLE_TRANSMIT_EMPTY = 2, FIFO_ON_AND_EMPTY = 7, FIFO_BYTES = 16 };

#endif
