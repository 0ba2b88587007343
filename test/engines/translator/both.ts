/** The same deeds on an interpreter and on a translator, for tests that set up by hand what random programs seldom meet. */
import { expect } from 'vitest';
import { Interpreter, Translator } from '../../../emu/cpu/index.ts';
import type { TlbGeometry } from '../../../emu/mem/index.ts';
import { type MakeEngine, Twin } from '../twin.ts';

export const CODE = 0x1000;
export const DATA = 0x5000;
/** A page of no RAM. */
export const DEVICE = 0xfd000000;

export const interpreted: MakeEngine = (m) => new Interpreter(m.context);
export const translated: MakeEngine = (m) => new Translator(m.context, { threshold: 1, leastBudget: 1 });

/** Runs the same deeds on both engines; all states on the way must be the same. */
export function both(deeds: (twin: Twin) => unknown[], threshold = 1, tlb?: TlbGeometry): Translator {
  const a = new Twin(interpreted, tlb);
  const b = new Twin((m) => new Translator(m.context, { threshold, leastBudget: 1 }), tlb);
  const expected = [...deeds(a), a.state()];
  expect([...deeds(b), b.state()]).toEqual(expected);
  const engine = b.engine as Translator;
  expect(engine.translatedInstructions).toBeGreaterThan(30);
  return engine;
}
