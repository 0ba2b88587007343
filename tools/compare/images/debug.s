# Single step and debug registers. (SDM vol. 3 ch. 17.2-17.3) Each trap prints DR6's B0-B3, BD, BS and BT and clears DR6.

        .include "frame.inc"

        .equ    TF, 0x100
        .equ    BUFFER, 0x00300000

        .text
run_cases:
        xorl    %eax, %eax
        movl    %eax, %dr6
        call    single_step
        call    breakpoints
        ret

# A hook that goes on with the program until `steps` traps have come; then the case ends.
step_on:
        xorl    %eax, %eax
        movl    %eax, %dr6
        decl    steps
        jz      1f
        testb   $3, 44(%esp)
        jz      2f
        movl    $UDATA, %eax
        movl    %eax, %ds
        movl    %eax, %es
2:      popal
        addl    $8, %esp
        iretl
1:      xorl    %eax, %eax
        movl    %eax, %dr7
        jmp     resume

        .macro  step_case name, count
        movl    $\count, steps
        kcase   "\name"
        pushl   $TF | 2
        popfl
        .endm

        .macro  user_step_case name, count
        movl    $\count, steps
        ucase   "\name", TF|2
        .endm

single_step:
        movl    $step_on, trap_hook
        step_case "after one instruction", 1
        nop
        nop
        kdone
        step_case "four in a row", 4
        movl    $3, %ecx
1:      decl    %ecx
        jnz     1b
        nop
        nop
        kdone
        step_case "each repetition of a string instruction", 5
        movl    $3, %ecx
        movl    $BUFFER, %edi
        rep stosb
        nop
        nop
        kdone
        step_case "not after mov ss", 2
        movl    $KDATA, %eax
        movl    %eax, %ss
        nop
        nop
        kdone
        step_case "pushf shows TF", 2
        pushfl
        popl    %eax
        nop
        kdone
        step_case "popf ends it after itself", 2
        pushl   $2
        popfl
        nop
        movl    steps, %eax
        kdone
        step_case "an interrupt handler is not stepped", 2
        nop
        int     $RING3_VECTOR
        kdone
        step_case "a fault comes before the step", 1
        ud2
        kdone
        step_case "a jump", 2
        jmp     1f
        ud2
1:      nop
        nop
        kdone
        step_case "call and ret", 3
        call    1f
        nop
        nop
        jmp     2f
1:      ret
2:      kdone
        user_step_case "ring 3, three steps", 3
        movl    $1, %eax
        addl    $2, %eax
        nop
        nop
        udone
        user_step_case "ring 3, iret ends it", 5
        pushl   $2
        pushl   $UCODE
        pushl   $1f
        iretl
1:      nop
        udone
        kcase   "icebp"
        movl    $1, steps
        .byte   0xf1
        kdone
        movl    $1, steps
        ucase   "ring 3 icebp"
        .byte   0xf1
        udone
        ret

# Breakpoint `n` at `address`: type 0 execute, 1 write, 3 read or write; length 0, 1, 3 for 1, 2, 4 bytes.
        .macro  arm which, address, type, length
        movl    $\address, %eax
        movl    %eax, %dr\which
        movl    $(1 << (2*\which)) | (\type << (16+4*\which)) | (\length << (18+4*\which)), %eax
        movl    %eax, %dr7
        .endm

breakpoints:
        movl    $1, steps
        kcase   "execution"
        arm     0, 1f, 0, 0
        nop
1:      movl    $5, %eax
        kdone
        movl    $1, steps
        kcase   "execution in the middle of an instruction does not count"
        arm     0, 1f+1, 0, 0
        nop
1:      movl    $5, %eax
        xorl    %ecx, %ecx
        movl    %ecx, %dr7
        kdone
        movl    $1, steps
        kcase   "write"
        arm     1, BUFFER, 1, 3
        movl    %eax, BUFFER
        nop
        kdone
        movl    $1, steps
        kcase   "read does not trigger a write breakpoint"
        arm     1, BUFFER, 1, 3
        movl    BUFFER, %eax
        xorl    %eax, %eax
        movl    %eax, %dr7
        kdone
        movl    $1, steps
        kcase   "read"
        arm     2, BUFFER+4, 3, 1
        movb    BUFFER + 5, %al
        nop
        kdone
        movl    $1, steps
        kcase   "overlap from below"
        arm     3, BUFFER+8, 3, 0
        movl    BUFFER + 5, %eax
        nop
        kdone
        movl    $1, steps
        kcase   "the byte before is not hit"
        arm     3, BUFFER+8, 3, 0
        movl    BUFFER + 4, %eax
        xorl    %eax, %eax
        movl    %eax, %dr7
        kdone
        movl    $1, steps
        kcase   "push hits the stack"
        arm     0, KERNEL_STACK-64, 1, 3
        movl    $KERNEL_STACK - 60, %esp
        pushl   %eax
        nop
        kdone
        movl    $1, steps
        kcase   "repeated string stops where it hits"
        arm     1, BUFFER+16, 1, 3
        movl    $BUFFER, %edi
        movl    $20, %ecx
        rep stosl
        nop
        kdone
        movl    $1, steps
        arm     1, BUFFER+16, 1, 3
        ucase   "ring 3 write"
        movl    %eax, BUFFER + 16
        nop
        udone
        movl    $1, steps
        kcase   "access to debug registers with GD"
        movl    $0x2000, %eax
        movl    %eax, %dr7
        movl    %dr0, %eax
        kdone
        kcase   "dr4 is dr6 without CR4.DE"
        xorl    %eax, %eax
        movl    %eax, %dr7
        movl    %dr4, %eax
        movl    %dr6, %ecx
        xorl    %ecx, %eax
        kdone
        movl    $1, steps
        kcase   "dr5 does not exist with CR4.DE"
        movl    %cr4, %eax
        orl     $8, %eax
        movl    %eax, %cr4
        .byte   0x0f, 0x21, 0xe8
        kdone
        kcase   "what dr6 and dr7 keep"
        movl    $-1, %eax
        movl    %eax, %dr6
        movl    $0x00000000, %eax
        movl    %eax, %dr7
        movl    %dr7, %eax
        movl    %dr6, %ecx
        xorl    %ecx, %eax
        kdone
        ret

        .data
steps:  .long   0
