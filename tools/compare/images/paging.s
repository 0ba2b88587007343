# Paging as software sees it: which accesses fault with which error code and CR2, which A and D bits appear, what WP,
# PSE, PGE and INVLPG do. (SDM vol. 3 ch. 4.) Reserved bits are not here: the references have PSE-36.

        .include "frame.inc"

        .equ    DIRECTORY, 0x00200000
        .equ    LOW_TABLE, 0x00201000           # identity, user, writable
        .equ    TABLE, 0x00202000               # the window under test
        .equ    WINDOW, 0x00400000
        .equ    LARGE, 0x00800000
        .equ    FRAME, 0x00300000
        .equ    P, 1
        .equ    W, 2
        .equ    U, 4
        .equ    PS, 0x80
        .equ    G, 0x100
        .equ    PWU, 7
        .equ    CR0_WP, 0x10000

# Page `page` of the window gets the entry; its translation is dropped.
        .macro  set_pte page, entry
        movl    $(\entry), TABLE + 4 * (\page)
        invlpg  WINDOW + 4096 * (\page)
        .endm

        .macro  set_pde address, entry
        movl    $(\entry), DIRECTORY + ((\address) >> 22) * 4
        movl    %cr3, %eax
        movl    %eax, %cr3
        .endm

# Low bits of the page's entry.
        .macro  show_page page
        say     "  pte="
        movl    TABLE + 4 * (\page), %eax
        andl    $0xfff, %eax
        call    print_hex
        say     "\n"
        .endm

# And of its directory entry. Not after a fault: whether A is set there is up to the processor.
        .macro  show_bits page
        say     "  pde="
        movl    DIRECTORY + 4 * (WINDOW >> 22), %eax
        andl    $0xfff, %eax
        call    print_hex
        show_page \page
        .endm

        .text
run_cases:
        call    turn_on
        call    single_pages
        call    matrix
        call    crossing
        call    read_modify_write
        call    strings
        call    large_pages
        call    stale_entries
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

single_pages:
        set_pte 0, FRAME + P + W
        kcase   "read sets A"
        movl    $0x11223344, FRAME
        movl    WINDOW, %eax
        kdone
        show_bits 0
        kcase   "write sets D"
        movl    $0x55667788, WINDOW
        movl    FRAME, %eax
        kdone
        show_bits 0
        set_pte 1, FRAME + P + W
        kcase   "first a write"
        movl    %eax, WINDOW + 4096
        movl    $1, %eax
        kdone
        show_bits 1
        set_pte 2, FRAME + W + U
        kcase   "read of an absent page"
        movl    WINDOW + 0x2123, %eax
        kdone
        show_page 2
        kcase   "write to an absent page"
        movl    %eax, WINDOW + 0x2ffc
        kdone
        ucase   "ring 3 read of an absent page"
        movl    WINDOW + 0x2123, %eax
        udone
        ucase   "ring 3 write to an absent page"
        movb    %al, WINDOW + 0x2fff
        udone
        ucase   "ring 3 read of an absent table"
        movl    LARGE, %eax
        udone
        kcase   "write to an absent table"
        movl    %eax, LARGE + 4
        kdone
        kcase   "jump to an absent page"
        movl    $WINDOW + 0x2010, %eax
        jmp     *%eax
        kdone
        ucase   "ring 3 jump to an absent page"
        movl    $WINDOW + 0x2010, %eax
        jmp     *%eax
        udone
        ucase   "ring 3 jump to a supervisor page"
        movl    $WINDOW, %eax
        jmp     *%eax
        udone
        ucase   "ring 3 push to a supervisor page"
        movl    $WINDOW + 16, %esp
        pushl   %eax
        udone
        ucase   "ring 3 loads a segment through a supervisor table"
        movl    $UDATA, %eax
        movl    %eax, %es
        udone
        ret

# All combinations of U and W in both levels, of WP, ring and access: bit 0 W and 1 U of the page, 2 W and 3 U of the
# directory, 4 WP, 5 ring 3, 6 write.
matrix:
        movl    $0, combination
1:      movl    combination, %ebx
        movl    %ebx, %eax
        call    print_hex
        say     " "
        movl    %ebx, %eax
        andl    $3, %eax
        leal    FRAME + P(, %eax, 2), %eax
        movl    %eax, TABLE + 12
        movl    %ebx, %eax
        shrl    $2, %eax
        andl    $3, %eax
        leal    TABLE + P(, %eax, 2), %eax
        movl    %eax, DIRECTORY + 4 * (WINDOW >> 22)
        movl    %cr0, %eax
        andl    $~CR0_WP, %eax
        testl   $16, %ebx
        jz      2f
        orl     $CR0_WP, %eax
2:      movl    %eax, %cr0
        movl    %cr3, %eax
        movl    %eax, %cr3
        movl    %esp, resume_esp
        movl    $9f, resume_eip
        movl    $WINDOW + 0x3010, %esi
        testl   $32, %ebx
        jnz     4f
        testl   $64, %ebx
        jnz     3f
        movl    (%esi), %eax
        movl    $0, %eax
        call    report_ok
        jmp     9f
3:      movl    $0x77, (%esi)
        movl    $1, %eax
        call    report_ok
        jmp     9f
4:      movl    $UDATA, %eax
        movw    %ax, %ds
        pushl   $UDATA
        pushl   $USER_STACK
        pushl   $2
        pushl   $UCODE
        pushl   $5f
        testl   $64, %ebx
        jz      6f
        movl    $7f, (%esp)
6:      iretl
5:      movl    (%esi), %eax
        movl    $0, %eax
        int     $RING3_VECTOR
7:      movl    $0x77, (%esi)
        movl    $1, %eax
        int     $RING3_VECTOR
9:      call    load_data_segments
        show_page 3
        incl    combination
        cmpl    $128, combination
        jb      1b
        movl    $TABLE + PWU, DIRECTORY + 4 * (WINDOW >> 22)
        movl    %cr0, %eax
        andl    $~CR0_WP, %eax
        movl    %eax, %cr0
        movl    %cr3, %eax
        movl    %eax, %cr3
        ret

crossing:
        set_pte 4, FRAME + 0x4000 + PWU
        set_pte 5, 0
        movl    $0x01020304, FRAME + 0x4ffc
        kcase   "read across into an absent page"
        movl    WINDOW + 0x4ffe, %eax
        kdone
        kcase   "write across into an absent page"
        movl    $-1, WINDOW + 0x4ffd
        kdone
        kcase   "and the first part is as it was"
        movl    FRAME + 0x4ffc, %eax
        kdone
        kcase   "write across from an absent page"
        set_pte 6, FRAME + 0x6000 + PWU
        movl    $-1, WINDOW + 0x5fff
        kdone
        show_page 6
        set_pte 5, FRAME + 0x8000 + PWU
        kcase   "write across two frames"
        movl    $0xaabbccdd, WINDOW + 0x4fff
        movl    FRAME + 0x4ffc, %eax
        xorl    FRAME + 0x8000, %eax
        kdone
        show_bits 4
        show_bits 5
        set_pte 7, 0
        kcase   "code across into an absent page"
        set_pte 6, FRAME + 0x6000 + PWU
        movw    $0xb890, FRAME + 0x6ffe         # nop; mov imm32, %eax
        movl    $WINDOW + 0x6ffe, %eax
        jmp     *%eax
        kdone
        kcase   "far pointer across into an absent page"
        lesl    WINDOW + 0x6ffc, %eax
        kdone
        ret

read_modify_write:
        movl    %cr0, %eax
        orl     $CR0_WP, %eax
        movl    %eax, %cr0
        set_pte 8, FRAME + 0x9000 + P + U
        movl    $0x80, FRAME + 0x9000
        kcase   "add to a read-only page"
        addl    $1, WINDOW + 0x8000
        kdone
        kcase   "compare with a read-only page"
        cmpl    $0x80, WINDOW + 0x8000
        setz    %al
        movzbl  %al, %eax
        kdone
        kcase   "cmpxchg that does not match writes all the same"
        xorl    %eax, %eax
        movl    $5, %ecx
        lock cmpxchgl %ecx, WINDOW + 0x8000
        kdone
        kcase   "xchg with a read-only page"
        xchgl   %eax, WINDOW + 0x8000
        kdone
        kcase   "bt reads, bts writes"
        btl     $7, WINDOW + 0x8000
        btsl    $7, WINDOW + 0x8000
        kdone
        kcase   "bit string far away"
        movl    $-32 * 1024 * 9, %eax
        btsl    %eax, WINDOW + 0x8000 + 4096 * 9
        kdone
        kcase   "shift by zero writes all the same"
        xorl    %ecx, %ecx
        shll    %cl, WINDOW + 0x8000
        kdone
        kcase   "push to a read-only page"
        movl    $WINDOW + 0x8010, %esp
        set_pte 9, FRAME + 0xa000 + PWU
        movl    $1, %eax
        movl    resume_esp, %esp
        kdone
        movl    %cr0, %eax
        andl    $~CR0_WP, %eax
        movl    %eax, %cr0
        ucase   "ring 3 call to a read-only stack"
        movl    $WINDOW + 0x8010, %esp
        call    1f
1:      udone
        ucase   "ring 3 pusha across a page end"
        movl    $WINDOW + 0x9008, %esp
        pushal
        udone
        ucase   "ring 3 enter on a read-only stack"
        movl    $WINDOW + 0x8800, %esp
        enter   $16, $0
        udone
        ret

# A hook that adds the registers of a string instruction.
show_string:
        say     "  ecx="
        movl    24(%esp), %eax
        call    print_hex
        say     " esi="
        movl    4(%esp), %eax
        call    print_hex
        say     " edi="
        movl    (%esp), %eax
        call    print_hex
        say     "\n"
        jmp     resume

strings:
        movl    $show_string, trap_hook
        set_pte 10, FRAME + 0xb000 + PWU
        set_pte 11, 0
        set_pte 12, FRAME + 0xc000 + PWU
        kcase   "rep movs until the destination is absent"
        movl    $FRAME, %esi
        movl    $WINDOW + 0xafe0, %edi
        movl    $100, %ecx
        rep movsl
        kdone
        kcase   "rep movs downwards until the source is absent"
        std
        movl    $WINDOW + 0xc008, %esi
        movl    $FRAME + 0xd000, %edi
        movl    $100, %ecx
        rep movsl
        kdone
        cld
        kcase   "rep stos bytes"
        movl    $WINDOW + 0xaffa, %edi
        movl    $50, %ecx
        rep stosb
        kdone
        kcase   "repe scas across"
        movl    $WINDOW + 0xafff, %edi
        movb    FRAME + 0xbfff, %al
        movl    $50, %ecx
        repe scasb
        kdone
        kcase   "rep lods words across, unaligned"
        movl    $WINDOW + 0xaff9, %esi
        movl    $50, %ecx
        rep lodsw
        kdone
        kcase   "rep with count zero touches nothing"
        movl    $WINDOW + 0xb000, %edi
        xorl    %ecx, %ecx
        rep stosl
        movl    %edi, %eax
        kdone
        ucase   "ring 3 rep movs"
        movl    $WINDOW + 0xaff0, %esi
        movl    $WINDOW + 0xc000, %edi
        movl    $20, %ecx
        rep movsb
        udone
        movl    $0, trap_hook
        ret

large_pages:
        movl    %cr4, %eax
        orl     $0x10, %eax
        movl    %eax, %cr4
        set_pde LARGE, 0x00400000 + P + W + PS
        kcase   "large page"
        movl    $0x600dcafe, LARGE + 0x3ffffc
        movl    LARGE + 0x3ffffc, %eax
        kdone
        say     "  pde="
        movl    DIRECTORY + 4 * (LARGE >> 22), %eax
        call    print_hex
        say     "\n"
        ucase   "ring 3 read of a supervisor large page"
        movl    LARGE + 0x12345, %eax
        udone
        set_pde LARGE, 0x00400000 + P + U + PS
        ucase   "ring 3 read of a large page"
        movl    LARGE + 0x3ffffc, %eax
        udone
        say     "  pde="
        movl    DIRECTORY + 4 * (LARGE >> 22), %eax
        call    print_hex
        say     "\n"
        ucase   "ring 3 write to a read-only large page"
        movl    %eax, LARGE + 0x3ffffc
        udone
        kcase   "large and small page see the same frame"
        set_pte 13, 0x00400000 + 0x3ff000 + PWU
        movl    WINDOW + 0xdffc, %eax
        kdone
        kcase   "without PSE the bit means nothing"
        movl    $0x00500000, %edi               # a table for it: every page is frame 0x600000
        movl    $0x00600000 + PWU, %eax
        movl    $1024, %ecx
        call    fill_through_large
        movl    %cr4, %eax
        andl    $~0x10, %eax
        movl    %eax, %cr4
        set_pde LARGE, 0x00500000 + PWU + PS
        movl    $0x1234, LARGE + 0x7010
        movl    LARGE + 0x345010, %eax
        kdone
        set_pde LARGE, 0
        ret

# Writes ECX words EAX at physical EDI (above the identity map) through a large page that is there for the moment.
fill_through_large:
        pushl   DIRECTORY + 4 * (LARGE >> 22)
        movl    $0x00400000 + P + W + PS, DIRECTORY + 4 * (LARGE >> 22)
        pushl   %eax
        movl    %cr3, %eax
        movl    %eax, %cr3
        popl    %eax
        addl    $LARGE - 0x00400000, %edi
        rep stosl
        popl    DIRECTORY + 4 * (LARGE >> 22)
        movl    %cr3, %eax
        movl    %eax, %cr3
        ret

stale_entries:
        movl    $0x01dd, FRAME + 0xe000
        movl    $0x0e33, FRAME + 0xf000
        set_pte 14, FRAME + 0xe000 + PWU
        kcase   "a changed entry is not seen before invlpg"
        movl    WINDOW + 0xe000, %eax
        movl    $FRAME + 0xf000 + PWU, TABLE + 4 * 14
        movl    WINDOW + 0xe000, %eax
        kdone
        kcase   "but after it"
        invlpg  WINDOW + 0xe123
        movl    WINDOW + 0xe000, %eax
        kdone
        kcase   "a CR3 load drops it too"
        movl    $FRAME + 0xe000 + PWU, TABLE + 4 * 14
        movl    %cr3, %eax
        movl    %eax, %cr3
        movl    WINDOW + 0xe000, %eax
        kdone
        movl    %cr4, %eax
        orl     $0x80, %eax
        movl    %eax, %cr4
        set_pte 15, FRAME + 0xe000 + PWU + G
        kcase   "a global entry survives a CR3 load"
        movl    WINDOW + 0xf000, %eax
        movl    $FRAME + 0xf000 + PWU, TABLE + 4 * 15
        movl    %cr3, %eax
        movl    %eax, %cr3
        movl    WINDOW + 0xf000, %eax
        kdone
        kcase   "but not an invlpg"
        invlpg  WINDOW + 0xf000
        movl    WINDOW + 0xf000, %eax
        kdone
        set_pte 15, FRAME + 0xe000 + PWU + G
        kcase   "nor a change of PGE"
        movl    WINDOW + 0xf000, %eax
        movl    $FRAME + 0xf000 + PWU, TABLE + 4 * 15
        movl    %cr4, %eax
        andl    $~0x80, %eax
        movl    %eax, %cr4
        movl    WINDOW + 0xf000, %eax
        kdone
        kcase   "a present entry needs no invlpg"
        movl    $FRAME + 0xe000 + PWU, TABLE + 4 * 16
        movl    WINDOW + 0x10000, %eax
        kdone
        ret

        .data
combination:
        .long   0
