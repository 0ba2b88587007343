/* Between the root and the nodes of the tree. */
#ifndef FORK_H
#define FORK_H

#include <physmem.h>

enum {
  /* Node to root: item 0 is the thread that takes calls. */
  FORK_READY = 1,
  /* Root to node. Word 0: number of the node; item 0: the parent's heap, none for node 0. The node copies the heap and
   * writes one page. Reply: wrong words seen; item 0: the own heap, to read and to copy out. */
  FORK_BEGIN,
  /* The node writes another page, once. Reply: wrong words seen, pages that are still shared with other copies. */
  FORK_CHECK,
};

/* Node n is a copy of node (n - 1) / 2: one parent, two children, four grandchildren. */
enum { NODES = 7, HEAP_PAGES = 16, NODE_FRAMES = 32 };
#define HEAP_BYTES (HEAP_PAGES * PAGE_SIZE)

#endif
