# Changes of privilege: call gates with parameters, stack switch through the TSS, returns to the outer ring, conforming
# code, interrupt and trap gates of both sizes, the I/O permission bitmap. (SDM vol. 3 ch. 5.8, 6.12; vol. 1 ch. 18.5)

        .include "frame.inc"

        .equ    GATE, FREE | 3                  # call gate, DPL 3
        .equ    CONFORMING, FREE + 8
        .equ    GATE16, (FREE + 16) | 3
        .equ    KDATA2, FREE + 24
        .equ    UCODE_BASED, (FREE + 32) | 3    # ring 3 code with a base
        .equ    BASE, 0x1000
        .equ    KCODE_LOW, FREE + 40            # base 0x100000: 16-bit offsets reach the image
        .equ    UCODE_LOW, (FREE + 48) | 3
        .equ    IOMAP, TSS_BASE + 0x68

        .text
run_cases:
        set_gdt CONFORMING, $0x0000ffff, $0x00cf9f00
        set_gdt KDATA2, $0x0000ffff, $0x00cf9300
        set_gdt UCODE_BASED, $0x1000ffff, $0x00cffb00
        set_gdt KCODE_LOW, $0x0000ffff, $0x00cf9b10
        set_gdt UCODE_LOW, $0x0000ffff, $0x00cffb10
        call    call_gates
        call    outer_returns
        call    interrupt_gates
        call    io_bitmap
        ret

# What the gate's target found: CS, the copied parameters, the outer stack; then it returns to ring 3.
gate_entry:
        pushal
        pushl   %ds
        movl    $KDATA, %eax
        movl    %eax, %ds
        say     "[cs="
        movl    %cs, %eax
        call    print_hex
        say     " ss="
        movl    %ss, %eax
        call    print_hex
        say     " sp="
        leal    36(%esp), %eax
        call    print_hex
        movl    $7, %ecx
        leal    36(%esp), %esi
1:      say     " "
        movl    (%esi), %eax
        addl    $4, %esi
        call    print_hex
        loop    1b
        say     "] "
        popl    %ds
        popal
        ret

gate_target:
        call    gate_entry
        movl    $0x90, %eax
        lretl   $12

gate_target_plain:
        call    gate_entry
        movl    $0x91, %eax
        lretl

# Its segment has a base, so it must not print.
gate_target_word:
        movl    (%esp), %eax
        addl    4(%esp), %eax
        lretw   $4

call_gates:
        set_gate gdt+(GATE&~7), KCODE, $gate_target, 0xec, 3
        ucase   "gate with three parameters"
        pushl   $0x333
        pushl   $0x222
        pushl   $0x111
        lcall   $GATE, $0
        addl    %esp, %eax
        udone
        set_gate gdt+(GATE&~7), KCODE, $gate_target_plain, 0xec, 0
        ucase   "gate without parameters"
        lcall   $GATE, $0xffffffff
        addl    %esp, %eax
        udone
        ucase   "gate by an indirect call"
        lcall   *gate_pointer
        udone
        set_gate gdt+(GATE&~7), CONFORMING, $gate_target_plain, 0xec, 0
        ucase   "gate to conforming code stays in the ring"
        movl    %esp, %ebx
        lcall   $GATE, $0
        udone
        set_gate gdt+(GATE&~7), UCODE, $gate_target_plain, 0xec, 0
        ucase   "jump through a gate in the same ring"
        ljmp    $GATE, $0
        udone
        set_gate gdt+(GATE&~7), KCODE, $gate_target_plain, 0xec, 0
        set_gate gdt+(GATE&~7), KCODE, $gate_target_plain, 0xcc, 0
        ucase   "gate of ring 2"
        lcall   $GATE, $0
        udone
        set_gate gdt+(GATE16&~7), KCODE_LOW, $gate_target_word-0x100000, 0xe4, 2
        ucase   "16-bit gate with two words"
        movl    $0x8000, %esp
        movl    $1f - 0x100000, %eax
        pushl   $UCODE_LOW
        pushl   %eax
        lretl
1:      pushw   $0x2222
        pushw   $0x1111
        lcall   $GATE16, $0
        addl    %esp, %eax
        udone
        ret

outer_returns:
        kcase   "iret outwards clears kernel segments"
        movl    $KDATA, %eax
        movl    %eax, %fs
        movl    $CONFORMING, %eax
        movl    %eax, %gs
        movl    $UDATA, %eax
        movl    %eax, %es
        movl    %eax, %ds
        pushl   $UDATA
        pushl   $USER_STACK
        pushl   $2
        pushl   $UCODE
        pushl   $1f
        iretl
1:      movl    %fs, %eax
        shll    $8, %eax
        movl    %gs, %ecx
        movb    %cl, %al
        shll    $8, %eax
        movl    %es, %ecx
        movb    %cl, %al
        udone
        kcase   "retf outwards drops parameters on both stacks"
        movl    $UDATA, %eax
        movl    %eax, %ds
        pushl   $UDATA
        pushl   $USER_STACK
        pushl   $0x1234
        pushl   $0x5678
        pushl   $UCODE
        pushl   $1f
        lretl   $8
1:      movl    %esp, %eax
        udone
        kcase   "iret to a based segment"
        pushl   $UDATA
        pushl   $USER_STACK
        pushl   $0x3002
        pushl   $UCODE_BASED
        pushl   $1f - BASE
        iretl
1:      ud2
        udone
        kcase   "iret outwards takes IOPL and IF"
        pushl   $UDATA
        pushl   $USER_STACK
        pushl   $0x3cd7
        pushl   $UCODE
        pushl   $1f
        iretl
1:      pushfl
        popl    %eax
        udone
        ucase   "iret within ring 3 does not"
        pushl   $0x3ed7
        pushl   $UCODE
        pushl   $1f
        iretl
1:      pushfl
        popl    %eax
        udone
        ucase   "16-bit iret keeps the upper half of EFLAGS"
        movl    $1f - 0x100000, %eax
        pushw   $0x0cd7
        pushw   $UCODE_LOW
        pushw   %ax
        iretw
1:      pushfl
        popl    %eax
        udone
        ret

interrupt_gates:
        movw    $0xee00, idt + 0x33 * 8 + 4
        ucase   "interrupt gate from ring 3 clears IF", 0x3202
        int     $0x33
        udone
        movw    $0xef00, idt + 0x33 * 8 + 4
        ucase   "trap gate from ring 3", 0x3002
        int     $0x33
        udone
        movw    $CONFORMING, idt + 0x33 * 8 + 2
        ucase   "trap gate to conforming code"
        int     $0x33
        udone
        movw    $UCODE, idt + 0x33 * 8 + 2
        movw    $KCODE, idt + 0x33 * 8 + 2
        movl    $ring3_return, trap_hook
        ucase   "the handler returns"
        movl    $0x1111, %ebx
        int     $0x33
        leal    1(%ebx), %eax
        udone
        kcase   "and to the same ring"
        movl    %esp, %ebx
        int     $0x33
        movl    %esp, %eax
        subl    %ebx, %eax
        kdone
        movl    $0, trap_hook
        ret

# A hook that returns from the trap instead of ending the case.
ring3_return:
        movl    $UDATA, %eax
        movl    %eax, %ds
        movl    %eax, %es
        popal
        addl    $8, %esp
        iretl

io_bitmap:
        movl    $TSS_LIMIT, %eax
        movw    %ax, gdt + TSS                  # a longer TSS: 0x68 and 32 bytes of bitmap and the end byte
        movb    $0x89, gdt + TSS + 5
        movl    $-1, %eax
        movl    $IOMAP, %edi
        movl    $9, %ecx
        rep stosl
        movb    $0xfd, IOMAP + (PORT_CONSOLE >> 3)      # 0xe9 is bit 1
        movw    $TSS, %ax
        ltr     %ax
        ucase   "allowed by the bitmap"
        xorl    %eax, %eax
        inb     $PORT_CONSOLE, %al
        udone
        ucase   "the neighbour is not"
        inb     $PORT_CONSOLE + 1, %al
        udone
        ucase   "a word needs both bits"
        movl    $PORT_CONSOLE, %edx
        inw     %dx, %ax
        udone
        ucase   "beyond the bitmap"
        movl    $0x3f8, %edx
        inb     %dx, %al
        udone
        ucase   "outs is checked like out"
        movl    $PORT_CONSOLE - 1, %edx
        movl    $digits, %esi
        outsb
        udone
        ret

        .equ    TSS_LIMIT, 0x68 + 32

        .data
gate_pointer:
        .long   0
        .word   GATE
