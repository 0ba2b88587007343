#include "ide.h"
#include "../bare.h"
#include "../kernel/cpu.h"

#define DATA 0x1f0
#define ERROR 0x1f1
#define COUNT 0x1f2
#define SECTOR 0x1f3 /* and the next two */
#define DEVICE 0x1f6
#define STATUS 0x1f7 /* read */
#define COMMAND 0x1f7 /* write */
#define CONTROL 0x3f6

enum { BUSY = 0x80, READY = 0x40, FAULT = 0x20, DATA_WANTED = 0x08, FAILED = 0x01 };
enum { READ = 0x20, WRITE = 0x30, READ_MULTIPLE = 0xc4, SET_MULTIPLE = 0xc6, IDENTIFY = 0xec };

volatile uint32_t ide_interrupts;

static void words_in(uint32_t *into, uint32_t words) {
  __asm__ volatile("rep insl" : "+D"(into), "+c"(words) : "d"((uint16_t)DATA) : "memory");
}

static void words_out(const uint32_t *from, uint32_t words) {
  __asm__ volatile("rep outsl" : "+S"(from), "+c"(words) : "d"((uint16_t)DATA) : "memory");
}

/* The status once the disk is ready for a command. */
static uint8_t wait_ready(void) {
  uint8_t status;
  while (((status = in8(STATUS)) & (BUSY | READY)) != READY)
    ;
  return status;
}

/* Reading the status is what takes the interrupt back at the disk. */
void ide_interrupt(void) {
  ide_interrupts++;
  in8(STATUS);
}

/* Sleeps until the interrupt after the `before`th; the error register when the command failed. */
static uint32_t wait_interrupt(uint32_t before) {
  while (ide_interrupts == before)
    sleep_until_interrupt();
  return in8(STATUS) & (FAILED | FAULT) ? in8(ERROR) : 0;
}

static void command(uint8_t what, uint32_t sector, uint32_t count) {
  wait_ready();
  out8(DEVICE, (uint8_t)(0xe0 | sector >> 24));
  out8(COUNT, (uint8_t)count);
  out8(SECTOR, (uint8_t)sector);
  out8(SECTOR + 1, (uint8_t)(sector >> 8));
  out8(SECTOR + 2, (uint8_t)(sector >> 16));
  out8(COMMAND, what);
}

int ide_start(void) {
  out8(DEVICE, 0xe0);
  wait_ready();
  out8(CONTROL, 0);
  out8(DEVICE, 0xf0);
  int second = 0;
  for (int i = 0; i < 1000 && !second; i++)
    second = in8(STATUS) != 0;
  out8(DEVICE, 0xe0);
  return second;
}

uint32_t ide_sectors(void) {
  uint32_t identity[SECTOR_WORDS];
  uint32_t before = ide_interrupts;
  command(IDENTIFY, 0, 0);
  wait_interrupt(before);
  words_in(identity, SECTOR_WORDS);
  return identity[30]; /* words 60 and 61 of 16 bits */
}

static uint32_t read_with(uint8_t what, uint32_t sector, uint32_t count, uint32_t *into) {
  uint32_t before = ide_interrupts;
  command(what, sector, count);
  uint32_t error = wait_interrupt(before);
  if (!error)
    words_in(into, count * SECTOR_WORDS);
  return error;
}

uint32_t ide_read(uint32_t sector, uint32_t *into) { return read_with(READ, sector, 1, into); }

uint32_t ide_read_block(uint32_t sector, uint32_t count, uint32_t *into) {
  uint32_t before = ide_interrupts;
  command(SET_MULTIPLE, 0, count);
  uint32_t error = wait_interrupt(before);
  return error ? error : read_with(READ_MULTIPLE, sector, count, into);
}

/* The disk wants the data at once and interrupts when it is written. */
uint32_t ide_write(uint32_t sector, const uint32_t *from) {
  uint32_t before = ide_interrupts;
  command(WRITE, sector, 1);
  while ((in8(STATUS) & (BUSY | DATA_WANTED)) != DATA_WANTED)
    ;
  words_out(from, SECTOR_WORDS);
  return wait_interrupt(before);
}
