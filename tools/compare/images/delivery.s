# Faults while a fault, an interrupt or a gate call is being delivered: bad stacks in the TSS, absent gates, page faults
# on the way. (SDM vol. 3 ch. 6.12-6.15)

        .include "frame.inc"

        .equ    ABSENT, FREE + 8
        .equ    READONLY, FREE + 16
        .equ    GATE, (FREE + 24) | 3
        .equ    CONFORMING, FREE + 32
        .equ    DIRECTORY, 0x00200000
        .equ    LOW_TABLE, 0x00201000
        .equ    TABLE, 0x00202000
        .equ    IDT_TABLE, 0x00203000
        .equ    WINDOW, 0x00400000
        .equ    IDT_WINDOW, 0x00c00000
        .equ    FRAME, 0x00300000
        .equ    P, 1
        .equ    PWU, 7

        .text
run_cases:
        set_gdt ABSENT, $0x0000ffff, $0x00cf1300
        set_gdt READONLY, $0x0000ffff, $0x00cf9100
        set_gdt CONFORMING, $0x0000ffff, $0x00cf9f00
        call    bad_stacks
        call    odd_gates
        call    turn_on
        call    fault_in_delivery
        ret

# The ring 0 stack that a gate call, and then an interrupt, finds in the TSS. A bad one cannot take the exception that
# it causes: the handlers of #TS, #SS and #GP are conforming code here, so they run in ring 3 without a switch. They
# repair the TSS and report vector << 16 | error code.
        .macro  stack_case name, ss, esp
        movl    $\ss, TSS_BASE + 8
        movl    $\esp, TSS_BASE + 4
        ucase   "gate call with \name"
        lcall   $GATE, $0
        udone
        movl    $\ss, TSS_BASE + 8
        movl    $\esp, TSS_BASE + 4
        ucase   "interrupt with \name"
        int     $0x33
        udone
        .endm

        .macro  ring3_handler vector
        set_gate idt+8*\vector, CONFORMING, $1f, 0x8e
        jmp     2f
1:      popl    %eax
        orl     $(\vector << 16), %eax
        movl    $TRAP_STACK, TSS_BASE + 4
        movl    $KDATA, TSS_BASE + 8
        int     $RING3_VECTOR
2:
        .endm

bad_stacks:
        set_gate gdt+(GATE&~7), KCODE, $gate_target, 0xec, 1
        movw    $0xee00, idt + 0x33 * 8 + 4
        ring3_handler 10
        ring3_handler 12
        ring3_handler 13
        stack_case "a null stack", 0, TRAP_STACK
        stack_case "a ring 3 stack", UDATA, TRAP_STACK
        stack_case "rpl 1", KDATA+1, TRAP_STACK
        stack_case "an absent stack", ABSENT, TRAP_STACK
        stack_case "a read-only stack", READONLY, TRAP_STACK
        stack_case "code as stack", KCODE, TRAP_STACK
        stack_case "a selector beyond the table", ENTRIES*8, TRAP_STACK
        stack_case "a good stack", KDATA, TRAP_STACK
        call    make_idt
        ret

gate_target:
        movl    $0x55, %eax
        lretl   $4

odd_gates:
        set_gate gdt+(GATE&~7), KCODE, $gate_target, 0xec, 0
        ucase   "jump through a gate inwards"
        ljmp    $GATE, $0
        udone
        movw    $0xee00, idt + 0x33 * 8 + 4
        movw    $UCODE, idt + 0x33 * 8 + 2
        kcase   "gate to ring 3 code from ring 0"
        int     $0x33
        kdone
        movw    $KCODE, idt + 0x33 * 8 + 2
        ret

turn_on:
        movl    $DIRECTORY, %edi
        xorl    %eax, %eax
        movl    $4 * 1024, %ecx
        rep stosl
        movl    $LOW_TABLE, %edi
        movl    $PWU, %eax
1:      stosl
        addl    $4096, %eax
        cmpl    $0x00400000, %eax
        jb      1b
        movl    $LOW_TABLE + PWU, DIRECTORY
        movl    $TABLE + PWU, DIRECTORY + 4 * (WINDOW >> 22)
        movl    $DIRECTORY, %eax
        movl    %eax, %cr3
        movl    %cr0, %eax
        orl     $0x80000000, %eax
        movl    %eax, %cr0
        ret

# Vectors 0-13 of the IDT lie in one page and the others in the next, which is absent: a page fault cannot be delivered
# and becomes a double fault.
fault_in_delivery:
        movl    $IDT_TABLE + PWU, DIRECTORY + 4 * (IDT_WINDOW >> 22)
        movl    $FRAME + 0x20000 + PWU, IDT_TABLE
        movl    $FRAME + 0x21000 + PWU, IDT_TABLE + 4
        movl    $idt, %esi
        movl    $IDT_WINDOW + 4096 - 14 * 8, %edi
        movl    $ENTRIES * 2, %ecx
        rep movsl
        movl    $IDT_WINDOW + 4096 - 14 * 8, idt_pointer + 2
        lidt    idt_pointer
        andl    $~P, IDT_TABLE + 4
        invlpg  IDT_WINDOW + 4096
        kcase   "page fault whose gate is absent"
        movl    WINDOW + 0x2000, %eax
        kdone
        ucase   "the same from ring 3"
        movl    WINDOW + 0x2000, %eax
        udone
        kcase   "interrupt whose gate is absent"
        int     $0x31
        kdone
        movl    $idt, idt_pointer + 2
        lidt    idt_pointer
        ret
