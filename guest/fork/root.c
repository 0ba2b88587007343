/* A tree of tasks as fork makes it: one parent, two children, four grandchildren, on all cores. Each has a heap that
 * is a copy-on-write copy of its parent's, and writes to it while the others live. Then the parent dies, then the
 * children; nobody's contents change. In the end all memory is back. */
#include "fork.h"
#include <stdio.h>

static struct node {
  struct task task;
  slot_t control, thread, heap;
} nodes[NODES];

static void start_node(uint32_t number) {
  struct node *node = &nodes[number];
  struct envelope in;
  must(control_split(own_control, NODE_FRAMES, &node->control), "control_split");
  const char *const arguments[] = {"fork-node"};
  struct task_spec spec = {"fork-node", 1, arguments, node->control, CONTROL_CREATE | CONTROL_QUERY,
                           number % core_count, number + 1, 0};
  must(task_start(&spec, &node->task), "task_start");
  must(ipc_receive(&in), "ipc_receive");
  node->thread = received_cap(0);
  must(ipc_reply(0, 0, 0), "ipc_reply");
}

/* The node copies its parent's heap; returns the wrong words that it sees. */
static uint32_t begin_node(uint32_t number) {
  if (number != 0)
    message_cap(0, nodes[(number - 1) / 2].heap, ALL_RIGHTS);
  message_words()[0] = number;
  must(ipc_call(nodes[number].thread, FORK_BEGIN, 1, number != 0, 0), "FORK_BEGIN");
  nodes[number].heap = received_cap(0);
  return message_words()[0];
}

static uint32_t show_nodes(uint32_t first, const char *title) {
  uint32_t wrong = 0;
  printf("%s\n", title);
  for (uint32_t number = first; number < NODES; number++) {
    must(ipc_call(nodes[number].thread, FORK_CHECK, 0, 0, 0), "FORK_CHECK");
    uint32_t errors = message_words()[0], shared = message_words()[1];
    wrong += errors;
    printf("  node %u on core %u: %u of %u pages are still shared, contents %s\n", number, number % core_count, shared,
           HEAP_PAGES, errors ? "WRONG" : "right");
  }
  return wrong;
}

static void end_nodes(uint32_t first, uint32_t end) {
  for (uint32_t number = first; number < end; number++) {
    task_forget(number + 1);
    must(control_destroy(nodes[number].control), "control_destroy");
    must(container_destroy(nodes[number].task.image, 0), "container_destroy");
  }
}

static uint32_t free_frames(void) {
  uint32_t free;
  must(control_query(own_control, 0, &free, 0, 0, 0, 0), "control_query");
  return free;
}

int main(void) {
  uint32_t before = free_frames(), wrong = 0;
  for (uint32_t number = 0; number < NODES; number++) {
    start_node(number);
    wrong += begin_node(number);
  }
  wrong += show_nodes(0, "The tree stands; each node wrote a page before it was copied, and one after:");
  end_nodes(0, 1);
  wrong += show_nodes(1, "The parent is dead, and its memory with it:");
  end_nodes(1, 3);
  wrong += show_nodes(3, "Its children are dead too:");
  end_nodes(3, NODES);
  uint32_t after = free_frames();
  printf("All are gone. The credit is %s.\n", before == after ? "what it was" : "NOT what it was");
  return wrong || before != after;
}
