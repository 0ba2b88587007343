/**
 * What translated code and its callers agree on: parameters and locals of a region's function, its imports, and the
 * scratch words of the core block by which it tells why it was left (function-code.ts).
 */
import type { NamedFunction } from './wasm-writer.ts';

export const SITE_JUMP = -1;
export const SITE_BUDGET = -2;
/** Scratch word of the core block that takes SITE at an exit. */
export const SITE_WORD = 131;
/** Scratch words for what is running: number of the region, linear address of its page. */
export const REGION_WORD = 132;
export const BASE_WORD = 133;

/**
 * Scratch words of core 0's block, at a fixed place for walk-code.ts: byte offsets of the running core's block and of its
 * TLB array; 0 for the latter when page walks are left to the MMU.
 */
export const WALK_CORE_WORD = 134;
export const WALK_TLB_WORD = 135;
/** Scratch word of the running core's block: walks of walk-code.ts that are not in the counters yet. */
export const WALKS_WORD = 136;

/** Parameters and locals of a region's function. */
export enum L {
  /** Byte offsets in the buffer: core block, flat data table; linear address of the page. */
  Core = 0,
  Flat = 1,
  Base = 2,
  /** Budget: what is left when the running block is complete. */
  Left = 3,
  /** Number of the block that a switch goes to. */
  Next = 4,
  /** Eight registers in encoding order. */
  Reg = 5,
  Op = 13,
  Dst = 14,
  Src = 15,
  Aux = 16,
  Site = 17,
  Eip = 18,
  Va = 19,
  Word = 20,
  Host = 21,
  A = 22,
  B = 23,
  V = 24,
  T = 25,
  Wide = 26,
  Wide2 = 27,
}
/** (core, flat, base, left, next) → left. */
export const REGION_TYPE = { params: 5, results: 1 } as const;
export const LOCALS = { i32: L.T - L.Reg + 1, i64: 2 };

/** Functions that regions import, in the order of REGION_IMPORTS. */
export enum Import {
  /** (va, site, left) → flat word, or 0 when the site must be left. */
  FillRead = 0,
  FillWrite = 1,
  /** (kind, dst, src, aux) → arithmetic flags. */
  Arith = 2,
}

export const REGION_IMPORTS: readonly NamedFunction[] = [
  { name: 'fillRead', type: { params: 3, results: 1 } },
  { name: 'fillWrite', type: { params: 3, results: 1 } },
  { name: 'arith', type: { params: 4, results: 1 } },
];
