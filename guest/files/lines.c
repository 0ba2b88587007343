/* The contents of the file "squares", which both sides can make: lines of 16 bytes. */
#include "files.h"
#include <stdio.h>

void square_line(char *line, uint32_t number) {
  char text[24];
  snprintf(text, sizeof text, "%4u^2 =%7u", number, number * number);
  for (uint32_t i = 0; i < 15; i++)
    line[i] = text[i];
  line[15] = '\n';
}
