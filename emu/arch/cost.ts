/**
 * The published cost model: emulated cycles that each event takes (machine.md §4). One plain table, replaceable
 * in a scenario; sensitivity runs scale it by ½ and 2. Values are round figures of the Pentium III to Nehalem
 * range, so that ratios are plausible; they are not a claim about one processor.
 */
export interface CostModel {
  /** Every instruction, before what is below. */
  readonly instruction: number;
  /** TLB miss: the walk of both levels, memory reads included. */
  readonly pageWalk: number;
  /** Setting an A or D bit with a locked update. */
  readonly lockedUpdate: number;
  /** INVLPG of one page. */
  readonly invlpg: number;
  /** CR3 load or full flush, without the refills that follow. */
  readonly tlbFlush: number;
  /** Trap or interrupt entry, and the return. */
  readonly trapEntry: number;
  readonly trapReturn: number;
  /** Writing the ICR; the time until the target sees the interrupt. */
  readonly ipiSend: number;
  readonly ipiDeliver: number;
  /** One I/O port access. */
  readonly portAccess: number;
  /** Access of device memory. */
  readonly mmioAccess: number;
  /** Disk: from the command to its first sector, and each sector after that. */
  readonly diskCommand: number;
  readonly diskSector: number;
  /** One transfer of the 8237, a byte or a word. */
  readonly dmaTransfer: number;
  /** Copying and zeroing one 4 KiB frame. */
  readonly copyFrame: number;
  readonly zeroFrame: number;
  /** Kernel: one system call, one IPC transfer per word, one context switch. */
  readonly syscall: number;
  readonly ipcWord: number;
  readonly contextSwitch: number;
  /** physmem: decoding one request; one entry, frame or page-table entry touched. */
  readonly serverRequest: number;
  readonly serverStep: number;
  readonly pteWrite: number;
}

export const DEFAULT_COSTS: CostModel = {
  instruction: 1,
  pageWalk: 30,
  lockedUpdate: 20,
  invlpg: 100,
  tlbFlush: 100,
  trapEntry: 100,
  trapReturn: 80,
  ipiSend: 500,
  ipiDeliver: 1000,
  portAccess: 200,
  mmioAccess: 50,
  diskCommand: 10_000,
  diskSector: 2000,
  dmaTransfer: 2,
  copyFrame: 1000,
  zeroFrame: 500,
  syscall: 50,
  ipcWord: 2,
  contextSwitch: 200,
  serverRequest: 150,
  serverStep: 20,
  pteWrite: 10,
};
