# From the reset vector to 32-bit protected mode (SDM vol. 3 §10.1.4, §10.9). The processor starts in real mode at
# FFFFFFF0 with CS base FFFF0000; the first far jump must already be the one into protected mode, because a
# real-mode far jump would take the high address bits away.

        .include "layout.inc"

        .section .reset, "ax"
        .code16
        .globl  reset_vector
reset_vector:
        jmp     real_mode_entry

        .section .text16, "ax"
        .code16
text16_start:
real_mode_entry:
        cli
        cld
        movl    %edx, %ebp                      # processor signature
        post    POST_RESET
        lgdtl   %cs:TEXT16_OFFSET + (gdt_pointer - text16_start)
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        ljmpl   $SELECTOR_CODE, $protected_entry

# Flat descriptors. They are in ROM, so their accessed bits are set beforehand.
        .balign 8
        .globl  gdt
gdt:
        .quad   0
        .quad   0x00cf9b000000ffff              # code, base 0, limit 4 GiB
        .quad   0x00cf93000000ffff              # data, base 0, limit 4 GiB
gdt_end:
        .globl  gdt_pointer
gdt_pointer:
        .word   gdt_end - gdt - 1
        .long   gdt

        .text
        .code32
protected_entry:
        movw    $SELECTOR_DATA, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %fs
        movw    %ax, %gs
        movw    %ax, %ss
        movl    $STACK_TOP, %esp
        movl    %cr0, %eax
        andl    $0x9fffffff, %eax               # caches on: CD and NW off
        movl    %eax, %cr0
        movl    %ebp, CPU_SIGNATURE
        post    POST_PROTECTED
        jmp     main
