/* The reader of the stale-TLB demonstrator: see root.c. */
#include "stale.h"
#include <physmem.h>
#include <stdio.h>
#include <stdlib.h>

static void page_is_gone(uint32_t address, const char *why) {
  printf("reader: I fault at 0x%08x, and my pager is refused:\n", address);
  printf("reader:   %s\n", why);
  printf("reader: the translation left my TLB in time; I never saw the secret\n");
  exit(0);
}

int main(void) {
  message_cap(0, main_thread, THREAD_SEND);
  must(ipc_call(starter_thread, STALE_READY, 0, 1, 0), "ipc_call");
  volatile uint32_t *word = container_attach(received_cap(0), 0, PAGE_SIZE, ACCESS_READ);
  pager_refusal = page_is_gone;
  for (;;) {
    uint32_t seen = *word;
    if (seen != STALE_PUBLIC) {
      printf("reader: I read 0x%x: a STALE TRANSLATION showed me the secret\n", seen);
      exit(1);
    }
  }
}
