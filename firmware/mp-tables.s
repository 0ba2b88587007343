# Intel MultiProcessor specification 1.4: floating pointer and configuration table in the extended BIOS data area,
# where a kernel looks first. Processors are those that answered; ISA interrupts 0-15 go to the inputs of the same
# number of one I/O APIC, the 8259 pair to LINT0 (virtual wire).

        .include "layout.inc"

        .equ    MP_POINTER,      EBDA_BASE
        .equ    MP_TABLE,        EBDA_BASE + 16
        .equ    ISA_INTERRUPTS,  16
        # Bus, I/O APIC, the ISA interrupts without number 2, two local interrupts.
        .equ    MP_FIXED_ENTRIES, 1 + 1 + ISA_INTERRUPTS - 1 + 2

        .text
        .code32
        .globl  write_mp_tables
write_mp_tables:
        movl    $mp_header, %esi
        movl    $MP_TABLE, %edi
        movl    $44, %ecx
        rep movsb
        call    add_processors
        movl    $mp_bus, %esi
        movl    $8, %ecx
        rep movsb
        call    add_io_apic
        call    add_isa_interrupts
        movl    $mp_local, %esi
        movl    $16, %ecx
        rep movsb

        movl    %edi, %eax
        subl    $MP_TABLE, %eax
        movw    %ax, MP_TABLE + 4               # length
        movl    BOOT_INFO_BASE + 4, %ecx
        addl    $MP_FIXED_ENTRIES, %ecx
        movw    %cx, MP_TABLE + 34              # entries
        movl    $MP_TABLE, %esi
        movl    %eax, %ecx
        call    checksum
        movb    %al, MP_TABLE + 7

        movl    $mp_pointer, %esi
        movl    $MP_POINTER, %edi
        movl    $16, %ecx
        rep movsb
        movl    $MP_POINTER, %esi
        movl    $16, %ecx
        call    checksum
        movb    %al, MP_POINTER + 10
        ret

# One 20-byte entry per core, at EDI.
add_processors:
        movl    $BOOT_INFO_BASE, %ebx
        movl    $0, %edx
1:      movb    $0, (%edi)                      # processor
        movl    32(%ebx, %edx, 4), %eax
        movb    %al, 1(%edi)                    # local APIC ID
        movb    LAPIC_VERSION, %al
        movb    %al, 2(%edi)
        movb    $1, 3(%edi)                     # usable
        testl   %edx, %edx
        jnz     2f
        movb    $3, 3(%edi)                     # the one that started the others
2:      movl    CPU_SIGNATURE, %eax
        movl    %eax, 4(%edi)
        movl    $0x00000200, 8(%edi)            # features: APIC
        movl    $0, 12(%edi)
        movl    $0, 16(%edi)
        addl    $20, %edi
        incl    %edx
        cmpl    4(%ebx), %edx
        jb      1b
        ret

# The I/O APIC gets the ID that it has in its own register.
add_io_apic:
        movl    $0, IOAPIC_BASE
        movl    IOAPIC_BASE + 0x10, %eax
        shrl    $24, %eax
        movb    $2, (%edi)
        movb    %al, 1(%edi)
        movb    $0x11, 2(%edi)
        movb    $1, 3(%edi)
        movl    $IOAPIC_BASE, 4(%edi)
        addl    $8, %edi
        ret

# ISA interrupt n to input n; number 2 is the cascade of the 8259 pair and has no entry.
add_isa_interrupts:
        movb    -7(%edi), %ah                   # I/O APIC ID, from the entry before
        xorl    %edx, %edx
1:      cmpl    $2, %edx
        je      2f
        movl    $0x00000003, (%edi)             # I/O interrupt, type INT, conforming polarity and trigger
        movb    $0, 4(%edi)                     # bus
        movb    %dl, 5(%edi)
        movb    %ah, 6(%edi)
        movb    %dl, 7(%edi)
        addl    $8, %edi
2:      incl    %edx
        cmpl    $ISA_INTERRUPTS, %edx
        jb      1b
        ret

# AL = the byte that makes the sum of ECX bytes at ESI zero.
checksum:
        xorl    %eax, %eax
1:      subb    (%esi), %al
        incl    %esi
        loop    1b
        ret

        .section .rodata
mp_pointer:
        .ascii  "_MP_"
        .long   MP_TABLE
        .byte   1, 4, 0, 0                      # 16 bytes, version 1.4, checksum, no default configuration
        .long   0
mp_header:
        .ascii  "PCMP"
        .word   0                               # length
        .byte   4, 0                            # version 1.4, checksum
        .ascii  "PHYSMEM "
        .ascii  "machine     "
        .long   0                               # no OEM table
        .word   0
        .word   0                               # entries
        .long   LAPIC_BASE
        .word   0
        .byte   0, 0
mp_bus:
        .byte   1, 0
        .ascii  "ISA   "
mp_local:
        .byte   4, 3, 0, 0, 0, 0, 0xff, 0       # ExtINT to LINT0 of all
        .byte   4, 1, 0, 0, 0, 0, 0xff, 1       # NMI to LINT1 of all
