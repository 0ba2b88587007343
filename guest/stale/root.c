/* Why shootdowns exist. The reader runs on the other core and reads one word for ever through a capability that the
 * root gave it; its core keeps the translation in the TLB. The root revokes the capability and then writes a secret
 * into that word. With the shootdown, the reader faults before it can see it. Without (fault switch
 * skip-shootdown), the stale translation shows the secret. */
#include "stale.h"
#include <physmem.h>
#include <stdio.h>

#define READER_FRAMES 10
#define SETTLE_CYCLES 50000

int main(void) {
  slot_t page, limited, control;
  struct task task;
  struct envelope in;
  if (core_count < 2) {
    printf("root:   this needs two cores\n");
    return 1;
  }
  must(container_create(own_control, &page), "container_create");
  must(container_allocate(page, 0, PAGE_SIZE, 0, 0), "container_allocate");
  volatile uint32_t *word = container_attach(page, 0, PAGE_SIZE, ACCESS_READ | ACCESS_WRITE);
  *word = STALE_PUBLIC;
  must(container_share(page, CONTAINER_READ, &limited), "container_share");

  must(control_split(own_control, READER_FRAMES, &control), "control_split");
  const char *const arguments[] = {"stale-reader"};
  struct task_spec spec = {"stale-reader", 1, arguments, control, CONTROL_QUERY, (core_number() + 1) % core_count,
                           STALE_BADGE, 0};
  must(task_start(&spec, &task), "task_start");
  must(ipc_receive(&in), "ipc_receive");
  slot_t reader = received_cap(0);
  message_cap(0, limited, ALL_RIGHTS);
  must(ipc_reply(0, 0, 1), "ipc_reply");

  sys_sleep(SETTLE_CYCLES);
  printf("root:   the reader reads my page on core %u; I revoke its capability\n", spec.core);
  must(container_revoke(page, limited), "container_revoke");
  *word = STALE_SECRET;
  printf("root:   revoked; now the page holds a secret\n");
  thread_wait_end(reader);
  printf("root:   the reader has ended\n");
  return 0;
}
