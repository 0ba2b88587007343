/**
 * What the translator itself costs: making the engine; instructions of fresh code per second from bytes to translated
 * code that has run once; and what of that is V8's, whose speed bounds it. Two of seven instructions have a memory
 * operand; each page is one region of 1235 instructions.
 */
import { R } from '../../emu/arch/core-layout.ts';
import { DEFAULT_COSTS } from '../../emu/arch/cost.ts';
import { Translator } from '../../emu/cpu/index.ts';
import { CoreWorld } from './core-world.ts';
import { type Figure, figure, hostSeconds, median } from './measure.ts';

const PAGES = 24;
const PAGE_BYTES = 4096;
/** add eax, ecx; mov [ebx+80000], eax; xor edx, eax; mov eax, [ebx+80004]; test eax, edx; jz next; lea ecx, [eax+edx] */
const PATTERN = [
  ...[0x01, 0xc8, 0x89, 0x83, 0, 0, 8, 0, 0x31, 0xc2, 0x8b, 0x83, 4, 0, 8, 0],
  ...[0x85, 0xd0, 0x74, 0x00, 0x8d, 0x0c, 0x10],
];
const PATTERN_INSTRUCTIONS = 7;
/** Times that a page's code runs before the next page's begins: the first makes it known, the others run it translated. */
const PASSES = 16;
/** Instructions interpreted in a page before it is translated: more than one pass, so that all of it is known. */
const THRESHOLD = 1500;

/** Pages of the pattern; each is a loop of PASSES and then jumps to the next. */
function freshCode(): { bytes: number[]; instructions: number } {
  const bytes: number[] = [];
  let instructions = 0;
  for (let page = 0; page < PAGES; page++) {
    // mov esi, PASSES; L: pattern…; dec esi; jnz L
    const body = Math.floor((PAGE_BYTES - 32) / PATTERN.length);
    bytes.push(0xbe, PASSES, 0, 0, 0);
    for (let n = 0; n < body; n++) bytes.push(...PATTERN);
    const back = -(body * PATTERN.length + 1 + 6);
    bytes.push(0x4e, 0x0f, 0x85, back & 255, (back >> 8) & 255, (back >> 16) & 255, (back >> 24) & 255);
    // Zeroes would be instructions: NOPs up to the next page.
    while (bytes.length % PAGE_BYTES !== 0) bytes.push(0x90);
    instructions += body * PATTERN_INSTRUCTIONS + 3;
  }
  bytes.push(0xeb, 0xfe);
  return { bytes, instructions };
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

interface Translated {
  /** Seconds of each pass over a page, page by page. */
  readonly passes: readonly number[];
  readonly instructions: number;
  readonly modules: readonly Uint8Array[];
}

/** Wall-clock time: V8 optimizes on other threads what it has compiled, and that is not the translator's. */
const wallSeconds = (): number => performance.now() / 1e3;

/** Runs fresh code until all of it is translated. @throws when it is not */
function translateAll(): Translated {
  const { bytes, instructions } = freshCode();
  const world = new CoreWorld(bytes);
  const engine = new Translator(world.context, { threshold: THRESHOLD });
  world.r[R.EBX] = 1 << 20;
  const passes: number[] = [];
  const modules = capturingModules(() => {
    for (let pass = 0; pass < PAGES * PASSES; pass++) {
      const start = wallSeconds();
      engine.run(0, Math.ceil(instructions / PAGES));
      passes.push(wallSeconds() - start);
    }
  });
  if (engine.translations < PAGES) throw new Error(`${engine.translations} regions of ${PAGES} pages`);
  return { passes, instructions, modules };
}

/** Million instructions of fresh code per second, decoded, translated and run once. */
function translationSpeed(): number {
  const { passes, instructions } = translateAll();
  // What a pass takes when all is done is not the translation's.
  const steady = median(passes);
  return instructions / passes.reduce((sum, pass) => sum + Math.max(0, pass - steady), 0) / 1e6;
}

/** The same of V8 alone, for the modules that the translator made of that code. */
function hostSpeed(): number {
  const { modules, instructions } = translateAll();
  const memory = new WebAssembly.Memory({ initial: 1024 });
  const env = { memory, fillRead: () => 0, fillWrite: () => 0, arith: () => 0 };
  let seconds = 0;
  modules.slice(-PAGES).forEach((bytes, n) => {
    // V8 knows the bytes; a custom section makes them others.
    const fresh = Uint8Array.from([...bytes, 0, 4, 1, 0x78, n & 127, 1]);
    const start = wallSeconds();
    const { run } = new WebAssembly.Instance(new WebAssembly.Module(fresh), { env }).exports;
    // No budget: the first block leaves at once, but all of the function has been compiled.
    (run as (...args: number[]) => number)(0, 0, 0, 0, 1);
    seconds += wallSeconds() - start;
  });
  return instructions / seconds / 1e6;
}

/** Milliseconds to make an engine for a machine that is there. */
function startUp(): number {
  const { context } = new CoreWorld([0xeb, 0xfe]);
  const start = hostSeconds();
  new Translator({ ...context, costs: DEFAULT_COSTS });
  return (hostSeconds() - start) * 1e3;
}

export const benchTranslation = (rounds: number): Figure[] => [
  figure('fresh code, decoded, translated, run once', 'M/s', rounds, translationSpeed),
  figure('V8 alone: the modules of that code', 'M/s', rounds, hostSpeed),
  figure('start of the engine', 'ms', rounds, startUp),
];
