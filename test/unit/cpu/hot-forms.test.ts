import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { selectForm } from '../../../emu/cpu/forms.ts';
import { HOT_FORMS, loopSource } from '../../../emu/cpu/hot/loop-source.ts';
import { Form } from '../../../emu/cpu/loop.ts';
import { F_ADDR32, F_MEM, I_ENTRY, I_FLAGS, I_IMM } from '../../../emu/cpu/record.ts';
import { ENTRIES } from '../../../emu/cpu/table/table.ts';

const GENERATED = new URL('../../../emu/cpu/loop.generated.ts', import.meta.url);

/** Forms that lines of the instruction table get with a register or a plain memory operand. */
function formsOfTable(): Set<string> {
  const found = new Set<string>();
  ENTRIES.forEach((entry, n) => {
    const width = entry.sizeRule === 0 ? 4 : entry.sizeRule;
    for (const operand of [0, F_MEM]) {
      const ops = new Int32Array(8);
      ops[I_ENTRY] = n;
      ops[I_IMM] = 1;
      ops[I_FLAGS] = width | entry.kinds | F_ADDR32 | operand;
      found.add(Form[selectForm(ops, 0)]!);
    }
  });
  return found;
}

describe('the inner loop', () => {
  it('is what tools/build-loop.ts makes of emu/cpu/hot', () => {
    expect(readFileSync(GENERATED, 'utf8')).toBe(loopSource());
  });

  it('has no form that no line of the instruction table leads to', () => {
    const used = formsOfTable();
    expect(HOT_FORMS.map((f) => f.name).filter((name) => !used.has(name))).toEqual([]);
  });

  it('checks an access before it writes anything', () => {
    for (const { name, body } of HOT_FORMS) {
      const firstWrite = body.findIndex((line) => /^(r|b8|u8)\[.*\] = |^view\.set|^left--/.test(line));
      const lastCheck = body.findLastIndex((line) => line.endsWith(' break;') && !line.includes('to === 0'));
      if (lastCheck >= 0) expect(lastCheck, name).toBeLessThan(firstWrite);
    }
  });
});
