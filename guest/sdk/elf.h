/* The parts of ELF32 that a loader of static i386 images needs (System V ABI, chapters 4 and 5). */
#ifndef ELF_H
#define ELF_H

#include <stdint.h>

#define ELF_IDENT 0x464c457fu   /* 0x7f 'E' 'L' 'F' */
#define ELF_CLASS_32_LE 0x0101u /* 32-bit, little-endian */
#define ELF_TYPE_EXEC 2
#define ELF_MACHINE_386 3
#define ELF_PT_LOAD 1
#define ELF_PT_INTERP 3
#define ELF_FLAG_EXECUTE 1
#define ELF_FLAG_WRITE 2
#define ELF_FLAG_READ 4

struct elf_header {
  uint32_t ident;
  uint16_t class_and_order;
  uint8_t ident_rest[10];
  uint16_t type, machine;
  uint32_t version, entry, phoff, shoff, flags;
  uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_segment {
  uint32_t type, offset, vaddr, paddr, filesz, memsz, flags, align;
};

#endif
