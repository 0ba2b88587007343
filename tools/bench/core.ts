/**
 * What single things cost on the core: traps, faults, TLB fills, page changes, string moves, short slices. Programs are
 * a few instructions, so that nothing else is measured.
 */
import { CoreF, R, RunState, Seg } from '../../emu/arch/core-layout.ts';
import { Exit, type OwnEngineName } from '../../emu/arch/engine.ts';
import { VEC_PF } from '../../emu/arch/vectors.ts';
import { engineNamed } from '../../emu/engine-choice.ts';
import { Machine } from '../../emu/machine.ts';
import { DEFAULT_TLB } from '../../emu/mem/index.ts';
import { CODE, CoreWorld, type CoreWorldOptions } from './core-world.ts';
import { type Figure, figure, hostSeconds } from './measure.ts';

const SLICE_INSTRUCTIONS = 3_000_000;
const WARM_UP_SLICES = 4;
const MEGA = 1e6;
const word = (n: number): number[] => [n & 255, (n >>> 8) & 255, (n >>> 16) & 255, n >>> 24];

/** L: int 0x30; jmp L */
const TRAP_LOOP = [0xcd, 0x30, 0xeb, 0xfc];
const FAR_PAGES = 16 << 20;
const PAGES = 1024;
/** L: mov esi, FAR_PAGES; mov ecx, PAGES; 1: mov [esi], eax; add esi, 4096; dec ecx; jnz 1b; mov eax, cr3; mov cr3, eax; jmp L */
const TOUCH_LOOP = [
  ...[0xbe, ...word(FAR_PAGES), 0xb9, ...word(PAGES)],
  ...[0x89, 0x06, 0x81, 0xc6, ...word(4096), 0x49, 0x75, 0xf5],
  ...[0x0f, 0x20, 0xd8, 0x0f, 0x22, 0xd8, 0xeb, 0xe3],
];
/** As TOUCH_LOOP without the CR3 load: int 0x30 at the end of each round. */
const TOUCH_AND_TRAP_LOOP = [...TOUCH_LOOP.slice(0, 21), 0xcd, 0x30, 0xeb, 0xe7];
/** L: call F (in the next page); jmp L   F: ret */
const CALL_LOOP = [0xe8, ...word(4096 - 5), 0xeb, 0xf9, ...Array.from({ length: 4089 }, () => 0x90), 0xc3];
/** The jump and the addition of the loop cross the end of the page: add eax, 1; jmp L */
const CROSSING_LOOP = [
  0xe9,
  ...word(4094 - 5),
  ...Array.from({ length: 4089 }, () => 0x90),
  0x05,
  ...word(1),
  0xeb,
  0xf9,
];
const STRING_BYTES = 16 << 20;
/** L: mov esi, 16M; mov edi, 32M; mov ecx, 4M; cld; rep movsd; jmp L */
const STRING_LOOP = [
  ...[0xbe, ...word(16 << 20), 0xbf, ...word(32 << 20), 0xb9, ...word(STRING_BYTES / 4)],
  ...[0xfc, 0xf3, 0xa5, 0xeb, 0xec],
];
/** As STRING_LOOP downwards, which the interpreter does step by step. */
const STRING_DOWN_LOOP = [
  ...[0xbe, ...word((32 << 20) - 4), 0xbf, ...word((48 << 20) - 4), 0xb9, ...word(STRING_BYTES / 4)],
  ...[0xfd, 0xf3, 0xa5, 0xeb, 0xec],
];
/** L: mov eax, [ebx+80000]; mov [ebx+80004], eax; jmp L */
const MEMORY_LOOP = [0x8b, 0x83, ...word(0x80000), 0x89, 0x83, ...word(0x80004), 0xeb, 0xf2];
/** L: xorshift: mov ecx, eax; shl ecx, 13; xor eax, ecx; mov ecx, eax; shr ecx, 17; xor eax, ecx; jmp L */
const XORSHIFT_LOOP = [
  ...[0x89, 0xc1, 0xc1, 0xe1, 13, 0x31, 0xc8, 0x89, 0xc1, 0xc1, 0xe9, 17, 0x31, 0xc8, 0xeb, 0xf0],
];

/** Millions of what `count` counts, per second of host time, while the world runs; traps are taken and resumed. */
function rate(
  name: string,
  unit: string,
  rounds: number,
  world: CoreWorld,
  count: (w: CoreWorld) => number,
  trap: (w: CoreWorld) => void = () => {},
): Figure {
  const slice = (): number => {
    const end = world.instructions + SLICE_INSTRUCTIONS;
    const [before, start] = [count(world), hostSeconds()];
    while (world.instructions < end) {
      const exit = world.engine.run(0, end - world.instructions);
      if (exit === Exit.Trap) trap(world);
      else if (exit !== Exit.Budget) throw new Error(`the bench loop ended: ${Exit[exit]}`);
    }
    return (count(world) - before) / (hostSeconds() - start) / MEGA;
  };
  for (let i = 0; i < WARM_UP_SLICES; i++) slice();
  return figure(name, unit, rounds, slice);
}

const hosted = (code: readonly number[], engine: OwnEngineName): CoreWorld =>
  new CoreWorld(code, { ring: 3, trapMode: 'hosted', engine });
const instructions = (w: CoreWorld): number => w.instructions;

/** The kernel that is measured along: maps the page that faulted, and unmaps all of them at the end of a round. */
function mapOrUnmap(w: CoreWorld): void {
  if (w.r[R.EXIT_VECTOR] === VEC_PF) {
    const page = w.r[R.CR2]! & ~4095;
    w.map(page, page);
    return;
  }
  for (let page = 0; page < PAGES; page++) w.map(FAR_PAGES + page * 4096, -1);
  w.context.tlb.flushNonGlobal(0);
}

function mips(name: string, rounds: number, code: readonly number[], options: CoreWorldOptions): Figure {
  return rate(name, 'MIPS', rounds, new CoreWorld(code, options), instructions);
}

/** A stack segment that ends a byte early makes no segment flat, and so every instruction take the table's semantics. */
function withoutHotForms(rounds: number): Figure {
  const world = new CoreWorld(XORSHIFT_LOOP);
  world.r[R.LIMIT + Seg.SS] = -2;
  return rate('xorshift by the table alone, no hot forms', 'MIPS', rounds, world, instructions);
}

/** Two cores that both run, interleaved by the machine's time line. */
function shortSlices(rounds: number, quantum: number, engine: OwnEngineName): Figure {
  const machine = new Machine({
    ...{ rom: new Uint8Array(4096), ramBytes: 16 << 20, cores: 2, quantum },
    engine: engineNamed(engine),
  });
  machine.bus.writeBytes(CODE, Uint8Array.from(XORSHIFT_LOOP));
  for (const { r } of machine.cores) {
    r[R.CR0] = 0x11;
    r[R.EIP] = CODE;
    r[R.EAX] = 1;
    r[R.RUN_STATE] = RunState.Running;
    for (let seg = Seg.ES; seg <= Seg.GS; seg++) {
      r[R.BASE + seg] = 0;
      r[R.LIMIT + seg] = -1;
      r[R.ATTR + seg] = seg === Seg.CS ? 0xc09b00 : 0xc09300;
    }
  }
  const maxInstructions = Math.min(2_000_000, quantum * 200_000);
  const slice = (): number => {
    const [before, start] = [machine.instructions, hostSeconds()];
    machine.run({ maxInstructions });
    return (machine.instructions - before) / (hostSeconds() - start) / MEGA;
  };
  for (let i = 0; i < WARM_UP_SLICES; i++) slice();
  return figure(`two cores, quantum ${quantum}`, 'MIPS', rounds, slice);
}

/** All figures of `npm run bench cpu`. */
export function benchCore(rounds: number, engine: OwnEngineName): Figure[] {
  const traps = (w: CoreWorld): number => w.f[CoreF.TRAPS]!;
  const misses = (w: CoreWorld): number => w.f[CoreF.TLB_MISSES]!;
  return [
    rate('INT, null kernel, back', 'M/s', rounds, hosted(TRAP_LOOP, engine), traps),
    rate(
      'page fault, mapped, resumed',
      'M/s',
      rounds,
      hosted(TOUCH_AND_TRAP_LOOP, engine),
      traps,
      mapOrUnmap,
    ),
    rate(`TLB fill: ${PAGES} pages, CR3 load`, 'M/s', rounds, new CoreWorld(TOUCH_LOOP, { engine }), misses),
    mips('call and ret to another page', rounds, CALL_LOOP, { engine }),
    mips('loop over a page end, one instruction crosses', rounds, CROSSING_LOOP, { engine }),
    withoutHotForms(rounds),
    mips('xorshift with hot forms', rounds, XORSHIFT_LOOP, { engine }),
    rate(
      'rep movsd, 16 MiB',
      'MB/s',
      rounds,
      new CoreWorld(STRING_LOOP, { engine }),
      (w) => w.instructions * 4,
    ),
    rate(
      'rep movsd downwards, step by step',
      'MB/s',
      rounds,
      new CoreWorld(STRING_DOWN_LOOP, { engine }),
      (w) => w.instructions * 4,
    ),
    mips('load and store in one page', rounds, MEMORY_LOOP, { engine }),
    mips('the same, LRU: the TLB sees every access', rounds, MEMORY_LOOP, {
      engine,
      tlb: { ...DEFAULT_TLB, replacement: 'lru' },
    }),
    ...[1, 100, 1000].map((quantum) => shortSlices(rounds, quantum, engine)),
  ];
}
