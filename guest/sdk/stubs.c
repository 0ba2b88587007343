/* Generated from src/abi by tools/build-abi.ts; do not edit. */
#include "request.h"
#include "stubs.h"

int physmem_null(slot_t physmem) {
  struct request request = REQUEST(0);
  int error = physmem_invoke(physmem, &request);
  return error;
}

int control_split(slot_t control, uint32_t frames, slot_t *out_child) {
  struct request request = REQUEST(1);
  request_word(&request, frames);
  int error = physmem_invoke(control, &request);
  reply_cap(&request, 0, out_child);
  return error;
}

int control_destroy(slot_t control) {
  struct request request = REQUEST(2);
  int error = physmem_invoke(control, &request);
  return error;
}

int control_query(slot_t control, uint32_t *out_total, uint32_t *out_free, uint32_t *out_charged,
                  uint32_t *out_children, uint32_t *out_pinned, uint32_t *out_extra) {
  struct request request = REQUEST(3);
  int error = physmem_invoke(control, &request);
  reply_word(&request, 0, out_total);
  reply_word(&request, 1, out_free);
  reply_word(&request, 2, out_charged);
  reply_word(&request, 3, out_children);
  reply_word(&request, 4, out_pinned);
  reply_word(&request, 5, out_extra);
  return error;
}

int container_create(slot_t control, slot_t *out_container) {
  struct request request = REQUEST(4);
  int error = physmem_invoke(control, &request);
  reply_cap(&request, 0, out_container);
  return error;
}

int control_sponsor(slot_t control, slot_t task_slot) {
  struct request request = REQUEST(5);
  request_cap(&request, task_slot);
  int error = physmem_invoke(control, &request);
  return error;
}

int control_query_extra(slot_t control, uint32_t *out_extra, uint32_t *out_bound,
                        uint32_t *out_soft, uint32_t *out_lost, uint32_t *out_room) {
  struct request request = REQUEST(6);
  int error = physmem_invoke(control, &request);
  reply_word(&request, 0, out_extra);
  reply_word(&request, 1, out_bound);
  reply_word(&request, 2, out_soft);
  reply_word(&request, 3, out_lost);
  reply_word(&request, 4, out_room);
  return error;
}

int container_allocate(slot_t container, uint32_t start, uint32_t size, uint32_t flags,
                       uint32_t *out_amount) {
  struct request request = REQUEST(16);
  request_word(&request, start);
  request_word(&request, size);
  request_word(&request, flags);
  int error = physmem_invoke(container, &request);
  reply_word(&request, 0, out_amount);
  return error;
}

int container_deallocate(slot_t container, uint32_t start, uint32_t size, uint32_t *out_amount) {
  struct request request = REQUEST(17);
  request_word(&request, start);
  request_word(&request, size);
  int error = physmem_invoke(container, &request);
  reply_word(&request, 0, out_amount);
  return error;
}

int container_map(slot_t container, uint32_t start, uint32_t size, uint32_t vaddr,
                  uint32_t access, uint32_t flags, slot_t task_slot, uint32_t *out_amount,
                  uint32_t *out_access) {
  struct request request = REQUEST(18);
  request_word(&request, start);
  request_word(&request, size);
  request_word(&request, vaddr);
  request_word(&request, access);
  request_word(&request, flags);
  if (task_slot)
    request_cap(&request, task_slot);
  int error = physmem_invoke(container, &request);
  reply_word(&request, 0, out_amount);
  reply_word(&request, 1, out_access);
  return error;
}

int physmem_unmap(slot_t physmem, uint32_t vaddr, uint32_t size, uint32_t *out_amount) {
  struct request request = REQUEST(19);
  request_word(&request, vaddr);
  request_word(&request, size);
  int error = physmem_invoke(physmem, &request);
  reply_word(&request, 0, out_amount);
  return error;
}

int container_copy(slot_t container, uint32_t src_start, uint32_t dst_start, uint32_t size,
                   uint32_t flags, slot_t destination_slot, uint32_t *out_amount) {
  struct request request = REQUEST(20);
  request_word(&request, src_start);
  request_word(&request, dst_start);
  request_word(&request, size);
  request_word(&request, flags);
  request_cap(&request, destination_slot);
  int error = physmem_invoke(container, &request);
  reply_word(&request, 0, out_amount);
  return error;
}

int container_release(slot_t container, uint32_t start, uint32_t size, uint32_t flags,
                      uint32_t *out_amount) {
  struct request request = REQUEST(21);
  request_word(&request, start);
  request_word(&request, size);
  request_word(&request, flags);
  int error = physmem_invoke(container, &request);
  reply_word(&request, 0, out_amount);
  return error;
}

int container_share(slot_t container, uint32_t rights, slot_t *out_limited) {
  struct request request = REQUEST(22);
  request_word(&request, rights);
  int error = physmem_invoke(container, &request);
  reply_cap(&request, 0, out_limited);
  return error;
}

int container_revoke(slot_t container, slot_t limited_slot) {
  struct request request = REQUEST(23);
  request_cap(&request, limited_slot);
  int error = physmem_invoke(container, &request);
  return error;
}

int container_query(slot_t container, uint32_t start, uint32_t size, uint32_t *out_amount,
                    uint32_t *out_state, uint32_t out_state_max) {
  struct request request = REQUEST(24);
  request_word(&request, start);
  request_word(&request, size);
  int error = physmem_invoke(container, &request);
  reply_word(&request, 0, out_amount);
  reply_words(&request, 1, out_state, out_state_max);
  return error;
}

int container_destroy(slot_t container, uint32_t *out_amount) {
  struct request request = REQUEST(25);
  int error = physmem_invoke(container, &request);
  reply_word(&request, 0, out_amount);
  return error;
}

int container_lock(slot_t container, uint32_t duration) {
  struct request request = REQUEST(26);
  request_word(&request, duration);
  int error = physmem_invoke(container, &request);
  return error;
}

int container_unlock(slot_t container) {
  struct request request = REQUEST(27);
  int error = physmem_invoke(container, &request);
  return error;
}

int container_pin(slot_t container, uint32_t start, uint32_t size, uint32_t duration,
                  uint32_t flags, uint32_t *out_amount, uint32_t *out_ranges,
                  uint32_t *out_range, uint32_t out_range_max, slot_t *out_pin) {
  struct request request = REQUEST(28);
  request_word(&request, start);
  request_word(&request, size);
  request_word(&request, duration);
  request_word(&request, flags);
  int error = physmem_invoke(container, &request);
  reply_word(&request, 0, out_amount);
  reply_word(&request, 1, out_ranges);
  reply_words(&request, 2, out_range, out_range_max);
  reply_cap(&request, 0, out_pin);
  return error;
}

int physmem_unpin(slot_t pin) {
  struct request request = REQUEST(29);
  int error = physmem_invoke(pin, &request);
  return error;
}

int container_copy_list(slot_t container, uint32_t flags, const uint32_t *range,
                        uint32_t range_count, slot_t destination_slot, uint32_t *out_amount) {
  struct request request = REQUEST(32);
  request_word(&request, flags);
  request_words(&request, range, range_count);
  request_cap(&request, destination_slot);
  int error = physmem_invoke(container, &request);
  reply_word(&request, 0, out_amount);
  return error;
}

int container_recover(slot_t container, uint32_t start, uint32_t size, uint32_t flags,
                      uint32_t *out_amount) {
  struct request request = REQUEST(30);
  request_word(&request, start);
  request_word(&request, size);
  request_word(&request, flags);
  int error = physmem_invoke(container, &request);
  reply_word(&request, 0, out_amount);
  return error;
}

int control_on_return(slot_t control, uint32_t badge, slot_t thread_slot) {
  struct request request = REQUEST(31);
  request_word(&request, badge);
  if (thread_slot)
    request_cap(&request, thread_slot);
  int error = physmem_invoke(control, &request);
  return error;
}
