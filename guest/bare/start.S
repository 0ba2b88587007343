/* Entry of the bare images: a multiboot 1 kernel with nothing below it (Multiboot Specification 0.6.96). The loader
 * enters in 32-bit protected mode, flat segments, paging and interrupts off, EAX = magic, EBX = information. */
#define MULTIBOOT_MAGIC 0x1badb002
#define MULTIBOOT_FLAGS 0x00000003

        .section .multiboot, "a"
        .balign 4
        .long   MULTIBOOT_MAGIC
        .long   MULTIBOOT_FLAGS
        .long   -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)

        .text
        .globl  _start
_start:
        movl    $stack_top, %esp
        pushl   %ebx
        call    kernel_main
        pushl   %eax
        call    leave
hang:   hlt
        jmp     hang

        .bss
        .balign 16
        .skip   16384
stack_top:

        .section .note.GNU-stack, "", @progbits
