/**
 * `npm run bench soak [minutes] [eager]`: code that changes all the time, in the way that is worst for the translator:
 * each page runs just long enough to be translated, and is then rewritten. Prints once in ten seconds what the translator
 * keeps and what the process holds, before and after a garbage collection; ends with 1 if what it holds after one has
 * grown between the third and the last tenth of the time.
 *
 * V8 11 holds about 1 KiB of each module for two minutes, and some 35 bytes for ever, whoever makes it. `eager` translates
 * each page at once, without the pace of `heat.ts`, and shows what comes of that; nothing is judged then.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { R, RunState } from '../../emu/arch/core-layout.ts';
import { Translator } from '../../emu/cpu/index.ts';
import { CoreWorld } from './core-world.ts';
import { hostSeconds, median } from './measure.ts';

const DEFAULT_MINUTES = 10;
const FIRST_PAGE = 0x200000;
const PAGES = 600;
/** Instructions in a page before it is translated; one that is rewritten each time waits 256 times as long. */
const THRESHOLD = 100;
const HOT = THRESHOLD * 256;
/** Noise: free memory that is not given back. */
const GROWTH_LIMIT = 8 << 20;
const MIB = 1 << 20;

const word = (n: number): number[] => [n & 255, (n >>> 8) & 255, (n >>> 16) & 255, n >>> 24];
/** L: add eax, imm32; some inc eax, so that regions differ in length; dec ecx; jnz L; hlt */
const loop = (imm: number): number[] => [
  ...[0x05, ...word(imm)],
  ...Array.from({ length: imm % 40 }, () => 0x40),
  ...[0x49, 0x75, (256 - 8 - (imm % 40)) & 255, 0xf4],
];

class Soak {
  private readonly world = new CoreWorld([0xf4]);
  readonly engine: Translator;
  rounds = 0;

  constructor(private readonly isEager: boolean) {
    this.engine = new Translator(this.world.context, { threshold: isEager ? 1 : THRESHOLD });
  }

  /** Runs a new loop in one of PAGES pages. @throws when its sum is wrong */
  round(): void {
    const n = ++this.rounds;
    const at = FIRST_PAGE + (n % PAGES) * 4096;
    const turns = this.isEager ? 20 : Math.ceil(HOT / (3 + (n % 40)));
    const { r } = this.world;
    this.world.context.bus.writeBytes(at, Uint8Array.from(loop(n)));
    r[R.EIP] = at;
    r[R.EAX] = 0;
    r[R.ECX] = turns;
    r[R.RUN_STATE] = RunState.Running;
    this.engine.run(0, 1_000_000);
    const expected = Math.imul(turns, n + (n % 40));
    if (r[R.EAX] !== expected) throw new Error(`round ${n}: ${r[R.EAX]} instead of ${expected}`);
  }
}

/** V8's collector, which throws away what nobody uses: modules first, then the code that they leave. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  return () => {
    collect();
    collect();
  };
}

const mebibytes = (bytes: number): string => (bytes / MIB).toFixed(0);

/** Median of the last tenth less that of the third. */
function growth(figures: readonly number[]): number {
  const part = Math.max(1, Math.floor(figures.length / 10));
  return median(figures.slice(-part)) - median(figures.slice(2 * part, 3 * part));
}

/** Returns the exit status. */
export function soak(minutes = DEFAULT_MINUTES, pace: 'paced' | 'eager' = 'paced'): number {
  const work = new Soak(pace === 'eager');
  const { engine } = work;
  const start = hostSeconds();
  const end = start + minutes * 60;
  const interval = Math.min(10, minutes * 3);
  const collect = collector();
  const held: number[] = [];
  for (let next = start + interval; hostSeconds() < end; ) {
    for (let n = 0; n < 50; n++) work.round();
    if (hostSeconds() < next) continue;
    next += interval;
    const before = process.memoryUsage().rss;
    collect();
    const { rss } = process.memoryUsage();
    held.push(rss);
    process.stdout.write(
      `${(hostSeconds() - start).toFixed(0).padStart(5)} s  ${work.rounds} rounds  ${engine.translations} translations  ` +
        `${engine.regionsKept} regions of ${(engine.codeBytesKept / MIB).toFixed(1)} MiB kept  process ${mebibytes(before)}, ${mebibytes(rss)} MiB\n`,
    );
  }
  const grown = growth(held);
  process.stdout.write(
    `the process has grown by ${(grown / MIB).toFixed(1)} MiB; ${mebibytes(GROWTH_LIMIT)} are allowed\n`,
  );
  return pace === 'paced' && grown > GROWTH_LIMIT ? 1 : 0;
}
