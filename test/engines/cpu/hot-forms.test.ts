import { describe, expect, it } from 'vitest';
import { R, Seg } from '../../../emu/arch/core-layout.ts';
import { TestMachine } from '../../unit/cpu/test-machine.ts';
import { type Case, emulate } from './native.ts';
import { generator, makeCases } from './snippets.ts';

/** A machine whose stack segment ends one byte early: the same results, but no segment is flat, so no hot form. */
class GeneralMachine extends TestMachine {
  override enterUser(core = 0): void {
    super.enterUser(core);
    this.context.memory.r[core]![R.LIMIT + Seg.SS] = -2;
  }
}

function differing(cases: readonly Case[]): string[] {
  const hot = new TestMachine();
  const general = new GeneralMachine();
  const found: string[] = [];
  for (const c of cases) {
    const a = emulate(hot, c);
    const b = emulate(general, c);
    if (a === null ? b !== null : b === null || a.some((byte, n) => byte !== b[n])) {
      found.push(c.code.map((byte) => byte.toString(16)).join(' '));
    }
  }
  return found;
}

describe('hot forms', () => {
  it('give what the instruction table gives, for all snippets', () => {
    expect(differing(makeCases(12, 99))).toEqual([]);
  });

  it('give what the instruction table gives, for sequences of several snippets', () => {
    const next = generator(4711);
    const base = makeCases(1, 5);
    const cases = Array.from({ length: 3000 }, () => {
      const c = base[next() % base.length]!;
      const parts = Array.from({ length: 4 }, () => base[next() % base.length]!.code).filter(
        (p) => p.length < 8,
      );
      return { ...c, code: parts.flat().slice(0, 32) };
    });
    expect(differing(cases)).toEqual([]);
  });
});
