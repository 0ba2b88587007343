/**
 * What the kernel needs of the machine: the privileged side of the trap line, declared here and bound to emu/
 * by src/system.ts. Physical addresses are byte addresses; `core` is the core on whose behalf the kernel works.
 */
import type { CostModel } from '../../emu/arch/cost.ts';

export interface MachinePort {
  readonly coreCount: number;
  readonly ramBytes: number;
  readonly costs: CostModel;

  /** Register block of a core: indices of emu/arch/core-layout.ts. The kernel loads and saves contexts in it. */
  registers(core: number): Int32Array;
  /** Float64 view of the same block (CoreF indices); the kernel adds its costs to CYCLES. */
  counters(core: number): Float64Array;
  /** Must be called after the kernel changed registers other than general ones, EIP and EFLAGS. */
  registersChanged(core: number): void;

  read32(pa: number): number;
  write32(pa: number, value: number): void;
  readBytes(pa: number, into: Uint8Array): void;
  writeBytes(pa: number, from: Uint8Array): void;
  zeroFrames(frame: number, count: number): void;
  copyFrames(from: number, to: number, count: number): void;

  /** INVLPG on a core's own TLB (global entries too). */
  invalidatePage(core: number, va: number): void;
  /** Flush as a CR3 load does, or with global entries. */
  flushTlb(core: number, globals: 'keep' | 'drop'): void;
  /** Loads CR3, with the flush of a CR3 load. */
  loadCr3(core: number, pa: number): void;

  /** Writes the ICR of `from`; the interrupt arrives after the cost model's latency. */
  sendIpi(from: number, to: number, vector: number): void;
  endOfInterrupt(core: number): void;
  /** One-shot local APIC timer at an absolute time of that core's clock; a later call replaces it. */
  armTimer(core: number, atCycles: number, vector: number): void;
  disarmTimer(core: number): void;

  /** Has a line of the I/O APIC interrupt a core; it may do so at once. */
  routeLine(line: number, core: number, vector: number, trigger: 'edge' | 'level'): void;
  /** A masked line does not interrupt. A level-triggered one that is active when it is unmasked does so at once. */
  maskLine(line: number): void;
  unmaskLine(line: number): void;

  /** Whether a device will touch one of these base frames, and nothing holds it back. */
  isDmaReachable(frame: number, count: number): boolean;
  /** Lets devices do `access` (READ = 1, WRITE = 2) with base frames, or takes all of that away; without a protection unit nothing. */
  allowDevices(frame: number, count: number, access: number): void;
  denyDevices(frame: number, count: number): void;

  /** Bytes for the console (the guests' own output). */
  consoleWrite(bytes: Uint8Array): void;
  emit(kind: number, core: number, a: number, b: number, c: number, d: number): void;
  /** Ends the run with a status. */
  exit(status: number): void;
}
