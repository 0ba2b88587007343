# The power-on self test in the order in which it happens, each step one routine in its own file, and the two ways
# out: hand-over to the attached kernel, or the jump into a bare image.

        .include "layout.inc"

        .text
        .code32
        .globl  main
main:
        call    exceptions_init
        call    serial_init
        post    POST_SERIAL
        movl    $text_banner, %esi
        call    print
        call    report_processor

        post    POST_LOW_MEMORY
        call    check_low_memory
        post    POST_MEMORY
        call    size_memory
        post    POST_E820
        call    write_memory_map
        call    report_memory

        post    POST_CORES
        call    start_cores
        post    POST_MP_TABLES
        call    write_mp_tables
        call    report_cores

        movl    $1, %eax                        # boot mode
        call    read_config
        cmpl    $BOOT_BARE, %eax
        je      bare

        post    POST_MODULES
        call    load_modules
        movl    $text_hand_over, %esi
        call    print
        post    POST_HAND_OVER
        movb    $1, %al
        movw    $PORT_HAND_OVER, %dx
        outb    %al, %dx

# Nobody took over, or the kernel lets this core rest.
        .globl  park
park:
        cli
        hlt
        jmp     park

# Multiboot 0.6.96 §3.2: EAX magic, EBX information structure, flat segments, paging off, interrupts off.
bare:
        movl    $text_bare, %esi
        call    print
        movl    $2, %eax                        # entry point
        call    read_config
        movl    %eax, %edi
        call    print_hex32
        call    print_newline
        movl    $4, %eax                        # multiboot information
        call    read_config
        movl    %eax, %ebx
        post    POST_BARE_JUMP
        movl    $0x2badb002, %eax
        jmp     *%edi

# EAX = configuration word of selector EAX. Changes EDX.
        .globl  read_config
read_config:
        pushl   %ebx
        movw    $PORT_CONFIG_SELECT, %dx
        outw    %ax, %dx
        movw    $PORT_CONFIG_DATA, %dx
        movl    $4, %ecx
1:      inb     %dx, %al
        movb    %al, %bl
        rorl    $8, %ebx
        loop    1b
        movl    %ebx, %eax
        popl    %ebx
        ret

report_processor:
        movl    $text_cpu, %esi
        call    print
        movl    CPU_SIGNATURE, %ebx
        movl    %ebx, %eax
        shrl    $8, %eax
        andl    $15, %eax
        call    print_decimal
        movl    $text_model, %esi
        call    print
        movl    %ebx, %eax
        shrl    $4, %eax
        andl    $15, %eax
        call    print_decimal
        movl    $text_stepping, %esi
        call    print
        movl    %ebx, %eax
        andl    $15, %eax
        call    print_decimal
        jmp     print_newline

        .section .rodata
text_banner:    .asciz "physmem firmware 1.0\n"
text_cpu:       .asciz "  cpu      family "
text_model:     .asciz " model "
text_stepping:  .asciz " stepping "
text_hand_over: .asciz "  start    kernel\n"
text_bare:      .asciz "  start    image at "
