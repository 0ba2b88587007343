# Toy kernel for the machine tests: everything that interrupts, on two cores, through the guest's own IDT.
#
#   timer   five ticks of the periodic local APIC timer
#   serial  received bytes come by the UART's interrupt through the I/O APIC and are sent back, until a newline
#   pic     the same once more through the 8259 pair and LINT0 (ExtINT)
#   ipi     the second core answers three interprocessor interrupts, each with one of its own
#
# One letter per event goes to the debug console; the exit port gets 0. Built by rebuild() in images.ts.

        .equ    LAPIC, 0xfee00000
        .equ    IOAPIC, 0xfec00000
        .equ    IDT, 0x200000
        .equ    AP_PAGE, 0x8000
        .equ    AP_STACK, 0x210000
        .equ    STACK, 0x220000
        .equ    MAGIC, 0x1badb002
        .equ    FLAGS, 1 << 16

        .text
        .code32
start:
        .long   MAGIC, FLAGS, -(MAGIC + FLAGS)
        .long   start, start, end, end, entry

entry:
        movl    $STACK, %esp
        lgdt    gdt_pointer
        ljmp    $8, $1f
1:      movl    $16, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss

        movl    $timer, %eax
        movl    $0x20, %ecx
        call    gate
        movl    $serial, %eax
        movl    $0x24, %ecx
        call    gate
        movl    $pic_serial, %eax
        movl    $0x74, %ecx
        call    gate
        movl    $answered, %eax
        movl    $0x41, %ecx
        call    gate
        movl    $asked, %eax
        movl    $0x40, %ecx
        call    gate
        lidt    idt_pointer
        movl    $0x1ff, LAPIC + 0xf0
        sti

# Timer: divide by 1, periodic, every 5000 cycles, until five have come.
        movl    $0x0b, LAPIC + 0x3e0
        movl    $0x20020, LAPIC + 0x320
        movl    $5000, LAPIC + 0x380
1:      hlt
        cmpl    $5, ticks
        jb      1b
        movl    $0, LAPIC + 0x380

# Serial line through the I/O APIC, input 4 to vector 0x24 of APIC 0.
        movl    $0x19, IOAPIC
        movl    $0, IOAPIC + 0x10
        movl    $0x18, IOAPIC
        movl    $0x24, IOAPIC + 0x10
        call    serial_interrupts_on
1:      hlt
        cmpl    $1, lines
        jb      1b
        movl    $0x10024, IOAPIC + 0x10         # masked again

# And through the 8259 pair: vectors 0x70, only IRQ 4 open; LINT0 was left in ExtINT mode by the firmware.
        movb    $0x11, %al
        outb    %al, $0x20
        movb    $0x70, %al
        outb    %al, $0x21
        movb    $0x04, %al
        outb    %al, $0x21
        movb    $0x01, %al
        outb    %al, $0x21
        movb    $0xef, %al
        outb    %al, $0x21
1:      hlt
        cmpl    $2, lines
        jb      1b

# Second core: INIT, SIPI at AP_PAGE, then three questions.
        movl    $trampoline, %esi
        movl    $AP_PAGE, %edi
        movl    $trampoline_end - trampoline, %ecx
        rep movsb
        movl    $1 << 24, LAPIC + 0x310
        movl    $0xc500, LAPIC + 0x300
        call    sent
        movl    $0x4600 + (AP_PAGE >> 12), LAPIC + 0x300
        call    sent
1:      pause
        cmpl    $0, ready
        je      1b
        movl    $3, %ebx
2:      movl    $0x4040, LAPIC + 0x300
        movl    answers, %edx
3:      hlt
        cmpl    %edx, answers
        je      3b
        decl    %ebx
        jnz     2b
        movb    $0, %al
        outb    %al, $0xf4
4:      hlt
        jmp     4b

# Waits until the delivery status is idle.
sent:   pause
        testl   $0x1000, LAPIC + 0x300
        jnz     sent
        ret

# Interrupt gate for vector ECX at EAX.
gate:
        movw    %ax, IDT(, %ecx, 8)
        movw    $8, IDT + 2(, %ecx, 8)
        movw    $0x8e00, IDT + 4(, %ecx, 8)
        shrl    $16, %eax
        movw    %ax, IDT + 6(, %ecx, 8)
        ret

serial_interrupts_on:
        movw    $0x3f9, %dx
        movb    $1, %al
        outb    %al, %dx
        movw    $0x3fc, %dx
        movb    $0x0b, %al
        outb    %al, %dx
        ret

timer:
        pushl   %eax
        incl    ticks
        movb    $'T', %al
        outb    %al, $0xe9
        movl    $0, LAPIC + 0xb0
        popl    %eax
        iret

serial:
        call    echo
        movl    $0, LAPIC + 0xb0
        iret

pic_serial:
        pushl   %eax
        movb    $'P', %al
        outb    %al, $0xe9
        call    echo
        movb    $0x20, %al
        outb    %al, $0x20
        popl    %eax
        iret

# Sends what was received back; a newline counts a line.
echo:
        pushl   %eax
        pushl   %edx
1:      movw    $0x3fd, %dx
        inb     %dx, %al
        testb   $1, %al
        jz      2f
        movw    $0x3f8, %dx
        inb     %dx, %al
        outb    %al, %dx
        outb    %al, $0xe9
        cmpb    $10, %al
        jne     1b
        incl    lines
        jmp     1b
2:      popl    %edx
        popl    %eax
        ret

answered:
        pushl   %eax
        incl    answers
        movb    $'A', %al
        outb    %al, $0xe9
        movl    $0, LAPIC + 0xb0
        popl    %eax
        iret

# On the second core: answers vector 0x40 with 0x41 to APIC 0.
asked:
        pushl   %eax
        movb    $'Q', %al
        outb    %al, $0xe9
        movl    $0, LAPIC + 0x310
        movl    $0x4041, LAPIC + 0x300
        movl    $0, LAPIC + 0xb0
        popl    %eax
        iret

second_core:
        movl    $16, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movl    $AP_STACK, %esp
        lidt    idt_pointer
        movl    $0x1ff, LAPIC + 0xf0
        sti
        movl    $1, ready
1:      hlt
        jmp     1b

        .code16
trampoline:
        cli
        lgdtl   %cs:(trampoline_gdt - trampoline)
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        ljmpl   $8, $second_core
trampoline_gdt:
        .word   23
        .long   gdt
trampoline_end:

        .code32
        .balign 8
gdt:    .quad   0, 0x00cf9a000000ffff, 0x00cf92000000ffff
gdt_pointer:
        .word   23
        .long   gdt
idt_pointer:
        .word   0x7ff
        .long   IDT
        .balign 4
ticks:  .long   0
lines:  .long   0
ready:  .long   0
answers: .long  0
end:
