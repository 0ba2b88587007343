/* Every refusal that a program can provoke, each with the sentence that the SDK makes of it; the test is whether each
 * call says no with the right word, and whether that has cost nothing.   refusals [driver] */
#include "refusals.h"
#include <stdio.h>
#include <string.h>

static uint32_t free_frames(void) {
  uint32_t free;
  must(control_query(own_control, 0, &free, 0, 0, 0, 0), "control_query");
  return free;
}

int main(int argc, char **argv) {
  uint32_t before = free_frames();
  if (argc > 1 && strcmp(argv[1], "driver") == 0) {
    try_drivers();
  } else {
    try_capabilities();
    try_tasks();
    try_threads();
    try_messages();
    try_plain_drivers();
    try_controls();
    try_containers();
    try_scarce();
    try_dying();
  }
  uint32_t after = free_frames();
  printf("Refusals that were not as expected: %u. The credit is %s.\n", failures(),
         before == after ? "what it was" : "NOT what it was");
  return failures() != 0 || before != after;
}
