# Memory: test of the conventional part, sizing of the rest by probing, and the memory map in the form of the
# ACPI specification's INT 15h E820 (§15). A probe writes and restores; what a boot medium has put into RAM stays.

        .include "layout.inc"

        .equ    FIRST_EXTENDED, 0x00100000
        .equ    MEBIBYTE,       0x00100000
        .equ    PAGE,           0x1000
        .equ    PROBE_WORD,     PAGE - 4         # the last word of a page is probed

        .text
        .code32
# ZF = 1 when the word at EBX is memory. Changes EAX, EDX. Uses no stack: the stack may lie in the probed page.
        .macro  probe
        movl    (%ebx), %edx
        movl    %ebx, %eax
        xorl    $0x55aa33cc, %eax
        movl    %eax, (%ebx)
        cmpl    %eax, (%ebx)
        jne     9f
        notl    %eax
        movl    %eax, (%ebx)
        cmpl    %eax, (%ebx)
9:      movl    %edx, (%ebx)
        .endm

# Every page below 640 KiB must be there: trampoline, tables and stack are in it.
        .globl  check_low_memory
check_low_memory:
        movl    $PROBE_WORD, %ebx
1:      probe
        jne     2f
        addl    $PAGE, %ebx
        cmpl    $LOW_RAM_END, %ebx
        jb      1b
        movw    $EBDA_BASE >> 4, BDA_EBDA_SEGMENT
        movw    $EBDA_BASE >> 10, BDA_BASE_MEMORY
        ret
2:      post    POST_BAD_LOW_MEMORY
        movl    $text_bad_low, %esi
        call    print
        movl    %ebx, %eax
        call    print_hex32
        call    print_newline
        jmp     park

# RAM_END = first address that is not memory: steps of 1 MiB, then of a page within the last one.
        .globl  size_memory
size_memory:
        movl    $FIRST_EXTENDED + MEBIBYTE - 4, %ebx
1:      probe
        jne     2f
        addl    $MEBIBYTE, %ebx
        cmpl    $MODULE_WINDOW_BASE, %ebx
        jb      1b
2:      subl    $MEBIBYTE - PAGE, %ebx          # last word of the first page of the MiB that failed
3:      probe
        jne     4f
        addl    $PAGE, %ebx
        cmpl    $MODULE_WINDOW_BASE, %ebx
        jb      3b
4:      subl    $PROBE_WORD, %ebx
        movl    %ebx, RAM_END
        ret

# Boot information: head and memory map (emu/arch/boot-info.ts).
        .globl  write_memory_map
write_memory_map:
        movl    $BOOT_INFO_BASE, %edi
        movl    $1024, %ecx
        xorl    %eax, %eax
        rep stosl
        movl    $BOOT_INFO_BASE, %ebx
        movl    $BOOT_INFO_MAGIC, (%ebx)
        movl    RAM_END, %eax
        movl    %eax, 20(%ebx)
        movl    $FIRMWARE_END, 24(%ebx)
        movl    $memory_map, %esi
        movl    $BOOT_INFO_BASE + BOOT_INFO_E820_OFFSET, %edi
        xorl    %ecx, %ecx
1:      movl    (%esi), %eax                    # base
        movl    4(%esi), %edx                   # length; 0 stands for up to the end of RAM
        testl   %edx, %edx
        jnz     2f
        movl    RAM_END, %edx
        subl    %eax, %edx
        jbe     3f                              # an empty range is left out
2:      movl    %eax, (%edi)
        movl    %edx, 8(%edi)
        movl    8(%esi), %eax
        movl    %eax, 16(%edi)
        addl    $20, %edi
        incl    %ecx
3:      addl    $12, %esi
        cmpl    $memory_map_end, %esi
        jb      1b
        movl    %ecx, 12(%ebx)
        ret

        .globl  report_memory
report_memory:
        movl    $text_memory, %esi
        call    print
        movl    RAM_END, %eax
        shrl    $10, %eax
        testl   $1023, %eax
        jnz     1f
        shrl    $10, %eax
        movl    $text_mib, %esi
        jmp     2f
1:      movl    $text_kib, %esi
2:      call    print_decimal
        call    print
        movl    $BOOT_INFO_BASE + BOOT_INFO_E820_OFFSET, %ebx
        movl    BOOT_INFO_BASE + 12, %ecx
3:      cmpl    $E820_RAM, 16(%ebx)
        jne     4f
        movb    $' ', %al
        call    print_char
        movl    (%ebx), %eax
        call    print_hex32
        movb    $'-', %al
        call    print_char
        movl    (%ebx), %eax
        addl    8(%ebx), %eax
        decl    %eax
        call    print_hex32
4:      addl    $20, %ebx
        loop    3b
        jmp     print_newline

        .section .rodata
# Base, length (0 = up to the end of RAM), type.
        .balign 4
memory_map:
        .long   0x00000000, EBDA_BASE, E820_RAM
        .long   EBDA_BASE, LOW_RAM_END - EBDA_BASE, E820_RESERVED
        .long   0x000f0000, 0x00010000, E820_RESERVED
        .long   FIRST_EXTENDED, 0, E820_RAM
        .long   IOAPIC_BASE, 0x1000, E820_RESERVED
        .long   LAPIC_BASE, 0x1000, E820_RESERVED
        .long   ROM_BASE, ROM_SIZE, E820_RESERVED
memory_map_end:
text_memory:    .asciz "  memory   "
text_mib:       .asciz " MiB "
text_kib:       .asciz " KiB "
text_bad_low:   .asciz "  failed   no memory at "
