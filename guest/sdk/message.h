/* The message area of the calling thread (512 bytes, at %gs:0) and messages to threads. Words and capability
 * items are composed in place: write message_words()[i] and message_cap(i, ...), then call or send. printf and
 * the calls of stubs.h use the same area, so compose last and read first. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include "stubs.h"

static inline uint32_t *message_area(void) {
  uint32_t *area;
  __asm__("movl %%gs:0, %0" : "=r"(area));
  return area;
}

static inline uint32_t *message_words(void) {
  return message_area() + AREA_WORDS;
}
static inline uint32_t thread_number(void) {
  return message_area()[AREA_THREAD];
}
static inline uint32_t task_number(void) {
  return message_area()[AREA_TASK];
}
/* The core on which this thread was dispatched last. */
static inline uint32_t core_number(void) {
  return message_area()[AREA_CORE];
}

static inline uint32_t make_tag(uint32_t label, uint32_t words, uint32_t caps) {
  return label << 16 | caps << 8 | words;
}

/* What a received message says about itself. */
struct envelope {
  uint32_t badge;
  uint32_t label;
  uint32_t words;
  uint32_t caps;
};

/* Sets capability item `index` (0..3) of the message that is being composed. The receiver gets the rights of the
 * slot that are also in `rights`; with CAP_MOVE the own slot is emptied. */
static inline void message_cap(uint32_t index, slot_t slot, uint32_t rights) {
  uint32_t *item = message_area() + AREA_SEND_CAPS + 2 * index;
  item[0] = slot;
  item[1] = rights;
}

/* The slot in which item `index` of the last received message was put; 0 when there was none. */
static inline slot_t received_cap(uint32_t index) {
  return message_area()[AREA_RECEIVED_CAPS + index];
}

/* Sends and waits for the reply. Errors: those of sys_ipc. */
int ipc_call(slot_t dest, uint32_t label, uint32_t words, uint32_t caps, struct envelope *reply);

/* Sends without waiting for a reply; waits at most `timeout` cycles for the receiver. */
int ipc_send(slot_t dest, uint32_t label, uint32_t words, uint32_t caps, uint32_t timeout);

/* Waits for a message from anyone. */
int ipc_receive(struct envelope *in);

/* Answers the call that was received last. */
int ipc_reply(uint32_t label, uint32_t words, uint32_t caps);

/* Answers the call that was received last and waits for the next message, as one step. */
int ipc_reply_receive(uint32_t label, uint32_t words, uint32_t caps, struct envelope *in);

#endif
