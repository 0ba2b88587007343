# Boot modules: found in the archive window, copied to RAM one after the other, each at a page boundary, and listed
# in the boot information (emu/arch/boot-info.ts).

        .include "layout.inc"

        .equ    PAGE_MASK, 0xfffff000

        .text
        .code32
        .globl  load_modules
load_modules:
        movl    $0, BOOT_INFO_BASE + 16
        cmpl    $MODULE_ARCHIVE_MAGIC, MODULE_WINDOW_BASE
        jne     9f
        movl    MODULE_WINDOW_BASE + 4, %ecx
        testl   %ecx, %ecx
        jz      9f
        movl    $MODULE_WINDOW_BASE + 8, %ebx   # header in the archive
        movl    $BOOT_INFO_BASE + BOOT_INFO_MODULES_OFFSET, %ebp
        movl    $MODULE_LOAD_BASE, %edx         # where it goes
1:      call    load_module
        addl    $BOOT_MODULE_ENTRY_BYTES, %ebx
        addl    $BOOT_MODULE_ENTRY_BYTES, %ebp
        incl    BOOT_INFO_BASE + 16
        loop    1b
9:      ret

# Copies the module of header EBX to EDX and fills the entry at EBP. EDX becomes the next free page.
load_module:
        pushl   %ecx
        movl    4(%ebx), %ecx
        movl    RAM_END, %eax
        subl    %edx, %eax
        jb      8f
        cmpl    %ecx, %eax
        jb      8f
        movl    %edx, (%ebp)
        leal    (%edx, %ecx), %eax
        movl    %eax, 4(%ebp)
        movl    (%ebx), %esi
        addl    $MODULE_WINDOW_BASE, %esi
        movl    %edx, %edi
        addl    $3, %ecx
        shrl    $2, %ecx
        rep movsl                               # the archive is padded to whole pages
        leal    8(%ebx), %esi
        leal    8(%ebp), %edi
        movl    $BOOT_MODULE_NAME_BYTES / 4, %ecx
        rep movsl
        call    report_module
        movl    4(%ebp), %edx
        addl    $0xfff, %edx
        andl    $PAGE_MASK, %edx
        popl    %ecx
        ret
8:      post    POST_BAD_MODULES
        movl    $text_no_room, %esi
        call    print
        leal    8(%ebx), %esi
        call    print
        call    print_newline
        jmp     park

report_module:
        movl    $text_module, %esi
        call    print
        movl    (%ebp), %eax
        call    print_hex32
        movb    $' ', %al
        call    print_char
        leal    8(%ebp), %esi
        call    print
        movl    $text_space, %esi
        call    print
        movl    4(%ebp), %eax
        subl    (%ebp), %eax
        call    print_decimal
        movl    $text_bytes, %esi
        jmp     print

        .section .rodata
text_module:    .asciz "  module   "
text_space:     .asciz ", "
text_bytes:     .asciz " bytes\n"
text_no_room:   .asciz "  failed   no room in memory for module "
