# Every exception through the IDT, from ring 0 and ring 3, with error code and the EIP that is pushed. Limits and types of
# data segments are not here: QEMU and v86 do not check them; the vectors of the host processor do.

        .include "frame.inc"

        .equ    SMALL, FREE                     # data, limit 0xfff
        .equ    ABSENT, FREE + 16               # data, not present
        .equ    EXECUTE, FREE + 24              # code, execute only
        .equ    ABSENTCODE, FREE + 32
        .equ    READONLY, FREE + 40
        .equ    BADTSS, FREE + 48               # TSS, not present
        .equ    GATE, FREE + 56                 # call gate to be
        .equ    CONFORMING, FREE + 64
        .equ    SMALLCODE, FREE + 72            # code, limit 0xfff
        .equ    BEYOND, ENTRIES * 8

        .text
run_cases:
        call    make_descriptors
        call    program_errors
        call    segment_loads
        call    far_transfers
        call    idt_faults
        call    system_registers
        call    from_ring3
        call    ring3_segments
        call    double_faults
        ret

make_descriptors:
        set_gdt SMALL, $0x00000fff, $0x00409300
        set_gdt ABSENT, $0x0000ffff, $0x00cf1300
        set_gdt EXECUTE, $0x0000ffff, $0x00cf9900
        set_gdt ABSENTCODE, $0x0000ffff, $0x00cf1b00
        set_gdt READONLY, $0x0000ffff, $0x00cf9100
        set_gdt BADTSS, $0x00000067, $0x00000917
        set_gdt CONFORMING, $0x0000ffff, $0x00cf9f00
        set_gdt SMALLCODE, $0x00000fff, $0x00409b00
        ret

program_errors:
        kcase   "divide by zero"
        xorl    %edx, %edx
        xorl    %ecx, %ecx
        divl    %ecx
        kdone
        kcase   "divide overflow"
        movl    $0x1234, %edx
        movl    $5, %ecx
        idivl   %ecx
        kdone
        kcase   "idiv of the most negative"
        movl    $0x80000000, %eax
        cdq
        movl    $-1, %ecx
        idivl   %ecx
        kdone
        kcase   "aam 0"
        aam     $0
        kdone
        kcase   "int3"
        int3
        kdone
        kcase   "into with OF"
        movb    $0x7f, %al
        addb    $1, %al
        into
        kdone
        kcase   "into without OF"
        xorl    %eax, %eax
        into
        kdone
        kcase   "bound inside"
        movl    $5, %eax
        boundl  %eax, bounds
        kdone
        kcase   "bound below"
        movl    $-9, %eax
        boundl  %eax, bounds
        kdone
        kcase   "ud2"
        ud2
        kdone
        kcase   "lock on a register"
        .byte   0xf0, 0x01, 0xc8
        kdone
        kcase   "lea of a register"
        .byte   0x8d, 0xc0
        kdone
        kcase   "mov to cs"
        .byte   0x8e, 0xc8
        kdone
        kcase   "mov to segment register 6"
        .byte   0x8e, 0xf0
        kdone
        kcase   "overlong instruction"
        .byte   0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x90
        kdone
        kcase   "x87 with CR0.EM"
        movl    %cr0, %ebx
        movl    %ebx, %eax
        orl     $4, %eax
        movl    %eax, %cr0
        .byte   0xd9, 0xd0                      # fnop
        kdone
        movl    %cr0, %eax
        andl    $~4, %eax
        movl    %eax, %cr0
        kcase   "wait with CR0.MP and TS"
        movl    %cr0, %eax
        orl     $10, %eax
        movl    %eax, %cr0
        .byte   0x9b
        kdone
        clts
        ret

segment_loads:
        kcase   "ds null"
        xorl    %eax, %eax
        movl    %eax, %ds
        kdone
        call    load_data_segments
        kcase   "null with rpl 3"
        movl    $3, %eax
        movl    %eax, %fs
        movl    %fs, %eax
        kdone
        kcase   "ds beyond the table"
        movl    $BEYOND, %eax
        movl    %eax, %ds
        kdone
        kcase   "ds beyond the table, rpl 3"
        movl    $BEYOND + 3, %eax
        movl    %eax, %ds
        kdone
        kcase   "local selector without a table"
        movl    $0x0c, %eax
        movl    %eax, %ds
        kdone
        kcase   "ds absent"
        movl    $ABSENT, %eax
        movl    %eax, %ds
        kdone
        kcase   "ds execute only"
        movl    $EXECUTE, %eax
        movl    %eax, %ds
        kdone
        kcase   "ds task state segment"
        movl    $TSS, %eax
        movl    %eax, %ds
        kdone
        kcase   "ds readable code"
        movl    $KCODE, %eax
        movl    %eax, %ds
        movl    bounds, %eax
        kdone
        kcase   "ss null"
        xorl    %eax, %eax
        movl    %eax, %ss
        kdone
        kcase   "ss absent"
        movl    $ABSENT, %eax
        movl    %eax, %ss
        kdone
        kcase   "ss read-only"
        movl    $READONLY, %eax
        movl    %eax, %ss
        kdone
        kcase   "ss of ring 3"
        movl    $UDATA, %eax
        movl    %eax, %ss
        kdone
        kcase   "ss with rpl 1"
        movl    $KDATA + 1, %eax
        movl    %eax, %ss
        kdone
        kcase   "pop ds absent"
        pushl   $ABSENT
        popl    %ds
        kdone
        kcase   "les beyond the table"
        lesl    far_beyond, %eax
        kdone
        ret

far_transfers:
        kcase   "jump to null"
        ljmp    $0, $0
        kdone
        kcase   "jump to data"
        ljmp    $KDATA, $0
        kdone
        kcase   "jump to ring 3"
        ljmp    $UCODE & ~3, $0
        kdone
        kcase   "jump to absent code"
        ljmp    $ABSENTCODE, $0
        kdone
        kcase   "jump beyond the limit"
        ljmp    $SMALLCODE, $0x1000
        kdone
        kcase   "call beyond the table"
        lcall   $BEYOND, $0
        kdone
        kcase   "jump to conforming code"
        ljmp    $CONFORMING, $1f
1:      movl    %cs, %eax
        ljmp    $KCODE, $2f
2:      kdone
        set_gate gdt + GATE, KCODE, $gate_target, 0x0c
        kcase   "call an absent gate"
        lcall   $GATE, $0
        kdone
        set_gate gdt + GATE, KDATA, $gate_target, 0x8c
        kcase   "call a gate to data"
        lcall   $GATE, $0
        kdone
        set_gate gdt + GATE, 0, $gate_target, 0x8c
        kcase   "call a gate to null"
        lcall   $GATE, $0
        kdone
        set_gate gdt + GATE, KCODE, $gate_target, 0x8c
        kcase   "call a gate in the same ring"
        lcall   $GATE, $0xdeadbeef
        kdone
        kcase   "jump through a gate"
        ljmp    $GATE, $0
        kdone
        kcase   "retf to null"
        pushl   $0
        pushl   $0
        lretl
        kdone
        kcase   "retf to absent code"
        pushl   $ABSENTCODE
        pushl   $0
        lretl
        kdone
        kcase   "iret to data"
        pushl   $2
        pushl   $KDATA
        pushl   $0
        iretl
        kdone
        kcase   "iret to ring 3 with a null stack"
        pushl   $0
        pushl   $0x1000
        pushl   $2
        pushl   $UCODE
        pushl   $0x1000
        iretl
        kdone
        kcase   "iret to ring 3 with a ring 0 stack"
        pushl   $KDATA
        pushl   $0x1000
        pushl   $2
        pushl   $UCODE
        pushl   $0x1000
        iretl
        kdone
        ret

# Reached by the gate; JMP leaves no return address, so it goes on by the handler's way.
gate_target:
        movl    $0x6a7e, %eax
        int     $RING3_VECTOR

idt_faults:
        movw    $0x0e00, idt + 0x31 * 8 + 4
        kcase   "int through an absent gate"
        int     $0x31
        kdone
        movw    $0x8200, idt + 0x31 * 8 + 4
        kcase   "int through something else"
        int     $0x31
        kdone
        kcase   "int beyond the table"
        int     $ENTRIES
        kdone
        movw    $0x8e00, idt + 0x31 * 8 + 4
        movw    $0, idt + 0x31 * 8 + 2
        kcase   "int to null"
        int     $0x31
        kdone
        movw    $KDATA, idt + 0x31 * 8 + 2
        kcase   "int to data"
        int     $0x31
        kdone
        movw    $ABSENTCODE, idt + 0x31 * 8 + 2
        kcase   "int to absent code"
        int     $0x31
        kdone
        movw    $KCODE, idt + 0x31 * 8 + 2
        kcase   "int"
        int     $0x31
        kdone
        movw    $0x8f00, idt + 0x31 * 8 + 4
        kcase   "trap gate keeps IF"
        pushl   $0x202
        popfl
        int     $0x31
        kdone
        ret

system_registers:
        kcase   "cr1"
        .byte   0x0f, 0x20, 0xc8
        kdone
        kcase   "cr5"
        .byte   0x0f, 0x22, 0xe8
        kdone
        kcase   "ltr of a busy segment"
        movw    $TSS, %ax
        ltr     %ax
        kdone
        kcase   "ltr of an absent segment"
        movw    $BADTSS, %ax
        ltr     %ax
        kdone
        kcase   "ltr of data"
        movw    $KDATA, %ax
        ltr     %ax
        kdone
        kcase   "lldt null"
        xorl    %eax, %eax
        lldt    %ax
        sldt    %eax
        kdone
        kcase   "lldt of data"
        movw    $KDATA, %ax
        lldt    %ax
        kdone
        kcase   "str"
        xorl    %eax, %eax
        strl    %eax
        kdone
        kcase   "lar of a busy segment"
        movl    $TSS, %ecx
        larl    %ecx, %eax
        kdone
        kcase   "lsl"
        movl    $SMALL, %ecx
        lsll    %ecx, %eax
        kdone
        kcase   "lmsw cannot leave protected mode"
        xorl    %eax, %eax
        lmsw    %ax
        movl    %cr0, %eax
        andl    $1, %eax
        kdone
        ret

from_ring3:
        ucase   "ring 3 runs"
        movl    %cs, %eax
        udone
        ucase   "ring 3 cli"
        cli
        udone
        ucase   "ring 3 hlt"
        hlt
        udone
        ucase   "ring 3 in"
        inb     $PORT_CONSOLE, %al
        udone
        ucase   "ring 3 out"
        outl    %eax, %dx
        udone
        ucase   "ring 3 in with IOPL 3", 0x3002
        inb     $PORT_CONSOLE, %al
        udone
        ucase   "ring 3 cli with IOPL 3", 0x3002
        cli
        udone
        ucase   "ring 3 mov cr0"
        movl    %cr0, %eax
        udone
        ucase   "ring 3 mov cr3"
        movl    %eax, %cr3
        udone
        ucase   "ring 3 mov dr7"
        movl    %dr7, %eax
        udone
        ucase   "ring 3 lgdt"
        lgdt    gdt_pointer
        udone
        ucase   "ring 3 lldt"
        lldt    %ax
        udone
        ucase   "ring 3 ltr"
        ltr     %ax
        udone
        ucase   "ring 3 invlpg"
        invlpg  (%eax)
        udone
        ucase   "ring 3 clts"
        clts
        udone
        ucase   "ring 3 wbinvd"
        wbinvd
        udone
        ucase   "ring 3 rdmsr"
        rdmsr
        udone
        ucase   "ring 3 int3"
        int3
        udone
        ucase   "ring 3 into"
        movb    $0x80, %al
        subb    $1, %al
        into
        udone
        ucase   "ring 3 divide"
        xorl    %ecx, %ecx
        divl    %ecx
        udone
        ucase   "ring 3 bound"
        movl    $999, %eax
        boundl  %eax, bounds
        udone
        ucase   "ring 3 ud2"
        ud2
        udone
        ucase   "ring 3 int through a ring 0 gate"
        int     $0x32
        udone
        ucase   "ring 3 int of an exception"
        int     $13
        udone
        ucase   "ring 3 int beyond the table"
        int     $0xff
        udone
        ucase   "ring 3 popf changes neither IF nor IOPL"
        pushl   $0x7ed7 & ~0x100
        popfl
        pushfl
        popl    %eax
        udone
        ucase   "ring 3 popf with IOPL 3 changes IF", 0x3002
        pushl   $0x202
        popfl
        pushfl
        popl    %eax
        cli
        udone
        ret

ring3_segments:
        ucase   "ring 3 ds of the kernel"
        movl    $KDATA, %eax
        movl    %eax, %ds
        udone
        ucase   "ring 3 ds of the kernel, rpl 3"
        movl    $KDATA + 3, %eax
        movl    %eax, %ds
        udone
        ucase   "ring 3 ss of the kernel"
        movl    $KDATA, %eax
        movl    %eax, %ss
        udone
        ucase   "ring 3 ds conforming code"
        movl    $CONFORMING, %eax
        movl    %eax, %ds
        movl    bounds, %eax
        udone
        ucase   "ring 3 call to the kernel"
        lcall   $KCODE, $0
        udone
        ucase   "ring 3 call to conforming code"
        lcall   $CONFORMING, $1f
1:      movl    %cs, %eax
        udone
        ucase   "ring 3 call through a ring 0 gate"
        lcall   $GATE, $0
        udone
        ucase   "ring 3 retf to the kernel"
        pushl   $KCODE
        pushl   $0
        lretl
        udone
        ucase   "ring 3 iret to the kernel"
        pushl   $2
        pushl   $KCODE
        pushl   $0
        iretl
        udone
        ucase   "ring 3 verr and lar of the kernel"
        movl    $KDATA, %ecx
        xorl    %eax, %eax
        verr    %cx
        setz    %al
        larl    %ecx, %edx
        setz    %ah
        udone
        ret

double_faults:
        movw    $0x0e00, idt + 13 * 8 + 4
        kcase   "absent gate of #GP: #NP makes #DF"
        movl    $BEYOND, %eax
        movl    %eax, %ds
        kdone
        movw    $0x8e00, idt + 13 * 8 + 4
        movw    $0x0e00, idt + 6 * 8 + 4
        kcase   "absent gate of #UD: #NP after a benign one"
        ud2
        kdone
        movw    $0x8e00, idt + 6 * 8 + 4
        movw    $0x0e00, idt + 4
        kcase   "absent gate of #DE: #NP makes #DF"
        xorl    %ecx, %ecx
        divl    %ecx
        kdone
        ucase   "the same from ring 3"
        xorl    %ecx, %ecx
        divl    %ecx
        udone
        movw    $0x8e00, idt + 4
        ret

        .data
bounds: .long   -5, 100, 3, 4, 5, 6, 7, 8, 9, 10
far_beyond:
        .long   0
        .word   BEYOND
