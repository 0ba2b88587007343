/* Messages: the exchange itself, and the calls to threads and to the memory server that are built on it. */
#include "message.h"
#include "request.h"
#include "error-detail.h"

/* One send and/or receive without time-out. Words 0 and 1 travel in ESI and EDI. This is the path of every
 * operation, so it is written out instead of calling sys_ipc with its ten parameters. */
static inline int exchange(uint32_t *area, slot_t dest, uint32_t receive, uint32_t tag, uint32_t *badge_out,
                           uint32_t *tag_out) {
  int error = SYS_IPC;
  uint32_t word0 = area[AREA_WORDS], word1 = area[AREA_WORDS + 1];
  __asm__ volatile("pushl %%ebp\n\tmovl $-1, %%ebp\n\tint %[vector]\n\tpopl %%ebp"
                   : "+a"(error), "+b"(dest), "+c"(receive), "+d"(tag), "+S"(word0), "+D"(word1)
                   : [vector] "i"(SYSCALL_VECTOR)
                   : "memory", "cc");
  area[AREA_WORDS] = word0;
  area[AREA_WORDS + 1] = word1;
  *badge_out = dest;
  *tag_out = tag;
  return error;
}

static int exchange_message(slot_t dest, uint32_t receive, uint32_t tag, struct envelope *in) {
  uint32_t tag_in = 0;
  int error = exchange(message_area(), dest, receive, tag, &in->badge, &tag_in);
  in->label = tag_in >> 16;
  in->words = tag_in & 0x3f;
  in->caps = tag_in >> 8 & 7;
  return error;
}

int ipc_call(slot_t dest, uint32_t label, uint32_t words, uint32_t caps, struct envelope *reply) {
  struct envelope ignored;
  return exchange_message(dest, RECEIVE_REPLY, make_tag(label, words, caps), reply ? reply : &ignored);
}

int ipc_send(slot_t dest, uint32_t label, uint32_t words, uint32_t caps, uint32_t timeout) {
  uint32_t *area = message_area();
  return sys_ipc(dest, RECEIVE_NONE, make_tag(label, words, caps), area[AREA_WORDS], area[AREA_WORDS + 1],
                 timeout, 0, 0, 0, 0);
}

int ipc_receive(struct envelope *in) {
  return exchange_message(0, RECEIVE_ANY, 0, in);
}

int ipc_reply(uint32_t label, uint32_t words, uint32_t caps) {
  struct envelope ignored;
  return exchange_message(REPLY_SLOT, RECEIVE_NONE, make_tag(label, words, caps), &ignored);
}

int ipc_reply_receive(uint32_t label, uint32_t words, uint32_t caps, struct envelope *in) {
  return exchange_message(REPLY_SLOT, RECEIVE_ANY, make_tag(label, words, caps), in);
}

int physmem_invoke(slot_t target, struct request *request) {
  uint32_t *area = request->area;
  uint32_t badge, tag = 0;
  int error =
      exchange(area, target, RECEIVE_REPLY, make_tag(request->op, request->words, request->caps), &badge, &tag);
  if (error) {
    area[AREA_WORDS] = 0;
    request->reply_words = 0;
    remember_error(area, request->op, error, 0, 0, 0);
    return error;
  }
  error = tag >> 16;
  request->reply_words = tag & 0x3f;
  request->reply_caps = tag >> 8 & 7;
  if (error) {
    const uint32_t *words = area + AREA_WORDS;
    remember_error(area, request->op, error, words[1], words[2], words[3]);
    for (unsigned i = 0; i < DETAIL_MORE; i++)
      area[DETAIL_MORE_WORD + i] = 4 + i < request->reply_words ? words[4 + i] : 0;
    request->reply_words = 1;
  }
  return error;
}
