/* Servers that misbehave with the limited capability that they were given, one way for each argument:
 *   steal   keep a map, copy the pages by SHARED into a container of its own
 *   relock  lock the container again and again, for ever
 *   hang    lock the container and do nothing
 *   die     lock the container for as long as it goes, and die */
#include "files.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static slot_t limited, own;
static volatile uint32_t *kept, *stolen;

static uint32_t free_frames(void) {
  uint32_t free;
  must(control_query(own_control, 0, &free, 0, 0, 0, 0), "control_query");
  return free;
}

/* Reply: errno of the map, errno of the copy, frames that the copy cost. */
static void steal(uint32_t *reply) {
  if (!own) {
    must(container_create(own_control, &own), "container_create");
    kept = container_attach(limited, 0, PAGE_SIZE, ACCESS_READ);
    stolen = container_attach(own, 0, PAGE_SIZE, ACCESS_READ);
  }
  reply[0] = (uint32_t)container_map(limited, 0, PAGE_SIZE, (uint32_t)kept, ACCESS_READ, 0, 0, 0, 0);
  uint32_t before = free_frames();
  reply[1] = (uint32_t)container_copy(limited, 0, 0, FILE_BYTES, COPY_SHARED, own, 0);
  reply[2] = before - free_frames();
}

/* Takes every lock that it can get until the capability is dead. */
static void relock(void) {
  uint32_t locks = 0;
  int error;
  do {
    error = container_lock(limited, RELOCK_CYCLES);
    locks += error == 0;
  } while (error == 0 || error == EBUSY);
  message_words()[0] = locks;
  message_words()[1] = (uint32_t)error;
  must(ipc_call(starter_thread, FILES_BEATEN, 2, 0, 0), "ipc_call");
}

static void map_is_gone(uint32_t address, const char *why) {
  printf("rogue:  I read the page that I kept, and fault:\nrogue:    %s\n", why);
  (void)address;
  exit(0);
}

/* What became of the loot. Reply: the first word of the stolen page, errno of a map through the capability. */
static void look(uint32_t *reply) {
  reply[0] = *stolen;
  reply[1] = (uint32_t)container_map(limited, 0, PAGE_SIZE, (uint32_t)kept, ACCESS_READ, 0, 0, 0, 0);
}

static void misbehave(const char *how, uint32_t *reply) {
  limited = received_cap(0);
  if (strcmp(how, "steal") == 0)
    steal(reply);
  else if (strcmp(how, "hang") == 0)
    reply[0] = (uint32_t)container_lock(limited, RELOCK_CYCLES);
  else if (strcmp(how, "die") == 0) {
    must(container_lock(limited, LOCK_CYCLES_MAX), "container_lock");
    exit(0);
  }
}

int main(int argc, char **argv) {
  struct envelope in;
  const char *how = argc > 1 ? argv[1] : "";
  message_cap(0, main_thread, THREAD_SEND);
  must(ipc_call(starter_thread, FILES_READY, 0, 1, 0), "ipc_call");
  pager_refusal = map_is_gone;
  must(ipc_receive(&in), "ipc_receive");
  for (;;) {
    uint32_t reply[3] = {0, 0, 0};
    if (in.label == FILES_MISBEHAVE)
      misbehave(how, reply);
    else if (in.label == FILES_LOOK)
      look(reply);
    else
      (void)*kept;
    memcpy(message_words(), reply, sizeof reply);
    if (strcmp(how, "relock") == 0) {
      must(ipc_reply(0, 3, 0), "ipc_reply");
      relock();
      must(ipc_receive(&in), "ipc_receive");
    } else {
      must(ipc_reply_receive(0, 3, 0, &in), "ipc_reply_receive");
    }
  }
}
