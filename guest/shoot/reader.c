/* A reader of `shoot`: reads the target once in each round, then spins, so that its core has the translation and runs
 * this task when the page is taken away. */
#include "shoot.h"

int main(void) {
  must(ipc_call(starter_thread, SHOOT_READY, 0, 0, 0), "ipc_call");
  uint32_t number = message_words()[0];
  struct rounds *rounds = container_attach(received_cap(0), 0, PAGE_SIZE, ACCESS_READ | ACCESS_WRITE);
  char *target = container_attach(received_cap(1), 0, SHOOT_TARGET_PAGES * PAGE_SIZE, ACCESS_READ | ACCESS_WRITE);
  *(volatile uint32_t *)target = number;
  while (rounds->wanted == 0)
    sys_sleep(SHOOT_POLL_CYCLES);
  for (;;) {
    uint32_t round = rounds->wanted;
    if (round == rounds->seen[number].round)
      continue;
    *(volatile uint32_t *)(target + rounds->page) = number;
    rounds->seen[number].round = round;
  }
}
