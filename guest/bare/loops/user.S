/* Ring 3 and the shortest handlers that do the work: what is measured is the trap, not what a kernel adds. */
#define USER_CODE 0x1b
#define USER_DATA 0x23
#define EFLAGS_IOPL_3 0x3002

        .text
/* void enter_user(void (*code)(void), uint32_t count): runs `code` in ring 3 with ECX = count until INT 0x31. */
        .globl  enter_user
enter_user:
        movl    4(%esp), %eax
        movl    8(%esp), %ecx
        pushal
        movl    %esp, kernel_stack
        pushl   %ecx
        pushl   %eax
        pushl   kernel_stack
        call    set_kernel_stack
        addl    $4, %esp
        popl    %eax
        popl    %ecx
        pushl   $USER_DATA
        pushl   $user_stack_top
        pushl   $EFLAGS_IOPL_3
        pushl   $USER_CODE
        pushl   %eax
        iretl

/* INT 0x31: back to the caller of enter_user. */
        .globl  on_leave_user
on_leave_user:
        movl    kernel_stack, %esp
        popal
        ret

/* INT 0x80: a system call that does nothing. */
        .globl  on_null_call
on_null_call:
        iretl

/* #PF in the window: gives the page back, and takes the one before away, so that the next touch faults again. */
        .globl  on_window_fault
on_window_fault:
        pushl   %eax
        pushl   %edx
        movl    %cr2, %edx
        movl    %edx, %eax
        shrl    $12, %eax
        andl    $1023, %eax
        xorl    $1, window_table(, %eax, 4)
        xchgl   last_address, %edx
        movl    %edx, %eax
        shrl    $12, %eax
        andl    $1023, %eax
        xorl    $1, window_table(, %eax, 4)
        invlpg  (%edx)
        popl    %edx
        popl    %eax
        addl    $4, %esp
        iretl

        .globl  user_calls
user_calls:
1:      int     $0x80
        decl    %ecx
        jnz     1b
        int     $0x31

/* Touches 64 pages of the window round and round; each touch faults. */
        .globl  user_faults
user_faults:
        movl    $64, %edx
        movl    window, %edi
1:      movl    (%edi), %eax
        addl    $4096, %edi
        decl    %ecx
        jz      3f
        decl    %edx
        jnz     1b
        jmp     user_faults
3:      int     $0x31

/* uint32_t touch_pages(const void *first, uint32_t count): a load from each page. */
        .globl  touch_pages
touch_pages:
        movl    4(%esp), %edx
        movl    8(%esp), %ecx
1:      movl    (%edx), %eax
        addl    $4096, %edx
        decl    %ecx
        jnz     1b
        ret

        .bss
        .balign 16
        .skip   4096
user_stack_top:
kernel_stack:
        .skip   4

        .section .note.GNU-stack, "", @progbits
