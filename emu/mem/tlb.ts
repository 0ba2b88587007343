/**
 * The architectural TLB of every core (SDM vol. 3 §4.10): finite, set-associative, and the only one. An entry stays
 * until it is replaced or invalidated, whatever happens to the page table; the flat tables are a subset of it.
 */
import type { EventPort } from '../arch/ports.ts';
import type { SharedMemory } from './memory.ts';

export interface TlbEntryView {
  readonly index: number;
  readonly side: 'data' | 'instr';
  readonly va: number;
  readonly pa: number;
  readonly sizeBytes: number;
  readonly writable: boolean;
  readonly user: boolean;
  readonly dirty: boolean;
  readonly global: boolean;
  /** The page table in RAM now says something else (A and D ignored). */
  readonly stale: boolean;
}

export class Tlb {
  constructor(
    readonly memory: SharedMemory,
    readonly events: EventPort,
  ) {}
  /** INVLPG: removes the translation of `va` on `core`, global or not. */
  invalidatePage(_core: number, _va: number): void {}
  /** MOV CR3: removes all entries but global ones (those only stay when CR4.PGE is set). */
  flushNonGlobal(_core: number): void {}
  /** CR4.PGE/PSE or CR0.PG change, reset: removes everything. */
  flushAll(_core: number): void {}
  /** Makes the flat tables empty without touching the TLB (a snapshot was restored, a frame's rules changed). */
  dropFlat(_core: number): void {}
  /** What the TLB holds now, for display. */
  entries(_core: number): TlbEntryView[] {
    return [];
  }
}
