/**
 * What the translator itself costs: making the engine; instructions of fresh code per second from bytes to translated
 * code that has run once; and what of that is V8's, whose speed bounds it. Two of seven instructions have a memory
 * operand; each page is one region of 1234 instructions.
 */
import { R } from '../../emu/arch/core-layout.ts';
import { DEFAULT_COSTS } from '../../emu/arch/cost.ts';
import { Translator } from '../../emu/cpu/index.ts';
import { CoreWorld } from './core-world.ts';
import { type Figure, figure, median } from './measure.ts';

const FIRST_PAGE = 0x200000;
const PAGES = 48;
const PAGE_BYTES = 4096;
const PATTERN_INSTRUCTIONS = 7;
const PATTERNS = 176;
const INSTRUCTIONS = PATTERNS * PATTERN_INSTRUCTIONS + 2;
/** Instructions interpreted in a page before it is translated: more than one pass, so that all of it is known. */
const THRESHOLD = 1500;
const MOST_PASSES = 100;
/** Distinguishes all code that is made: V8 would know the modules of code that it has seen. */
let serial = 0;

const word = (n: number): number[] => [n & 255, (n >>> 8) & 255, (n >>> 16) & 255, n >>> 24];

/** L: 176 times add eax, ecx; mov [ebx+n], eax; xor edx, eax; mov eax, [ebx+n]; test eax, edx; jz next; lea ecx, [eax+edx] */
function freshPage(): Uint8Array {
  const at = word(++serial * 4);
  const pattern = [
    ...[0x01, 0xc8, 0x89, 0x83, ...at, 0x31, 0xc2, 0x8b, 0x83, ...at],
    ...[0x85, 0xd0, 0x74, 0x00, 0x8d, 0x0c, 0x10],
  ];
  const bytes = Array.from({ length: PATTERNS }, () => pattern).flat();
  // dec esi; jnz L
  bytes.push(0x4e, 0x0f, 0x85, ...word(-(bytes.length + 7)));
  return Uint8Array.from(bytes);
}

/** The part of the WebAssembly namespace that is used here; `lib` has no DOM. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { readonly exports: Record<string, unknown> };
  Memory: new (descriptor: { initial: number }) => object;
};

/** The bytes of all modules that are made while `work` runs. */
function capturingModules(work: () => void): Uint8Array[] {
  const { Module } = WebAssembly;
  const made: Uint8Array[] = [];
  WebAssembly.Module = class extends Module {
    constructor(bytes: Uint8Array) {
      super(bytes);
      made.push(bytes.slice());
    }
  };
  try {
    work();
  } finally {
    WebAssembly.Module = Module;
  }
  return made;
}

/** Wall-clock time: V8 optimizes on other threads what it has compiled, and that is not the translator's. */
const wallSeconds = (): number => performance.now() / 1e3;

interface Translated {
  /** Of each page: the passes in which it is decoded, translated, and first run as translated. */
  readonly seconds: readonly number[];
  readonly modules: readonly Uint8Array[];
}

/** Runs fresh pages until each is translated. @throws when one is not */
function translateAll(): Translated {
  const world = new CoreWorld([0xf4]);
  const engine = new Translator(world.context, { threshold: THRESHOLD });
  const { r } = world;
  r[R.EBX] = 0x800000;
  const seconds: number[] = [];
  const modules = capturingModules(() => {
    for (let page = 0; page < PAGES; page++) {
      r[R.EIP] = FIRST_PAGE + page * PAGE_BYTES;
      r[R.ESI] = 2 * MOST_PASSES;
      world.context.bus.writeBytes(r[R.EIP]!, freshPage());
      seconds.push(untilTranslated(engine));
    }
  });
  return { seconds, modules };
}

/** Seconds of the passes that count; in the others the interpreter runs what it knows. */
function untilTranslated(engine: Translator): number {
  const pass = (): number => timed(() => engine.run(0, INSTRUCTIONS));
  const until = (is: () => boolean): number => {
    for (let n = 0; n < MOST_PASSES; n++) {
      const seconds = pass();
      if (is()) return seconds;
    }
    throw new Error(`not translated in ${MOST_PASSES} passes`);
  };
  const { translations, translatedInstructions } = engine;
  const decoding = pass();
  const translating = until(() => engine.translations > translations);
  // Where translation was tried in vain before, it is not tried again at once.
  if (engine.translatedInstructions > translatedInstructions) return decoding + translating;
  return decoding + translating + until(() => engine.translatedInstructions > translatedInstructions);
}

function timed(work: () => unknown): number {
  const start = wallSeconds();
  work();
  return wallSeconds() - start;
}

/** Million instructions of fresh code per second, of the median page. */
const translationSpeed = (): number => INSTRUCTIONS / median(translateAll().seconds) / 1e6;

/** The same of V8 alone, for the modules that the translator made of that code. */
function hostSpeed(): number {
  const memory = new WebAssembly.Memory({ initial: 1024 });
  const env = { memory, fillRead: () => 0, fillWrite: () => 0, arith: () => 0 };
  const seconds = translateAll()
    .modules.slice(-PAGES)
    .map((bytes) => {
      // V8 knows the bytes; a custom section makes them others.
      const fresh = new Uint8Array(bytes.length + 8);
      fresh.set(bytes);
      fresh.set([0, 6, 1, 0x78, ...word(++serial)], bytes.length);
      return timed(() => {
        const { run } = new WebAssembly.Instance(new WebAssembly.Module(fresh), { env }).exports;
        // No budget: the first block leaves at once, but all of the function has been compiled.
        (run as (...args: number[]) => number)(0, 0, 0, 0, 1);
      });
    });
  return INSTRUCTIONS / median(seconds) / 1e6;
}

/** Milliseconds to make an engine for a machine that is there. */
function startUp(): number {
  const { context } = new CoreWorld([0xeb, 0xfe]);
  return timed(() => new Translator({ ...context, costs: DEFAULT_COSTS })) * 1e3;
}

export const benchTranslation = (rounds: number): Figure[] => [
  figure('fresh code, decoded, translated, run once', 'M/s', rounds, translationSpeed),
  figure('V8 alone: the modules of that code', 'M/s', rounds, hostSpeed),
  figure('start of the engine', 'ms', rounds, startUp),
];
