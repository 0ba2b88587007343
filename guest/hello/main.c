/* The first program: says where it runs, and what it was given. */
#include <physmem.h>
#include <stdio.h>

int main(int argc, char **argv) {
  uint32_t total, free;
  printf("Hello from %s: task %u, thread %u, core %u of %u.\n", argc > 0 ? argv[0] : "nobody", task_number(),
         thread_number(), core_number(), core_count);
  if (control_query(own_control, &total, &free, 0, 0, 0, 0) == 0)
    printf("My control guarantees %u frames of 4 KiB; %u are free.\n", total, free);
  return 0;
}
