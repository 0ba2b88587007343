/* How the stubs of the memory server's operations are made: a request is composed in the message area, exchanged
 * for its reply, and unpacked. Used by stubs.c (generated); programs use stubs.h. */
#ifndef REQUEST_H
#define REQUEST_H

#include "message.h"

struct request {
  uint32_t *area;
  uint32_t op;
  uint32_t words, caps;
  /* After physmem_invoke. A refusal leaves one word, the amount done. */
  uint32_t reply_words, reply_caps;
};

#define REQUEST(operation)                                                                                   \
  { message_area(), (operation), 0, 0, 0, 0 }

static inline void request_word(struct request *request, uint32_t word) {
  request->area[AREA_WORDS + request->words++] = word;
}

static inline void request_words(struct request *request, const uint32_t *words, uint32_t count) {
  for (uint32_t i = 0; i < count && request->words < MESSAGE_WORDS_MAX; i++)
    request_word(request, words[i]);
}

static inline void request_cap(struct request *request, slot_t slot) {
  uint32_t *item = request->area + AREA_SEND_CAPS + 2 * request->caps++;
  item[0] = slot;
  item[1] = ALL_RIGHTS;
}

static inline void reply_word(const struct request *request, uint32_t index, uint32_t *out) {
  if (out)
    *out = index < request->reply_words ? request->area[AREA_WORDS + index] : 0;
}

static inline void reply_words(const struct request *request, uint32_t first, uint32_t *out, uint32_t max) {
  for (uint32_t i = 0; out && i < max; i++)
    reply_word(request, first + i, out + i);
}

static inline void reply_cap(const struct request *request, uint32_t index, slot_t *out) {
  if (out)
    *out = index < request->reply_caps ? request->area[AREA_RECEIVED_CAPS + index] : 0;
}

/* Sends the request to the capability's object and waits. Returns 0 or the errno; the detail of a refusal is kept
 * in the free words of the message area for pm_explain. */
int physmem_invoke(slot_t target, struct request *request);

#endif
