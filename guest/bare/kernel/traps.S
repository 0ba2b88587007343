/* One entry per vector. All make the same frame (struct trap in cpu.h): exceptions without an error code push a 0 in
 * its place. on_trap returns the frame to go on with, so changing threads is returning another one's frame. */
#define VECTORS 0x50

        .text
        .altmacro
        .macro  ENTRY vector
entry_\vector:
        .if     \vector != 8 && (\vector < 10 || \vector > 14) && \vector != 17
        pushl   $0
        .endif
        pushl   $\vector
        jmp     common
        .endm

        .set    n, 0
        .rept   VECTORS
        ENTRY   %n
        .set    n, n + 1
        .endr

common: pushal
        cld
        pushl   %esp
        call    on_trap
        movl    %eax, %esp
        popal
        addl    $8, %esp
        iretl

/* void resume(struct trap *frame): the first time that a thread runs. */
        .globl  resume
resume: movl    4(%esp), %esp
        popal
        addl    $8, %esp
        iretl

        .section .rodata
        .balign 4
        .globl  trap_entries
trap_entries:
        .macro  ADDRESS vector
        .long   entry_\vector
        .endm
        .set    n, 0
        .rept   VECTORS
        ADDRESS %n
        .set    n, n + 1
        .endr

        .section .note.GNU-stack, "", @progbits
