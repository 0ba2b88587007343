/* Between the client (root.c), the honest server (server.c) and the rogue (rogue.c). */
#ifndef FILES_H
#define FILES_H

#include <physmem.h>

/* Labels of messages. Every call is from the client to a server, but for the first and the last. */
enum {
  /* Server to client: item 0 is the thread that takes calls. */
  FILES_READY = 1,
  /* Words 0, 1: first byte and bytes of room in the container; words 2..5: the name; item 0: the capability. The
   * server locks the container. Reply: errno, bytes of the file. */
  FILES_OPEN,
  /* The server writes the file into the container and unlocks it. Reply: errno, bytes written. */
  FILES_TRANSFER,
  /* Is the capability of the last transfer still good? Reply: errno of a map through it. */
  FILES_ASK,
  /* To a rogue, item 0 a capability: misbehave, as your argument says. */
  FILES_MISBEHAVE,
  /* To a rogue: what do you see of what you kept? Reply: see rogue.c. */
  FILES_LOOK,
  /* To a rogue: use the map that you kept. It never answers. */
  FILES_TOUCH,
  /* Rogue to client: it is beaten. Words: locks that it got, errno that stopped it. */
  FILES_BEATEN,
};

enum { NAME_WORDS = 4, SERVER_FRAMES = 24, FILE_PAGES = 4, TRANSFER_CYCLES = 2000000, RELOCK_CYCLES = 300000 };
#define FILE_BYTES (FILE_PAGES * PAGE_SIZE)

/* Line `number` of the file "squares": 16 bytes. */
void square_line(char *line, uint32_t number);

#endif
