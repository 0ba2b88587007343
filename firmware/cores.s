# Application processors: INIT, SIPI, SIPI to all of them at once (Intel MP specification 1.4 §B.4; SDM vol. 3
# §9.4). Each reports itself and parks; who does not answer within the time is not there.

        .include "layout.inc"

        .equ    ICR_INIT_ALL,    0x000c4500      # all but self, assert
        .equ    ICR_STARTUP_ALL, 0x000c4600 + TRAMPOLINE_PAGE
        .equ    SETTLE_CYCLES,   20000
        .equ    ANSWER_CYCLES,   60000

        .text
        .code32
        .globl  start_cores
start_cores:
        call    lapic_init
        movl    $0x0700, LAPIC_LVT_LINT0        # ExtINT: the 8259 pair, as a kernel without APICs expects
        movl    $0x0400, LAPIC_LVT_LINT1        # NMI
        movl    $0, AP_COUNT
        movl    $0, AP_BITMAP
        movl    $trampoline, %esi
        movl    $TRAMPOLINE, %edi
        movl    $trampoline_end - trampoline, %ecx
        rep movsb
        movl    $ICR_INIT_ALL, LAPIC_ICR
        movl    $SETTLE_CYCLES, %eax
        call    wait_cycles
        movl    $ICR_STARTUP_ALL, LAPIC_ICR
        movl    $SETTLE_CYCLES, %eax
        call    wait_cycles
        movl    $ICR_STARTUP_ALL, LAPIC_ICR
        movl    $ANSWER_CYCLES, %eax
        call    wait_cycles
        jmp     list_cores

# Software-enables the local APIC of this core, spurious vector FF.
lapic_init:
        movl    $0x1ff, LAPIC_SVR
        ret

# Waits EAX cycles by the local APIC timer, which counts with the clock while its interrupt is masked.
wait_cycles:
        movl    $0x00010000, LAPIC_LVT_TIMER
        movl    $0x0b, LAPIC_TIMER_DIVIDE
        movl    %eax, LAPIC_TIMER_COUNT
1:      pause
        cmpl    $0, LAPIC_TIMER_NOW
        jne     1b
        ret

# Boot information: number of cores, and their APIC IDs: this core first, the others in rising order.
list_cores:
        movl    $BOOT_INFO_BASE, %ebx
        call    own_apic_id
        movl    %eax, 8(%ebx)
        movl    %eax, 32(%ebx)
        movl    $1, %ecx
        movl    AP_BITMAP, %edx
1:      testl   %edx, %edx
        jz      2f
        bsfl    %edx, %eax
        btrl    %eax, %edx
        movl    %eax, 32(%ebx, %ecx, 4)
        incl    %ecx
        cmpl    $MAX_CORES, %ecx
        jb      1b
2:      movl    %ecx, 4(%ebx)
        ret

own_apic_id:
        movl    LAPIC_ID, %eax
        shrl    $24, %eax
        ret

        .globl  report_cores
report_cores:
        movl    $text_cores, %esi
        call    print
        movl    BOOT_INFO_BASE + 4, %ecx
        movl    %ecx, %eax
        call    print_decimal
        movl    $text_apic, %esi
        call    print
        movl    $BOOT_INFO_BASE + 32, %ebx
1:      movb    $' ', %al
        call    print_char
        movl    (%ebx), %eax
        call    print_decimal
        addl    $4, %ebx
        loop    1b
        jmp     print_newline

# An application processor in protected mode, without a stack until it knows who it is.
application_entry:
        movw    $SELECTOR_DATA, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %fs
        movw    %ax, %gs
        movw    %ax, %ss
        movl    %cr0, %eax
        andl    $0x9fffffff, %eax
        movl    %eax, %cr0
        lidt    idt_pointer
        movl    LAPIC_ID, %eax
        shrl    $24, %eax
        leal    1(%eax), %esp
        shll    $7, %esp
        addl    $AP_STACKS, %esp
        call    lapic_init
        lock btsl %eax, AP_BITMAP
        lock incl AP_COUNT
        jmp     park

# Copied to TRAMPOLINE; runs in real mode with CS = TRAMPOLINE >> 4, IP = 0.
        .code16
trampoline:
        cli
        cld
        lgdtl   %cs:(trampoline_gdt_pointer - trampoline)
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        ljmpl   $SELECTOR_CODE, $application_entry
        .balign 4
trampoline_gdt_pointer:
        .word   23
        .long   gdt
trampoline_end:

        .section .rodata
text_cores:     .asciz "  cores    "
text_apic:      .asciz " online, apic"
