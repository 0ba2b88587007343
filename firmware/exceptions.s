# An exception in the firmware is reported on the console and ends the core's work: vector, error code, EIP.
# The gates are made at run time in RAM; interrupts stay off all the time.

        .include "layout.inc"

        .equ    EXCEPTIONS, 32
        .equ    STUB_BYTES, 16

        .text
        .code32
        .globl  exceptions_init
exceptions_init:
        movl    $exception_stubs, %eax
        movl    $IDT_BASE, %edi
        movl    $EXCEPTIONS, %ecx
1:      movw    %ax, (%edi)
        movw    $SELECTOR_CODE, 2(%edi)
        movw    $0x8e00, 4(%edi)                # present, ring 0, 32-bit interrupt gate
        movl    %eax, %edx
        shrl    $16, %edx
        movw    %dx, 6(%edi)
        addl    $8, %edi
        addl    $STUB_BYTES, %eax
        loop    1b
        lidt    idt_pointer
        ret

        .globl  idt_pointer
idt_pointer:
        .word   EXCEPTIONS * 8 - 1
        .long   IDT_BASE

# One entry per vector. Vectors 8, 10-14 and 17 come with an error code; the others get a zero in its place.
        .balign STUB_BYTES
exception_stubs:
        .set    vector, 0
        .rept   EXCEPTIONS
        .balign STUB_BYTES
        .if     vector == 8 || (vector >= 10 && vector <= 14) || vector == 17
        .else
        pushl   $0
        .endif
        pushl   $vector
        jmp     report_exception
        .set    vector, vector + 1
        .endr

# Stack: vector, error code, EIP.
report_exception:
        post    POST_EXCEPTION
        movl    $text_exception, %esi
        call    print
        popl    %eax
        call    print_decimal
        movl    $text_error_code, %esi
        call    print
        popl    %eax
        call    print_hex32
        movl    $text_at, %esi
        call    print
        popl    %eax
        call    print_hex32
        call    print_newline
        jmp     park

        .section .rodata
text_exception:  .asciz "  failed   exception "
text_error_code: .asciz " code "
text_at:         .asciz " at "
