/**
 * Layout of one core's architectural state: a block of CORE_BLOCK_BYTES in the shared buffer, seen as an
 * Int32Array `r` (indices below) and a Float64Array `f` (indices in CoreF). Every engine works on this block, the
 * kernel loads and saves contexts in it, a snapshot is a copy of it.
 *
 *   words   0..  7  eax ecx edx ebx esp ebp esi edi          (the encoding order of ModRM)
 *           8.. 15  eip, eflags, lazy flags (engine private between slices: materialised in EFLAGS at exit)
 *          16.. 31  control and debug registers
 *          32.. 63  segment registers with their hidden parts, in the order ES CS SS DS FS GS LDTR TR
 *          64.. 67  GDTR, IDTR
 *          68.. 95  CPL, run state, interrupt shadow, attention, fault and exit details, chain of nested exceptions
 *          96..127  counters (Float64 view, 16 doubles)
 *         128..255  free for the engine's scratch; not architectural; zero in a snapshot
 */
export const CORE_BLOCK_WORDS = 256;
export const CORE_BLOCK_BYTES = CORE_BLOCK_WORDS * 4;

export enum R {
  EAX = 0,
  ECX = 1,
  EDX = 2,
  EBX = 3,
  ESP = 4,
  EBP = 5,
  ESI = 6,
  EDI = 7,
  EIP = 8,
  /** Complete and exact whenever no engine is running. */
  EFLAGS = 9,
  CC_OP = 10,
  CC_DST = 11,
  CC_SRC = 12,
  CC_MASK = 13,
  CC_AUX = 14,
  CR0 = 16,
  CR2 = 18,
  CR3 = 19,
  CR4 = 20,
  DR0 = 24,
  DR1 = 25,
  DR2 = 26,
  DR3 = 27,
  DR6 = 30,
  DR7 = 31,
  /** Selectors: SEL + segment index (Seg). */
  SEL = 32,
  /** Hidden bases: linear address of byte 0 of the segment. */
  BASE = 40,
  /** Hidden limits in bytes (granularity already applied), unsigned in an int32. */
  LIMIT = 48,
  /** Hidden attributes: the high descriptor word's bits 8..23 in place (type, S, DPL, P, AVL, D/B, G); 0 = unusable. */
  ATTR = 56,
  GDT_BASE = 64,
  GDT_LIMIT = 65,
  IDT_BASE = 66,
  IDT_LIMIT = 67,
  CPL = 68,
  /** RunState of the core. */
  RUN_STATE = 69,
  /** What is held off for one instruction, SHADOW_* bits: 0 = nothing. */
  SHADOW = 70,
  /** Nonzero = something outside wants the core: bits of Attention. The engine looks before every instruction
   *  that could observe it (at least: at the slice start, after STI/POPF/IRET/CLI-to-STI and after port or MMIO writes). */
  ATTENTION = 71,
  /** Last exception: vector, error code; EIP_FAULT is the address of the instruction that raised it. */
  FAULT_VECTOR = 72,
  FAULT_ERROR = 73,
  FAULT_EIP = 74,
  /** Details of the last exit (see Exit): vector of the trap, software-interrupt flag. */
  EXIT_VECTOR = 75,
  EXIT_SOFT = 76,
  /** SIPI start page while RUN_STATE is WaitSipi and a SIPI has come, else -1. */
  SIPI_VECTOR = 77,
  A20_MASK = 78,
  /** Number of records in the chain of nested exceptions; see CHAIN_MAX. */
  CHAIN_LENGTH = 79,
  CHAIN = 80,
  /** 1 = an NMI was delivered and no IRET was executed since: the next NMI waits (SDM vol. 3 §6.7.1). */
  NMI_BLOCKED = 92,
  /** Hits of data breakpoints that wait for the end of a shadow, as DR6 bits. */
  DEBUG_PENDING = 93,
}

/** Bits of R.SHADOW: interrupts wait (STI, MOV SS, POP SS); debug exceptions wait too (MOV SS, POP SS). */
export const SHADOW_INTERRUPTS = 1;
export const SHADOW_DEBUG = 2;

export enum Seg {
  ES = 0,
  CS = 1,
  SS = 2,
  DS = 3,
  FS = 4,
  GS = 5,
  LDTR = 6,
  TR = 7,
}

/** Indices into the Float64 view of the block (`f[i]` is words 2i, 2i+1). */
export enum CoreF {
  /** Instructions completed since reset; a REP string instruction counts one per iteration. */
  INSTRUCTIONS = 48,
  /** The core's local time in cycles: never decreases. Exact whenever an engine calls out (port, device memory,
   *  interrupt acknowledge), and read again afterwards: a device may add to it. */
  CYCLES = 49,
  TLB_MISSES = 50,
  PAGE_WALKS = 51,
  TRAPS = 52,
  INTERRUPTS = 53,
  /** TSC = CYCLES + this; set by WRMSR. */
  TSC_OFFSET = 54,
  /** Instructions that raised an exception instead of completing: INSTRUCTIONS + FAULTED is the budget that was used. */
  FAULTED = 55,
}

/**
 * The exceptions of the last event whose delivery failed, in order, for the explanation of a shutdown: the event itself,
 * each exception that its delivery raised, and the double fault where two became one. R.CHAIN_LENGTH records of
 * CHAIN_WORDS words (vector | error code << 8, CR2) from R.CHAIN on; one too many replaces the last.
 */
export const CHAIN_MAX = 5;
export const CHAIN_WORDS = 2;

export enum RunState {
  Running = 0,
  Halted = 1,
  WaitSipi = 2,
  Shutdown = 3,
}

/** Bits of R.ATTENTION. */
export enum Attention {
  /** The local APIC has an interrupt above the processor priority (taken when IF = 1 and no shadow). */
  Interrupt = 1,
  Nmi = 2,
  /** The host wants the slice to end as soon as the current instruction is complete. */
  Stop = 4,
  Init = 8,
}

/** EFLAGS bits (SDM vol. 1 fig. 3-8). */
export enum Flag {
  CF = 1 << 0,
  ONE = 1 << 1,
  PF = 1 << 2,
  AF = 1 << 4,
  ZF = 1 << 6,
  SF = 1 << 7,
  TF = 1 << 8,
  IF = 1 << 9,
  DF = 1 << 10,
  OF = 1 << 11,
  IOPL = 3 << 12,
  NT = 1 << 14,
  RF = 1 << 16,
  VM = 1 << 17,
  AC = 1 << 18,
  VIF = 1 << 19,
  VIP = 1 << 20,
  ID = 1 << 21,
}
