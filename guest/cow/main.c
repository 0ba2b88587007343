/* A tree of copies, as fork makes it: a container of 8 pages, copied to two, each copied to two more. Every node
 * writes one page of its own; nobody may see that but the copies that are made afterwards. The pages are allocated
 * one by one, as single frames: sharing ends for a whole frame at once. */
#include <physmem.h>
#include <stdio.h>

#define PAGES 8u
#define BYTES (PAGES * PAGE_SIZE)
#define NODES 7u

static slot_t containers[NODES];
static uint32_t *memory[NODES];

/* The word that node `node` must see in page `page`: its own number if it wrote there, else what its parent saw when
 * the copy was made. Node n writes page n before it is copied. */
static uint32_t expected(uint32_t node, uint32_t page) {
  while (node != 0 && node != page)
    node = (node - 1) / 2;
  return 1000 * node + page;
}

static void write_page(uint32_t node, uint32_t page) {
  memory[node][page * PAGE_SIZE / 4] = 1000 * node + page;
}

static void allocate_pages(slot_t container) {
  for (uint32_t start = 0; start < BYTES; start += PAGE_SIZE)
    must(container_allocate(container, start, PAGE_SIZE, 0, 0), "container_allocate");
}

static void make_node(uint32_t node) {
  must(container_create(own_control, &containers[node]), "container_create");
  if (node == 0)
    allocate_pages(containers[0]);
  else
    must(container_copy(containers[(node - 1) / 2], 0, 0, BYTES, COPY_ALL_OR_NONE, containers[node], 0),
         "container_copy");
  memory[node] = container_attach(containers[node], 0, BYTES, ACCESS_READ | ACCESS_WRITE);
  if (node == 0)
    for (uint32_t page = 0; page < PAGES; page++)
      write_page(0, page);
  else
    write_page(node, node);
}

static uint32_t count_pages(uint32_t node, uint32_t bits) {
  uint32_t states[PAGES], count = 0;
  must(container_query(containers[node], 0, BYTES, 0, states, PAGES), "container_query");
  for (uint32_t page = 0; page < PAGES; page++)
    count += (states[page] & bits) == bits;
  return count;
}

static uint32_t check_node(uint32_t node) {
  uint32_t wrong = 0;
  for (uint32_t page = 0; page < PAGES; page++)
    wrong += memory[node][page * PAGE_SIZE / 4] != expected(node, page);
  return wrong;
}

static uint32_t show_tree(const char *title) {
  uint32_t wrong = 0;
  printf("%s\n", title);
  for (uint32_t node = 0; node < NODES; node++) {
    uint32_t errors = check_node(node);
    printf("  node %u: %u of %u pages still copy-on-write, contents %s\n", node, count_pages(node, PAGE_COW), PAGES,
           errors ? "WRONG" : "right");
    wrong += errors;
  }
  return wrong;
}

int main(void) {
  uint32_t before, after, wrong;
  must(control_query(own_control, 0, &before, 0, 0, 0, 0), "control_query");
  for (uint32_t node = 0; node < NODES; node++)
    make_node(node);
  must(control_query(own_control, 0, &after, 0, 0, 0, 0), "control_query");
  printf("%u containers of %u pages: %u frames of credit (names are paid in full).\n", NODES, PAGES, before - after);
  wrong = show_tree("The tree, every node with a page of its own:");
  must(container_destroy(containers[0], 0), "container_destroy");
  printf("The first container is destroyed; its copies keep the contents:\n");
  for (uint32_t node = 1; node < NODES; node++)
    wrong += check_node(node);
  printf("  %s\n", wrong ? "WRONG" : "all right");
  return wrong ? 1 : 0;
}
