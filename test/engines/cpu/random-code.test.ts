import { describe, expect, it } from 'vitest';
import { CoreF, R, RunState, Seg } from '../../../emu/arch/core-layout.ts';
import { Exit } from '../../../emu/arch/engine.ts';
import { ERROR_CODE_VECTORS } from '../../../emu/arch/vectors.ts';
import { resetCore } from '../../../emu/cpu/index.ts';
import { HANDLER, ProtectedWorld, STACK0 } from '../../unit/cpu/protected-world.ts';
import { generator } from './snippets.ts';

/** A core in a random state (real mode, ring 0, ring 3, paging with random rights) before random bytes. */
function wild(seed: number): ProtectedWorld {
  const next = generator(seed);
  const w = new ProtectedWorld();
  const mode = next() % 4;
  if (mode === 0) resetCore(w.context.memory, 0, 'power-on', RunState.Running);
  if (mode === 1) w.user();
  // Handlers step over one byte and return, so that a run goes on.
  for (let vector = 0; vector < 32; vector++) {
    const skip = [0xff, 0x04, 0x24, 0xcf];
    w.load(HANDLER + vector * 16, ERROR_CODE_VECTORS.has(vector) ? [0x83, 0xc4, 4, ...skip] : skip);
  }
  const bytes = Uint8Array.from({ length: 0x40000 }, () => next() & (next() % 3 === 0 ? 0x3f : 0xff));
  w.context.bus.writeBytes(0x10000, bytes);
  for (let n = 0; n < 8; n++) w.r[n] = next() % 2 === 0 ? next() & 0x3ffff : next();
  if (mode === 3) {
    // Identity, with random rights from page 10 on; one entry in eight is not present.
    w.write32(0x60000, 0x61007);
    for (let page = 0; page < 1024; page++) {
      const bits = page < 10 || page >= 0x60 ? 7 : (next() & 0x166) | (next() % 8 === 0 ? 0 : 1);
      w.write32(0x61000 + page * 4, (page << 12) | bits);
    }
    w.r[R.CR3] = 0x60000;
    w.r[R.CR4] = 0x90;
    w.r[R.ESP] = STACK0;
  }
  w.r[R.EIP] = mode === 0 ? 0 : 0x10000 + (next() & 0xfff);
  if (mode === 0) w.r[R.BASE + Seg.CS] = 0x10000;
  if (mode === 3) w.r[R.CR0] = 0x80010011 | 0;
  return w;
}

/** Runs up to `total` instructions in slices of `slice`, over HLTs; the state afterwards. */
function outcome(seed: number, total: number, slice: number): number[] {
  const w = wild(seed);
  for (let done = 0; done < total; done += slice) {
    if (w.run(Math.min(slice, total - done)) !== Exit.Budget) break;
  }
  return [...w.r, w.f[CoreF.INSTRUCTIONS]!, w.f[CoreF.CYCLES]!, w.f[CoreF.TLB_MISSES]!];
}

describe('random bytes as code', () => {
  it('never throw, and give the same state whole and in slices of any length', () => {
    for (let seed = 1; seed <= 24; seed++) {
      const whole = outcome(seed, 2000, 2000);
      expect(outcome(seed, 2000, 7)).toEqual(whole);
      expect(outcome(seed, 2000, 1)).toEqual(whole);
    }
  });
});
