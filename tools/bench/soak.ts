/**
 * `npm run bench soak [minutes]`: code that changes all the time, translated every time. Prints once in ten seconds what
 * the translator keeps and what the process holds; ends with 1 if that has grown between the second and the last tenth of
 * the time by more than is V8's own. V8 11 keeps some of each instance for ever, whoever makes it (170 bytes here, 1 KiB
 * with modules of one instruction); the translator's patience with pages that are rewritten bounds how many there are.
 */
import { R, RunState } from '../../emu/arch/core-layout.ts';
import { Translator } from '../../emu/cpu/index.ts';
import { CoreWorld } from './core-world.ts';
import { hostSeconds, median } from './measure.ts';

const DEFAULT_MINUTES = 10;
const FIRST_PAGE = 0x200000;
const PAGES = 600;
const LOOPS = 20;
/** Noise of V8's heap: what it holds between two collections. */
const GROWTH_LIMIT = 64 << 20;
const V8_BYTES_EACH = 256;
const MIB = 1 << 20;

const word = (n: number): number[] => [n & 255, (n >>> 8) & 255, (n >>> 16) & 255, n >>> 24];
/** L: add eax, imm32; dec ecx; jnz L; hlt, and some room that makes regions differ in length */
const loop = (imm: number): number[] => [
  ...[0x05, ...word(imm)],
  ...Array.from({ length: imm % 40 }, () => 0x40),
  ...[0x49, 0x75, (256 - 8 - (imm % 40)) & 255, 0xf4],
];

/** Runs a new loop in one of PAGES pages. @throws when its sum is wrong */
function round(world: CoreWorld, engine: Translator, n: number): void {
  const at = FIRST_PAGE + (n % PAGES) * 4096;
  const { r } = world;
  world.context.bus.writeBytes(at, Uint8Array.from(loop(n)));
  r[R.EIP] = at;
  r[R.EAX] = 0;
  r[R.ECX] = LOOPS;
  r[R.RUN_STATE] = RunState.Running;
  engine.run(0, 1_000_000);
  const expected = (LOOPS * (n + (n % 40))) | 0;
  if (r[R.EAX] !== expected) throw new Error(`round ${n}: ${r[R.EAX]} instead of ${expected}`);
}

/** Returns the exit status. */
export function soak(minutes = DEFAULT_MINUTES): number {
  const world = new CoreWorld([0xf4]);
  const engine = new Translator(world.context, { threshold: 1 });
  const start = hostSeconds();
  const end = start + minutes * 60;
  const held: number[] = [];
  const heap: number[] = [];
  const made: number[] = [];
  let next = start;
  for (let n = 1; hostSeconds() < end; n++) {
    round(world, engine, n);
    if (n % 100 !== 0 || hostSeconds() < next) continue;
    next += Math.min(10, minutes * 3);
    const { rss, heapUsed, external } = process.memoryUsage();
    held.push(rss);
    heap.push(heapUsed + external);
    made.push(engine.translations);
    process.stdout.write(
      `${(hostSeconds() - start).toFixed(0).padStart(5)} s  ${n} rounds  ${engine.translations} translations  ` +
        `${engine.regionsKept} regions of ${(engine.codeBytesKept / MIB).toFixed(1)} MiB kept  process ${(rss / MIB).toFixed(0)} MiB\n`,
    );
  }
  // The first tenth is of a process that still warms up.
  const part = Math.max(1, Math.floor(held.length / 10));
  const grown = (figures: number[]): number =>
    median(figures.slice(-part)) - median(figures.slice(part, 2 * part));
  const ofV8 = grown(made) * V8_BYTES_EACH;
  process.stdout.write(
    `the heap has grown by ${(grown(heap) / MIB).toFixed(1)} MiB, the process by ${(grown(held) / MIB).toFixed(1)} MiB, ` +
      `of which ${(ofV8 / MIB).toFixed(0)} may be V8's for its modules\n`,
  );
  return grown(heap) > GROWTH_LIMIT || grown(held) > GROWTH_LIMIT + ofV8 ? 1 : 0;
}
