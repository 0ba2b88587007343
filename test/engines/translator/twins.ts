/** Two engines in lock-step: state compared after every slice, the first divergence told with the code around it. */
import { R } from '../../../emu/arch/core-layout.ts';
import { disassemble, type EngineContext } from '../../../emu/cpu/index.ts';
import type { Temper } from './program.ts';
import { type MakeEngine, ProgramWorld } from './world.ts';

const WORDS = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi', 'eip', 'eflags'];
const RAM_EVERY = 64;
/** Words of the core block that are architectural. */
const BLOCK_WORDS = 128;

const hex = (n: number): string => (n >>> 0).toString(16);

/** Differences of the architectural state of core 0, in words; `looseFlags` of EFLAGS are left out. */
export function differences(
  a: EngineContext,
  b: EngineContext,
  compared: 'core' | 'everything',
  looseFlags = 0,
): string[] {
  const found: string[] = [];
  const [ra, rb] = [a.memory.r[0]!, b.memory.r[0]!];
  for (let n = 0; n < BLOCK_WORDS; n++) {
    const loose = n === R.EFLAGS ? looseFlags : 0;
    if (((ra[n]! ^ rb[n]!) & ~loose) !== 0)
      found.push(`${WORDS[n] ?? `word ${n}`} ${hex(ra[n]!)} ${hex(rb[n]!)}`);
  }
  const [ta, tb] = [a.memory.tlb[0]!, b.memory.tlb[0]!];
  for (let n = 0; n < ta.length && found.length < 20; n++) {
    if (ta[n] !== tb[n]) found.push(`TLB word ${n} ${hex(ta[n]!)} ${hex(tb[n]!)}`);
  }
  if (compared === 'everything' && Buffer.compare(a.memory.ram, b.memory.ram) !== 0) {
    const at = a.memory.ram.findIndex((byte, n) => byte !== b.memory.ram[n]);
    found.push(`RAM byte ${hex(at)}: ${a.memory.ram[at]} ${b.memory.ram[at]}`);
  }
  return found;
}

/** Some instructions from a linear address on, through the present page tables. */
function listing(context: EngineContext, eip: number): string {
  const lines: string[] = [];
  for (let at = eip, n = 0; n < 12; n++) {
    const bytes = Uint8Array.from({ length: 15 }, (_, k) => {
      const walk = context.memory.r[0]![R.CR3]!;
      const pde = context.bus.read32(walk + ((at + k) >>> 22) * 4);
      const pte = context.bus.read32((pde & ~4095) + (((at + k) >>> 12) & 1023) * 4);
      return context.bus.read(((pte & ~4095) | ((at + k) & 4095)) >>> 0, 1, -1);
    });
    const { text, length } = disassemble(bytes, at, 32);
    lines.push(`  ${hex(at)}: ${text}`);
    at += Math.max(1, length);
  }
  return lines.join('\n');
}

/**
 * Runs the program of `seed` on both engines for `slices` slices. Returns the first divergence in words, or null.
 */
export function runTwins(
  seed: number,
  slices: number,
  reference: MakeEngine,
  tested: MakeEngine,
  temper: Temper = 'wild',
  looseFlags = 0,
): string | null {
  const a = new ProgramWorld(seed, reference, temper);
  const b = new ProgramWorld(seed, tested, temper);
  for (let slice = 0; slice < slices; slice++) {
    const eip = a.r[R.EIP]!;
    const before = Array.from(a.r.subarray(0, 10), hex).join(' ');
    const [exitA, exitB] = [a.step(), b.step()];
    const isLast = slice === slices - 1;
    const found = differences(
      a.context,
      b.context,
      slice % RAM_EVERY === 0 || isLast ? 'everything' : 'core',
      looseFlags,
    );
    if (exitA !== exitB) found.unshift(`exit ${exitA} ${exitB}`);
    if (a.events.length !== b.events.length || a.events.some((value, n) => value !== b.events[n])) {
      found.push(`events ${a.events.slice(-10)} | ${b.events.slice(-10)}`);
    }
    a.events.length = 0;
    b.events.length = 0;
    if (found.length > 0) {
      return `seed ${seed}, slice ${slice}: ${found.join('; ')}\nbefore: ${before}\n${listing(a.context, eip)}`;
    }
  }
  return null;
}
