/** Which entry of a full set goes: the replacement policies (tlb-entry.ts, TlbReplacement). */
import {
  BITS_REFERENCED,
  TLB_BITS,
  TLB_ENTRY_WORDS,
  TLB_ORDER,
  TLB_STATE_RANDOM,
  type TlbReplacement,
} from './tlb-entry.ts';

/** Policies as numbers; from POLICY_CLOCK on, hits have to be seen. */
export const POLICIES: readonly TlbReplacement[] = ['fifo', 'random', 'clock', 'lru'];
const POLICY_FIFO = 0;
const POLICY_RANDOM = 1;
export const POLICY_CLOCK = 2;
export const POLICY_LRU = 3;

/** Way of the set at word offset `first` that is replaced; advances the policy's state. */
export function victimWay(t: Int32Array, policy: number, first: number, ways: number): number {
  switch (policy) {
    case POLICY_FIFO: {
      const way = t[first + TLB_ORDER];
      t[first + TLB_ORDER] = (way + 1) & (ways - 1);
      return way;
    }
    case POLICY_RANDOM:
      return randomWay(t, ways);
    case POLICY_CLOCK:
      return clockWay(t, first, ways);
    default:
      return oldestWay(t, first, ways);
  }
}

function randomWay(t: Int32Array, ways: number): number {
  let x = t[TLB_STATE_RANDOM];
  x ^= x << 13;
  x ^= x >>> 17;
  x ^= x << 5;
  t[TLB_STATE_RANDOM] = x;
  return (x >>> 8) & (ways - 1);
}

function clockWay(t: Int32Array, first: number, ways: number): number {
  for (;;) {
    const way = t[first + TLB_ORDER];
    t[first + TLB_ORDER] = (way + 1) & (ways - 1);
    const bits = first + way * TLB_ENTRY_WORDS + TLB_BITS;
    if ((t[bits] & BITS_REFERENCED) === 0) return way;
    t[bits] &= ~BITS_REFERENCED;
  }
}

function oldestWay(t: Int32Array, first: number, ways: number): number {
  let best = 0;
  for (let way = 1; way < ways; way++) {
    const age = t[first + way * TLB_ENTRY_WORDS + TLB_ORDER] - t[first + best * TLB_ENTRY_WORDS + TLB_ORDER];
    if (age < 0) best = way;
  }
  return best;
}
