/* The story of physmem's founding text, the starter's part: split a control of 100 frames into 90 and 10, start a
 * task on the other core with the 10, read what it shares, take everything back by destroying its control. */
#include "story.h"
#include <stdio.h>

#define WHO "root: "
#define STORY_FRAMES 100
#define CHILD_FRAMES 10
#define SPIN_CYCLES 20000

static slot_t child_main;

static void explain(const char *what, int error) {
  char sentence[200];
  pm_explain(sentence, sizeof sentence, error);
  printf(WHO "  %s:\n" WHO "    %s\n", what, sentence);
}

/* Maps what the child shares and reads it; then tries what the capability does not allow. */
static uint32_t read_shared(slot_t limited, uint32_t bytes, const char **out_memory) {
  printf(WHO "I got a limited capability. I map it and read:\n");
  const char *memory = container_attach(limited, 0, bytes, ACCESS_READ);
  uint32_t sum = checksum(memory, bytes);
  for (uint32_t at = 0; at < bytes; at += PAGE_SIZE)
    printf(WHO "  byte 0x%04x: \"%s\"\n", at, memory + at);
  printf(WHO "  checksum of all %u bytes: 0x%08x\n", bytes, sum);
  explain("a map for writing is refused",
          container_map(limited, 0, PAGE_SIZE, (uint32_t)memory, ACCESS_READ | ACCESS_WRITE, 0, 0, 0, 0));
  *out_memory = memory;
  return sum;
}

static void try_revoked(slot_t limited, const char *memory) {
  explain("the limited capability is dead, a new map is refused",
          container_map(limited, 0, PAGE_SIZE, (uint32_t)memory, ACCESS_READ, 0, 0, 0, 0));
}

/* Serves the child's calls until it says that it spins. */
static void serve_child(void) {
  slot_t limited = 0;
  const char *memory = 0;
  struct envelope in;
  must(ipc_receive(&in), "ipc_receive");
  while (in.badge == STORY_BADGE && in.label != STORY_SPINNING) {
    uint32_t answer = 0;
    if (in.label == STORY_STARTED) {
      child_main = received_cap(0);
    } else if (in.label == STORY_SHARED) {
      limited = received_cap(0);
      answer = read_shared(limited, message_words()[0], &memory);
    } else if (in.label == STORY_REVOKED) {
      try_revoked(limited, memory);
    }
    message_words()[0] = answer;
    must(ipc_reply_receive(0, 1, 0, &in), "ipc_reply_receive");
  }
  must(ipc_reply(0, 0, 0), "ipc_reply");
}

static uint32_t free_frames(slot_t control) {
  uint32_t free;
  must(control_query(control, 0, &free, 0, 0, 0, 0), "control_query");
  return free;
}

int main(void) {
  slot_t story, child;
  struct task task;
  printf(WHO "I am task %u, on core %u of %u. My control guarantees everything:\n", task_number(), core_number(),
         core_count);
  show_control(WHO, "my control", own_control);

  printf(WHO "I split a control of %u frames off it, for this story.\n", STORY_FRAMES);
  must(control_split(own_control, STORY_FRAMES, &story), "control_split");
  show_control(WHO, "story control", story);

  printf(WHO "I split %u frames off the story control, for a child.\n", CHILD_FRAMES);
  must(control_split(story, CHILD_FRAMES, &child), "control_split");
  show_control(WHO, "story control", story);
  show_control(WHO, "child control", child);

  uint32_t core = (core_number() + 1) % core_count;
  printf(WHO "I start the child on core %u. Its image is charged to my own control.\n", core);
  const char *const arguments[] = {"story-child"};
  struct task_spec spec = {"story-child", 1, arguments, child, CONTROL_ALL & ~CONTROL_DESTROY, core, STORY_BADGE, 0};
  must(task_start(&spec, &task), "task_start");
  serve_child();

  sys_sleep(SPIN_CYCLES);
  printf(WHO "The child spins, reading its page on core %u. I destroy its control.\n", core);
  show_control(WHO, "story control", story);
  uint32_t before = free_frames(story);
  task_forget(STORY_BADGE);
  must(control_destroy(child), "control_destroy");
  uint32_t after = free_frames(story);
  show_control(WHO, "story control", story);
  int end = thread_wait_end(child_main);
  printf(WHO "A message to the child: %s, %s.\n", pm_strerrorname(end), pm_strerror(end));
  printf(WHO "Credit: %u -> %u frames, free again.\n", before, after);
  must(container_destroy(task.image, 0), "container_destroy");
  must(control_destroy(story), "control_destroy");
  show_control(WHO, "my control", own_control);
  return after == STORY_FRAMES ? 0 : 1;
}
