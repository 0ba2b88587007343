/**
 * What stops a core, while its loop is running as WebAssembly: budgets, breakpoints, watchpoints, single steps, observed
 * frames, interrupts, a host that wants the slice to end. Each must stop at the instruction at which the interpreter stops.
 */
import { describe, expect, it } from 'vitest';
import { Attention, CoreF, Flag, R } from '../../../emu/arch/core-layout.ts';
import type { Engine } from '../../../emu/arch/engine.ts';
import { Interpreter, Translator } from '../../../emu/cpu/index.ts';
import { Random } from '../../../tools/vectors/random.ts';
import { TestMachine } from '../../unit/cpu/test-machine.ts';

const CODE = 0x1000;
const DATA = 0x5000;
const MIDDLE = CODE + 12;
/** L: add eax, [DATA]; mov [DATA + 4], eax; inc ecx; dec edx; jnz L; jmp L */
const LOOP = [
  ...[0x03, 0x05, 0, 0x50, 0, 0, 0x89, 0x05, 4, 0x50, 0, 0],
  ...[0x41, 0x4a, 0x75, 0xf0, 0xeb, 0xee],
];

class Hot {
  readonly machine = new TestMachine();
  readonly engine: Engine;
  readonly seen: string[] = [];

  constructor(make: (m: TestMachine) => Engine) {
    const m = this.machine;
    m.context.trapMode = 'hosted';
    m.enterUser();
    m.load(CODE, LOOP);
    m.write32(DATA, 3);
    m.r[R.EIP] = CODE;
    m.r[R.EFLAGS] |= Flag.IF;
    m.context.bus.observer = {
      access: (pa, size, kind, value) => {
        this.seen.push(`${kind} ${pa} ${size} ${value} at ${m.f[CoreF.CYCLES]}`);
        if (kind === 'write' && value % 5 === 0) m.r[R.ATTENTION]! |= Attention.Stop;
      },
    };
    this.engine = make(m);
  }

  /** Runs a slice; what can be seen of it. */
  run(budget: number): unknown {
    const exit = this.engine.run(0, budget);
    const { r, f } = this.machine;
    r[R.ATTENTION]! &= ~Attention.Interrupt;
    const state = { exit, block: [...r.subarray(0, 128)], counters: [...f.subarray(48, 56)] };
    return { ...state, seen: this.seen.splice(0) };
  }
}

const setDebug = (r: Int32Array, address: number, dr7: number): void => {
  r[R.DR0] = address;
  r[R.DR7] = dr7;
};
const OFF = 0x400;
const EXECUTE = 0x401;
const WRITE_WORD = 0x400 | 1 | (0xd << 16);

/** What the host does between two slices. */
const DEEDS: Readonly<Record<string, (m: TestMachine) => void>> = {
  nothing: () => {},
  'a breakpoint in the loop': (m) => setDebug(m.r, MIDDLE, EXECUTE),
  'a watchpoint on what it writes': (m) => setDebug(m.r, DATA + 4, WRITE_WORD),
  'no breakpoints': (m) => setDebug(m.r, 0, OFF),
  'single steps': (m) => {
    m.r[R.EFLAGS] |= Flag.TF;
  },
  'no single steps': (m) => {
    m.r[R.EFLAGS] &= ~Flag.TF;
  },
  'its data observed': (m) => m.context.bus.observe(DATA >>> 12),
  'its code observed': (m) => m.context.bus.observe(CODE >>> 12),
  'nothing observed': (m) => {
    m.context.bus.unobserve(DATA >>> 12);
    m.context.bus.unobserve(CODE >>> 12);
  },
  'an interrupt': (m) => {
    m.r[R.ATTENTION]! |= Attention.Interrupt;
  },
  'a wish to stop': (m) => {
    m.r[R.ATTENTION]! |= Attention.Stop;
  },
  'its code changed': (m) => m.load(CODE + 12, [m.read32(CODE + 12) === 0x41 ? 0x43 : 0x41]),
};

const pair = (): { interpreter: Hot; translator: Hot; tested: Translator } => {
  const translator = new Hot((m) => new Translator(m.context, { threshold: 20, leastBudget: 1 }));
  const tested = translator.engine as Translator;
  return { interpreter: new Hot((m) => new Interpreter(m.context)), translator, tested };
};

describe('a hot loop', () => {
  it.each(Object.keys(DEEDS))('meets %s, and then goes on, exactly as it is interpreted', (deed) => {
    const { interpreter, translator, tested } = pair();
    for (const budget of [3000, 1999, 101]) expect(translator.run(budget)).toEqual(interpreter.run(budget));
    expect(tested.translatedInstructions).toBeGreaterThan(1000);
    for (const hot of [interpreter, translator]) DEEDS[deed]!(hot.machine);
    for (const budget of [1, 2, 3, 5, 50, 333, 2000]) {
      expect(translator.run(budget), `${budget} instructions`).toEqual(interpreter.run(budget));
    }
  });

  it('meets them in any order', () => {
    const random = new Random(77);
    const { interpreter, translator, tested } = pair();
    for (let n = 0; n < 600; n++) {
      const deed = random.pick(Object.keys(DEEDS));
      if (random.chance(40)) for (const hot of [interpreter, translator]) DEEDS[deed]!(hot.machine);
      const budget = 1 + random.below(random.chance(30) ? 8 : 900);
      expect(translator.run(budget), `slice ${n}, ${deed}`).toEqual(interpreter.run(budget));
    }
    expect(tested.translatedInstructions).toBeGreaterThan(1000);
  });
});
