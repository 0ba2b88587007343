/* A file server that nobody has to trust: it gets a limited capability with each request, locks the container, maps
 * it through the capability, writes the file and unlocks. It owns no memory but its own. */
#include "files.h"
#include <stdio.h>
#include <string.h>

#define LINES (2 * PAGE_SIZE / 16)

static slot_t limited;
static uint32_t start, size;
static char *window;

static uint32_t open(const uint32_t *words, uint32_t *out_size) {
  char name[4 * NAME_WORDS + 1] = {0};
  start = words[0];
  size = words[1];
  memcpy(name, words + 2, 4 * NAME_WORDS);
  *out_size = LINES * 16;
  if (strcmp(name, "squares") != 0)
    return ENOENT;
  if (size < *out_size)
    return ENOSPC;
  return (uint32_t)container_lock(limited, TRANSFER_CYCLES);
}

/* Maps are made now, not by the pager: a refusal must come back here, not end the task. */
static uint32_t transfer(uint32_t *out_amount) {
  uint32_t mapped;
  int error = container_map(limited, start, size, (uint32_t)window, ACCESS_READ | ACCESS_WRITE, 0, 0, &mapped, 0);
  *out_amount = 0;
  if (!error) {
    for (uint32_t line = 0; line < LINES; line++)
      square_line(window + 16 * line, line);
    *out_amount = LINES * 16;
    error = physmem_unmap(SLOT_PHYSMEM, (uint32_t)window, size, 0);
  }
  int unlocked = container_unlock(limited);
  return (uint32_t)(error ? error : unlocked);
}

static uint32_t serve(uint32_t label, uint32_t *out_word) {
  *out_word = 0;
  switch (label) {
  case FILES_OPEN: {
    uint32_t words[2 + NAME_WORDS];
    memcpy(words, message_words(), sizeof words);
    limited = received_cap(0);
    return open(words, out_word);
  }
  case FILES_TRANSFER: return transfer(out_word);
  case FILES_ASK: return (uint32_t)container_map(limited, 0, PAGE_SIZE, (uint32_t)window, ACCESS_READ, 0, 0, 0, 0);
  default: return ENOSYS;
  }
}

int main(void) {
  struct envelope in;
  window = (char *)vaddr_reserve(FILE_BYTES, PAGE_SIZE);
  message_cap(0, main_thread, THREAD_SEND);
  must(ipc_call(starter_thread, FILES_READY, 0, 1, 0), "ipc_call");
  int error = ipc_receive(&in);
  while (!error) {
    uint32_t word, result = serve(in.label, &word);
    message_words()[0] = result;
    message_words()[1] = word;
    error = ipc_reply_receive(0, 2, 0, &in);
  }
  must(error, "ipc_reply_receive");
  return 1;
}
