/* Entry points. The first thread starts here on the boot stack; it leaves that stack to the thread that will run
 * main (start.c) and works on a small one of its own. */
#include "abi.h"

        .text
        .globl  _start
_start:
        xorl    %ebp, %ebp
        movl    $init_stack_top, %esp
        call    start
        /* start does not return */

/* Threads begin here with function and argument on their stack. */
        .globl  thread_entry
thread_entry:
        xorl    %ebp, %ebp
        popl    %eax
        call    *%eax
        movl    $SYS_THREAD_EXIT, %eax
        int     $SYSCALL_VECTOR
        ud2

        .bss
        .balign 16
        .skip   1024
init_stack_top:

        .section .note.GNU-stack, "", @progbits
