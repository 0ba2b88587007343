/* Where another core begins: in real mode, at the page that the startup IPI named. Copied there by main.c. It needs a
 * GDT within its 64 KiB, goes to protected mode, and takes the stack that main.c has left in `core_stack`. */
#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10

        .section .rodata
        .code16
        .globl  trampoline, trampoline_end
trampoline:
        cli
        cld
        lgdtl   %cs:(gdt_pointer - trampoline)
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        ljmpl   $KERNEL_CODE, $core_entry

        .balign 8
gdt:    .quad   0
        .quad   0x00cf9a000000ffff
        .quad   0x00cf92000000ffff
gdt_pointer:
        .word   23
        .long   TRAMPOLINE + (gdt - trampoline)
trampoline_end:

        .set    TRAMPOLINE, 0x7000

        .text
        .code32
core_entry:
        movw    $KERNEL_DATA, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    core_stack, %esp
        call    core_main
1:      hlt
        jmp     1b

        .section .note.GNU-stack, "", @progbits
