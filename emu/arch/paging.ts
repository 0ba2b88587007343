/**
 * Bits of page-directory and page-table entries, control registers and the #PF error code.
 * Source: Intel SDM vol. 3 ch. 4.3 (32-bit paging), 2.5 (control registers), 4.7 (error code).
 *
 *   31                 22 21      12 11 9  8  7  6  5   4   3   2   1   0
 *  | frame number 31..12            | avl | G |PS| D| A |PCD|PWT|U/S|R/W| P |
 *   4 MiB PDE: 31..22 frame, 21..12 reserved (must be 0; 12 would be PAT), PS = 1
 */
export const PTE_P = 1 << 0;
export const PTE_W = 1 << 1;
export const PTE_U = 1 << 2;
export const PTE_PWT = 1 << 3;
export const PTE_PCD = 1 << 4;
export const PTE_A = 1 << 5;
export const PTE_D = 1 << 6;
/** In a PDE: 4 MiB page. */
export const PDE_PS = 1 << 7;
/** In a PTE: PAT, which this machine does not have. With CR4.PSE it must be 0, else #PF with the RSVD bit. */
export const PTE_PAT = 1 << 7;
export const PTE_G = 1 << 8;
/** Three bits that the hardware leaves to software. */
export const PTE_AVL_MASK = 7 << 9;
export const PTE_FRAME_MASK = 0xfffff000;
export const PDE_LARGE_FRAME_MASK = 0xffc00000;
/** Reserved bits of a 4 MiB PDE: set means #PF with the RSVD bit (no PSE-36 and no PAT here). */
export const PDE_LARGE_RESERVED = 0x003ff000;

export const CR0_PE = 1 << 0;
export const CR0_MP = 1 << 1;
export const CR0_EM = 1 << 2;
export const CR0_TS = 1 << 3;
export const CR0_ET = 1 << 4;
export const CR0_NE = 1 << 5;
export const CR0_WP = 1 << 16;
export const CR0_AM = 1 << 18;
export const CR0_NW = 1 << 29;
export const CR0_CD = 1 << 30;
export const CR0_PG = 1 << 31;

export const CR4_TSD = 1 << 2;
export const CR4_DE = 1 << 3;
export const CR4_PSE = 1 << 4;
export const CR4_PGE = 1 << 7;

export const PF_PRESENT = 1 << 0;
export const PF_WRITE = 1 << 1;
export const PF_USER = 1 << 2;
export const PF_RESERVED = 1 << 3;
export const PF_FETCH = 1 << 4;
