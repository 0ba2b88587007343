/**
 * The two-level page walk (SDM vol. 3 §4.3) explained as data, without side effects: what the walker would read, and
 * the rule that decides. The walker that runs (mmu.ts) follows the same rules; a property test compares them.
 */
import { R } from '../arch/core-layout.ts';
import {
  CR0_PG,
  CR0_WP,
  CR4_PSE,
  PDE_LARGE_FRAME_MASK,
  PDE_LARGE_RESERVED,
  PDE_PS,
  PF_PRESENT,
  PF_RESERVED,
  PTE_FRAME_MASK,
  PTE_P,
  PTE_PAT,
  PTE_U,
  PTE_W,
} from '../arch/paging.ts';
import type { Bus } from './bus.ts';

/** Bits of an access, equal to the #PF error code's bits. */
export const ACCESS_WRITE = 2;
export const ACCESS_USER = 4;
export const ACCESS_FETCH = 16;

export interface WalkStep {
  readonly level: 'pde' | 'pte';
  /** Physical address of the entry. */
  readonly entryPa: number;
  readonly value: number;
  readonly present: boolean;
  readonly writable: boolean;
  readonly user: boolean;
  readonly largePage: boolean;
}

export type WalkRule =
  | 'paging off'
  | 'page directory entry not present'
  | 'page table entry not present'
  | 'reserved bit set in 4 MiB entry'
  | 'reserved bit set in page table entry'
  | 'user access to supervisor page'
  | 'user write to read-only page'
  | 'supervisor write to read-only page with CR0.WP = 1'
  | 'allowed';

export interface WalkExplanation {
  readonly va: number;
  readonly steps: readonly WalkStep[];
  readonly rule: WalkRule;
  /** Physical address, or null when the access faults. */
  readonly pa: number | null;
  /** #PF error code, or null when the access is allowed. */
  readonly errorCode: number | null;
}

/** Explains what a walk (not the TLB) says about an access; `access`: ACCESS_* bits. Reads RAM only. */
export function explainWalk(bus: Bus, r: Int32Array, va: number, access: number): WalkExplanation {
  const errorBase = access & (ACCESS_WRITE | ACCESS_USER);
  const steps: WalkStep[] = [];
  const end = (rule: WalkRule, pa: number | null, errorCode: number | null): WalkExplanation => ({
    va: va >>> 0,
    steps,
    rule,
    pa,
    errorCode,
  });
  if ((r[R.CR0] & CR0_PG) === 0) return end('paging off', (va & r[R.A20_MASK]) >>> 0, null);
  const pse = (r[R.CR4] & CR4_PSE) !== 0;
  const step = (level: 'pde' | 'pte', entryPa: number): number => {
    const host = bus.map.hostOffset(entryPa);
    const bytes = new Uint8Array(4);
    bus.readBytes(entryPa, bytes);
    const value = host < 0 ? -1 : bytes[0] | (bytes[1] << 8) | (bytes[2] << 16) | (bytes[3] << 24);
    steps.push({
      level,
      entryPa,
      value: value >>> 0,
      present: (value & PTE_P) !== 0,
      writable: (value & PTE_W) !== 0,
      user: (value & PTE_U) !== 0,
      largePage: level === 'pde' && pse && (value & PDE_PS) !== 0,
    });
    return value;
  };
  const pde = step('pde', ((r[R.CR3] & PTE_FRAME_MASK) >>> 0) + (va >>> 22) * 4);
  if ((pde & PTE_P) === 0) return end('page directory entry not present', null, errorBase);
  const large = pse && (pde & PDE_PS) !== 0;
  if (large && (pde & PDE_LARGE_RESERVED) !== 0) {
    return end('reserved bit set in 4 MiB entry', null, errorBase | PF_PRESENT | PF_RESERVED);
  }
  let rights = pde;
  let pa = ((pde & PDE_LARGE_FRAME_MASK) | (va & ~PDE_LARGE_FRAME_MASK)) >>> 0;
  if (!large) {
    const pte = step('pte', ((pde & PTE_FRAME_MASK) >>> 0) + ((va >>> 12) & 1023) * 4);
    if ((pte & PTE_P) === 0) return end('page table entry not present', null, errorBase);
    if (pse && (pte & PTE_PAT) !== 0) {
      return end('reserved bit set in page table entry', null, errorBase | PF_PRESENT | PF_RESERVED);
    }
    rights &= pte;
    pa = ((pte & PTE_FRAME_MASK) | (va & 4095)) >>> 0;
  }
  const rule = checkRights(rights, r[R.CR0], access);
  return rule === 'allowed'
    ? end(rule, (pa & r[R.A20_MASK]) >>> 0, null)
    : end(rule, null, errorBase | PF_PRESENT);
}

function checkRights(rights: number, cr0: number, access: number): WalkRule {
  if ((access & ACCESS_USER) !== 0) {
    if ((rights & PTE_U) === 0) return 'user access to supervisor page';
    if ((access & ACCESS_WRITE) !== 0 && (rights & PTE_W) === 0) return 'user write to read-only page';
  } else if ((access & ACCESS_WRITE) !== 0 && (rights & PTE_W) === 0 && (cr0 & CR0_WP) !== 0) {
    return 'supervisor write to read-only page with CR0.WP = 1';
  }
  return 'allowed';
}
