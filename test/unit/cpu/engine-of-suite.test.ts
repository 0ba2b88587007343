/** That the tests of this folder run on the engine that they are said to run on. */
import { expect, it } from 'vitest';
import { R } from '../../../emu/arch/core-layout.ts';
import { Translator } from '../../../emu/cpu/index.ts';
import { TestMachine } from './test-machine.ts';

const wanted = process.env['PHYSMEM_TEST_ENGINE'] ?? 'interpreter';

it(`these tests run on the ${wanted}`, () => {
  const m = new TestMachine();
  expect(m.engine.name).toBe(wanted);
  // mov ecx, 100; 1: inc eax; dec ecx; jnz 1b; hlt
  m.execute([0xb9, 100, 0, 0, 0, 0x40, 0x49, 0x75, 0xfc, 0xf4], 1000);
  expect(m.r[R.EAX]).toBe(100);
  if (m.engine instanceof Translator) expect(m.engine.translatedInstructions).toBeGreaterThan(290);
});
