/* Between the root and the caches that fill the machine. */
#ifndef HOG_H
#define HOG_H

#include <physmem.h>

enum {
  /* Cache to root: item 0 is the thread that takes calls. */
  HOG_READY = 1,
  /* Root to cache. Word 0: pages. Allocates so many beyond the guarantee, or what there is, and fills them with a
   * pattern. Every reply: pages held, pages whose contents are wrong, pages that it was asked to give back so far,
   * soft pages, lost pages. */
  HOG_FILL,
  /* Gives word 0 pages back softly, the newest first. */
  HOG_SOFTEN,
  /* Makes soft pages real again, as far as there is room. */
  HOG_RECOVER,
  /* Looks at every page. */
  HOG_CHECK,
};

/* Words of a reply. */
enum { HELD, WRONG, ASKED, SOFT, LOST, REPLY_WORDS };

/* Frames of a cache's task: page tables, and one to make the control of the cache from. */
enum { CACHE_FRAMES = 24, CACHE_PAGES_MAX = 4096 };

#endif
