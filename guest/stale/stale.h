/* Between root and reader. */
#ifndef STALE_H
#define STALE_H

enum { STALE_READY = 1, STALE_SECRET = 0x5ec4e7, STALE_PUBLIC = 0x0b1ec7, STALE_BADGE = 1 };

#endif
