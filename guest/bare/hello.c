/* The smallest kernel: one line on the serial port, one on the debug console, and out. */
#include "bare.h"

uint32_t kernel_main(const struct multiboot_info *info) {
  serial_start();
  serial_write("Hello from a bare machine.\n");
  if (info->flags & 4) {
    serial_write("My command line: ");
    serial_write(info->command_line);
    serial_write("\n");
  }
  debug_write("hello: done\n");
  return 0;
}
