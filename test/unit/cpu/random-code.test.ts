import { describe, expect, it } from 'vitest';
import { CoreF, R, RunState, Seg } from '../../../emu/arch/core-layout.ts';
import { resetCore } from '../../../emu/cpu/index.ts';
import { generator } from '../../engines/cpu/snippets.ts';
import { ProtectedWorld } from './protected-world.ts';

/** Registers, flags and counters after running random bytes in a random state. */
function wild(seed: number, instructions: number): number[] {
  const next = generator(seed);
  const w = new ProtectedWorld();
  const mode = next() % 4;
  if (mode === 0) resetCore(w.context.memory, 0, 'power-on', RunState.Running);
  if (mode === 1) w.user();
  const bytes = Uint8Array.from({ length: 0x40000 }, () => next() & (next() % 3 === 0 ? 0x3f : 0xff));
  w.context.bus.writeBytes(0x10000, bytes);
  for (let n = 0; n < 8; n++) w.r[n] = next() % 2 === 0 ? next() & 0x3ffff : next();
  if (mode === 3) {
    w.r[R.CR3] = 0x10000 + ((next() & 15) << 12);
    w.r[R.CR4] = 0x90;
  }
  w.r[R.EIP] = mode === 0 ? 0 : 0x10000 + (next() & 0xfff);
  if (mode === 0) w.r[R.BASE + Seg.CS] = 0x10000;
  if (mode === 3) w.r[R.CR0] = 0x80010011 | 0;
  for (let n = 0; n < 20; n++) {
    w.engine.run(0, instructions / 20);
    w.r[R.RUN_STATE] = RunState.Running;
  }
  return [...w.r.subarray(0, 80), w.f[CoreF.INSTRUCTIONS]!, w.f[CoreF.CYCLES]!];
}

describe('random bytes as code', () => {
  it('never throw, leave no private state behind and give the same result twice', () => {
    for (let seed = 1; seed <= 24; seed++) expect(wild(seed, 2000)).toEqual(wild(seed, 2000));
  });
});
