/* Sends random messages to the memory server: any operation on any object, any number of words and items, values that
 * are often nearly right. It has a control and containers in common with another task that does the same on another
 * core, so the two also pull the objects away under each other. */
#include "hostile.h"
#include <names.h>
#include <stdlib.h>

/* Its own image, boot page, stack and heap are below; it does not map over them: that would try the guest. */
#define OWN_END 0x400000u
#define CONTAINERS (1u << CAP_CONTAINER | 1u << CAP_LIMITED)
#define OBJECTS 16
#define TIMEOUTS 4

static uint32_t state;
static struct object {
  slot_t slot;
  uint32_t type;
} objects[OBJECTS];

static uint32_t random_below(uint32_t limit) {
  return next_random(&state) % limit;
}

static uint32_t random_value(void) {
  static const uint32_t edges[] = {0, 1, 0xfff, 0x1000, 0x7fffffff, 0x80000000, 0xfffff000, 0xffffffff};
  switch (random_below(16)) {
  case 0: return edges[random_below(sizeof edges / sizeof edges[0])];
  case 1: return next_random(&state);
  case 2: return next_random(&state) & ~PAGE_MASK;
  case 3: return objects[random_below(OBJECTS)].slot;
  case 4:
  case 5:
  case 6: return 0;
  case 7: return random_below(4);
  case 8: return random_below(32);
  default: return random_below(2 * CONTAINER_PAGES) * PAGE_SIZE;
  }
}

/* Mostly an object of one of the types; sometimes any, or the same with another generation, or no object at all. */
static slot_t random_slot(uint32_t types) {
  uint32_t choice = random_below(64), at = random_below(OBJECTS);
  for (uint32_t tries = 0; tries < OBJECTS && !(types >> objects[at].type & 1); tries++)
    at = (at + 1) % OBJECTS;
  if (choice == 0)
    return next_random(&state);
  if (choice == 1)
    at = random_below(OBJECTS);
  return choice == 2 ? objects[at].slot ^ (1u << SLOT_INDEX_BITS) : objects[at].slot;
}

static void set_object(uint32_t at, slot_t slot) {
  objects[at] = (struct object){slot, 0};
  sys_cap_info(slot, &objects[at].type, 0);
}

/* An object that came with a reply takes the place of another one, so that the capability table never fills up. */
static void keep(slot_t slot) {
  uint32_t at = 1 + random_below(OBJECTS - 1);
  if (objects[at].slot != SLOT_PHYSMEM)
    sys_cap_delete(objects[at].slot);
  set_object(at, slot);
}

/* A form that fits the operation, or once in a while does not. */
struct form {
  uint32_t op, types, words, caps;
};

static struct form random_form(void) {
  const struct operation_name *known = &operation_names[random_below(operation_name_count)];
  struct form form = {(uint32_t)known->op, known->types, known->words + random_below(3) * known->element_words,
                      known->caps};
  if (random_below(32) == 0)
    form.op = random_below(0x10000);
  if (random_below(16) == 0)
    form.types = ~0u;
  if (random_below(16) == 0)
    form.words = random_below(64);
  if (random_below(16) == 0)
    form.caps = random_below(8);
  return form;
}

static void send_one(void) {
  static const uint32_t timeouts[TIMEOUTS] = {0, 1, 2000, TIMEOUT_NEVER};
  struct form form = random_form();
  uint32_t *area = message_area(), tag = 0;
  for (uint32_t i = 0; i < form.words; i++)
    area[AREA_WORDS + i] = random_value();
  if (form.op == OP_MAP && area[AREA_WORDS + 2] < OWN_END)
    area[AREA_WORDS + 2] += OWN_END;
  for (uint32_t i = 0; i < 4; i++)
    message_cap(i, random_slot(form.op == OP_CONTROL_SPONSOR ? 1u << CAP_TASK : CONTAINERS),
                random_below(8) == 0 ? next_random(&state) : ALL_RIGHTS);
  slot_t target = random_slot(form.types);
  int error = sys_ipc(target, RECEIVE_REPLY, make_tag(form.op, form.words, form.caps), area[AREA_WORDS],
                      area[AREA_WORDS + 1], timeouts[random_below(TIMEOUTS)], 0, &tag, 0, 0);
  if (!error && tag >> 16 == 0 && (tag >> 8 & 7) > 0)
    keep(received_cap(0));
}

/* Makes what it has lost anew: containers and controls, from its own control, as long as that exists. */
static void renew(void) {
  for (uint32_t i = 1; i < OBJECTS; i++) {
    slot_t slot;
    if (sys_cap_info(objects[i].slot, &objects[i].type, 0) == 0 && objects[i].slot != SLOT_PHYSMEM)
      continue;
    set_object(i, SLOT_PHYSMEM);
    if (i % 4 == 0 ? control_split(own_control, 4, &slot) : container_create(own_control, &slot))
      continue;
    set_object(i, slot);
    if (i % 4 != 0)
      container_allocate(slot, 0, CONTAINER_PAGES / 2 * PAGE_SIZE, 0, 0);
  }
}

static void quietly(uint32_t address, const char *why) {
  (void)address, (void)why;
  exit(0);
}

int main(int argc, char **argv) {
  uint32_t count = argc > 1 ? strtoul(argv[1], 0, 0) : 1000;
  state = argc > 2 ? strtoul(argv[2], 0, 0) : 1;
  pager_refusal = quietly;
  slot_t common, first, second, own;
  volatile uint32_t *sent = hostile_begin(&common, &first, &second);
  must(sys_cap_copy(own_control, ALL_RIGHTS, &own), "sys_cap_copy");
  set_object(0, SLOT_PHYSMEM);
  set_object(1, common);
  set_object(2, first);
  set_object(3, second);
  set_object(4, own);
  set_object(5, SLOT_SELF_TASK);
  for (uint32_t i = 0; i < count; i++) {
    if (i % 64 == 0)
      renew();
    send_one();
    *sent += 1;
  }
  return 0;
}
