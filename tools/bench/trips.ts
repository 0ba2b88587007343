/**
 * How often per second of host time a guest can cross the line: system calls, null calls of physmem, and faults that
 * physmem serves. Whole path: guest code, interpreter, kernel, server. Also the time from power-on to the first guest
 * instruction.
 */
import { IMAGE_BASE } from '../../src/abi/boot-page.ts';
import { SLOT_BOOT_CONTAINER } from '../../src/abi/message.ts';
import { Op } from '../../src/abi/rpcs.ts';
import { System } from '../../src/system.ts';
import { type Figure, figure, hostSeconds } from './measure.ts';
import { tinyElf } from './tiny-elf.ts';

const word = (n: number): number[] => [n & 255, (n >>> 8) & 255, (n >>> 16) & 255, n >>> 24];
const DATA_PAGE = IMAGE_BASE + 4096;

/** L: mov eax, 12 (clock); int 0x30; jmp L */
const CLOCK_LOOP = [0xb8, ...word(12), 0xcd, 0x30, 0xeb, 0xf7];
/** mov ecx, 2 (reply); or ebp, -1; L: xor eax, eax; xor edx, edx; mov ebx, 2 (physmem); int 0x30; jmp L */
const NULL_LOOP = [
  0xb9,
  ...word(2),
  0x83,
  0xcd,
  0xff,
  0x31,
  0xc0,
  0x31,
  0xd2,
  0xbb,
  ...word(2),
  0xcd,
  0x30,
  0xeb,
  0xf3,
];
/** As NULL_LOOP with tag = unmap(DATA_PAGE, 4096), then a write to the page, which faults. */
const FAULT_LOOP = [
  0xb9,
  ...word(2),
  0x83,
  0xcd,
  0xff,
  0x31,
  0xc0,
  0xba,
  ...word((19 << 16) | 2),
  0xbb,
  ...word(2),
  0xbe,
  ...word(DATA_PAGE),
  0xbf,
  ...word(4096),
  0xcd,
  0x30,
  0xc6,
  0x05,
  ...word(DATA_PAGE),
  1,
  0xeb,
  0xdc,
];
/** The operations of a page's life in the root task's boot container, by message: allocate, deallocate. */
const ALLOCATE_LOOP = ((): number[] => {
  const request = (tag: number): number[] => [
    ...[0x31, 0xc0, 0xbb, ...word(SLOT_BOOT_CONTAINER), 0xba, ...word(tag)],
    ...[0xbe, ...word(0x10000000), 0xbf, ...word(4096), 0xcd, 0x30],
  ];
  const round = [...request((Op.ALLOCATE << 16) | 3), ...request((Op.DEALLOCATE << 16) | 2)];
  return [0xb9, ...word(2), 0x83, 0xcd, 0xff, ...round, 0xeb, 256 - round.length - 2];
})();
const SLICE_INSTRUCTIONS = 2_000_000;
/** V8 compiles the paths of kernel and server in the first few million instructions. */
const WARM_UP_SLICES = 5;

function boot(code: readonly number[]): System {
  const root = { name: 'loop', bytes: tinyElf(code, 8192), args: [] };
  return new System({ root, cores: 1, ramBytes: 16 << 20, quantumInstructions: 100_000 });
}

/** Rounds of the loop per second of host time, in millions; a round is what `count` counts. One system, warmed up. */
function loopFigure(
  name: string,
  code: readonly number[],
  rounds: number,
  count: (s: System) => number,
): Figure {
  const system = boot(code);
  const slice = (): number => {
    const [before, start] = [count(system), hostSeconds()];
    const stop = system.run({ maxInstructions: SLICE_INSTRUCTIONS });
    if (stop.kind !== 'budget') throw new Error(`the bench loop ended: ${stop.kind}`);
    return (count(system) - before) / (hostSeconds() - start) / 1e6;
  };
  for (let i = 0; i < WARM_UP_SLICES; i++) slice();
  return figure(name, 'M/s', rounds, slice);
}

function bootMilliseconds(): number {
  const start = hostSeconds();
  const system = boot(CLOCK_LOOP);
  system.run({ until: () => system.kernel.counters.syscalls > 0 });
  return (hostSeconds() - start) * 1e3;
}

export function benchTrips(rounds: number): Figure[] {
  const syscalls = (system: System): number => system.kernel.counters.syscalls;
  const pairs = (system: System): number => {
    const counters = system.physmem?.store.counters;
    if (counters !== undefined && counters.refusals > 0) throw new Error('the bench loop is refused');
    return system.kernel.counters.rpcs / 2;
  };
  const faults = (system: System): number => system.kernel.counters.pageFaults;
  return [
    loopFigure('system call (clock)', CLOCK_LOOP, rounds, syscalls),
    loopFigure('null call of physmem', NULL_LOOP, rounds, syscalls),
    loopFigure('allocate + deallocate one page, by message', ALLOCATE_LOOP, rounds, pairs),
    loopFigure('unmap + page fault + map', FAULT_LOOP, rounds, faults),
    figure('power-on to first guest instruction', 'ms', rounds, bootMilliseconds),
  ];
}
