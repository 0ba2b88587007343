/* From the loader, and from INIT and STARTUP, to C in the upper half. Until paging is on, the code runs 2 GiB below the
 * addresses that it was linked for; the page directory maps the first 4 MiB twice, there and here. */
#define MULTIBOOT_MAGIC 0x1badb002
#define MULTIBOOT_FLAGS 0x00000003
#define BASE 0x80000000
#define TRAMPOLINE 0x7000
#define CR4_LARGE_PAGES 0x10
#define CR0_PAGING_AND_WRITE_PROTECT 0x80010000

        .section .multiboot, "a"
        .balign 4
        .long   MULTIBOOT_MAGIC
        .long   MULTIBOOT_FLAGS
        .long   -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)

        .macro  PAGING_ON
        movl    %cr4, %eax
        orl     $CR4_LARGE_PAGES, %eax
        movl    %eax, %cr4
        movl    $(directory - BASE), %eax
        movl    %eax, %cr3
        movl    %cr0, %eax
        orl     $CR0_PAGING_AND_WRITE_PROTECT, %eax
        movl    %eax, %cr0
        .endm

        .text
        .globl  start
start:  PAGING_ON
        movl    $boot_stack_top, %esp
        movl    $1f, %eax
        jmp     *%eax
1:      pushl   %ebx
        call    kernel_main
        pushl   %eax
        call    leave
2:      hlt
        jmp     2b

        .globl  trampoline, trampoline_end
        .code16
trampoline:
        cli
        lgdtl   %cs:(gdt_pointer - trampoline)
        movl    %cr0, %eax
        orl     $1, %eax
        movl    %eax, %cr0
        ljmpl   $0x08, $(TRAMPOLINE + (protected - trampoline))
        .code32
protected:
        movw    $0x10, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        PAGING_ON
        movl    core_stack, %esp
        movl    $core_main, %eax
        call    *%eax
        .balign 8
gdt:    .quad   0
        .quad   0x00cf9a000000ffff
        .quad   0x00cf92000000ffff
gdt_pointer:
        .word   23
        .long   TRAMPOLINE + (gdt - trampoline)
trampoline_end:

        .bss
        .balign 16
        .skip   8192
boot_stack_top:

        .section .note.GNU-stack, "", @progbits
