#ifndef PAGING_H
#define PAGING_H

/* Builds the tables and turns paging on. */
void paging_start(void);

#endif
