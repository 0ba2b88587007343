# The console: COM1 at 115200 8N1, and printing. All routines keep every register but EAX; text is in ESI where
# one is printed.

        .include "layout.inc"

        .text
        .code32
        .globl  serial_init
serial_init:
        movl    $serial_setup, %esi
1:      movzbl  (%esi), %edx
        cmpb    $0xff, %dl
        je      2f
        addl    $PORT_COM1, %edx
        movb    1(%esi), %al
        outb    %al, %dx
        addl    $2, %esi
        jmp     1b
2:      ret

# Prints the zero-terminated text at ESI.
        .globl  print
print:
        pushl   %esi
1:      lodsb
        testb   %al, %al
        jz      2f
        call    print_char
        jmp     1b
2:      popl    %esi
        ret

        .globl  print_newline
print_newline:
        movb    $'\n', %al

# Prints AL; a line feed gets its carriage return.
        .globl  print_char
print_char:
        cmpb    $'\n', %al
        jne     1f
        movb    $'\r', %al
        call    1f
        movb    $'\n', %al
1:      pushl   %edx
        pushl   %eax
        movw    $PORT_COM1 + 5, %dx
2:      inb     %dx, %al
        testb   $0x20, %al                      # transmitter empty
        jz      2b
        popl    %eax
        movw    $PORT_COM1, %dx
        outb    %al, %dx
        popl    %edx
        ret

# Prints EAX as eight hexadecimal digits.
        .globl  print_hex32
print_hex32:
        pushl   %ecx
        pushl   %edx
        movl    %eax, %edx
        movl    $8, %ecx
1:      roll    $4, %edx
        movb    %dl, %al
        andb    $15, %al
        addb    $'0', %al
        cmpb    $'9', %al
        jbe     2f
        addb    $'a' - '0' - 10, %al
2:      call    print_char
        loop    1b
        popl    %edx
        popl    %ecx
        ret

# Prints EAX as an unsigned decimal number.
        .globl  print_decimal
print_decimal:
        pushl   %ebx
        pushl   %ecx
        pushl   %edx
        movl    $10, %ebx
        xorl    %ecx, %ecx
1:      xorl    %edx, %edx
        divl    %ebx
        pushl   %edx
        incl    %ecx
        testl   %eax, %eax
        jnz     1b
2:      popl    %eax
        addb    $'0', %al
        call    print_char
        loop    2b
        popl    %edx
        popl    %ecx
        popl    %ebx
        ret

        .section .rodata
# Pairs of register and value: interrupts off, divisor 1, 8N1, FIFOs on and empty, DTR RTS OUT2.
serial_setup:
        .byte   1, 0x00,  3, 0x80,  0, 0x01,  1, 0x00,  3, 0x03,  2, 0x07,  4, 0x0b,  0xff
