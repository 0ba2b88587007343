/**
 * Speed of memory that moves (docs/moving.md), on the host: bytes per second against the machine's own memcpy, a full
 * defragmentation of 1 GiB in 4 KiB frames, and what it costs to find a block against the size of RAM. The server is called
 * directly; the bytes are copied by the bus of a real machine, the translations are those of the server's own records.
 */
import { DEFAULT_COSTS } from '../../emu/arch/cost.ts';
import { Machine } from '../../emu/machine.ts';
import { firmwareRom } from '../../firmware/image.ts';
import { DEFAULT_POLICY_SPEC, type PolicyChooser } from '../../src/abi/policy-spec.ts';
import { Op } from '../../src/abi/rpcs.ts';
import type { CapRef, Operation, RpcReply } from '../../src/abi/server.ts';
import { cheapestBlock } from '../../src/physmem/compact/cheapest-block.ts';
import { Evacuated, evacuate } from '../../src/physmem/compact/evacuate.ts';
import { namedPolicy } from '../../src/physmem/compact/named.ts';
import { twoScanner } from '../../src/physmem/compact/two-scanner.ts';
import { StoreView } from '../../src/physmem/compact/view.ts';
import { Physmem } from '../../src/physmem/physmem.ts';
import type { KernelPort } from '../../src/physmem/port.ts';
import { ZoneId } from '../../src/physmem/zone.ts';
import { idleKernel } from './idle-kernel.ts';
import { type Figure, figure, hostSeconds, printFigures } from './measure.ts';
import { PAGE, request, TASK } from './server-world.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
/** Left free for page tables. */
const SPARE_FRAMES = 2048;

/** RAM whose every frame is bound, page by page, and mapped; then `freed` percent are given back at random. */
class World {
  readonly physmem: Physmem;
  readonly container: CapRef;

  constructor(ramBytes: number, chooser: PolicyChooser, port: KernelPort, freed: number) {
    this.physmem = new Physmem(
      port,
      {
        memory: [{ frame: 0, count: ramBytes / PAGE, use: 'free' }],
        modules: [],
        dmaZoneEnd: 4096,
        rootTask: TASK,
        poison: 'off',
      },
      // Grouped: without it there is a page table in every 4 MiB, and nothing can be emptied.
      {
        policy: namedPolicy({ ...DEFAULT_POLICY_SPEC, mode: 'on-demand', chooser, grouping: 'on' }),
        dmaReserve: 0,
      },
    );
    this.physmem.bootRootSpace();
    this.container = this.call(Op.CONTAINER_CREATE, this.physmem.rootControl).caps[0]!;
    const pages = Math.max(256, ramBytes / PAGE - Math.max(SPARE_FRAMES, ramBytes / PAGE / 512));
    for (let page = 0; page < pages; page += 1)
      this.call(Op.ALLOCATE, this.container, [page * PAGE, PAGE, 0]);
    this.call(Op.MAP, this.container, [0, pages * PAGE, 0x1000, 3, 0]);
    let seed = 12345;
    for (let page = 0; page < pages; page += 1) {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      if ((seed >>> 16) % 100 < freed) this.call(Op.DEALLOCATE, this.container, [page * PAGE, PAGE]);
    }
  }

  call(op: Op, target: CapRef, words: readonly number[] = []): RpcReply {
    return request(this.physmem, op, target, words, [], finish);
  }
}

function finish<T>(operation: Operation<T>): T {
  for (let step = operation.next('done'); ; step = operation.next('done')) {
    if (step.done === true) return step.value;
  }
}

/** A port that copies real bytes of a real machine's RAM. */
function copyingPort(ramBytes: number): { port: KernelPort; machine: Machine } {
  const machine = new Machine({
    rom: firmwareRom(),
    cores: 1,
    ramBytes,
    seed: 1,
    costs: DEFAULT_COSTS,
    modules: [],
  });
  const { bus } = machine;
  const pattern = new Uint8Array(PAGE).fill(0xa5);
  for (let at = MIB; at < ramBytes; at += PAGE) bus.writeBytes(at, pattern);
  const copyFrames = (from: number, to: number, count: number): void => {
    for (let i = 0; i < count; i += 1) bus.copyFrame(to + i, from + i);
  };
  return { port: { ...idleKernel, copyFrames }, machine };
}

/** Pages in random order from one half of an array to the other: what a move cannot beat. */
function memcpyGibPerSecond(bytes: Uint8Array): number {
  const pages = bytes.length / PAGE / 2;
  const started = hostSeconds();
  for (let i = 0; i < pages; i += 1) {
    const from = ((i * 7919) % pages) * PAGE;
    bytes.copyWithin((pages + i) * PAGE, from, from + PAGE);
  }
  return (pages * PAGE) / GIB / (hostSeconds() - started);
}

/** Empties every block of a zone that can be emptied, over and over, until `bytes` have moved. */
function migrateGibPerSecond(world: World, bytes: number): number {
  const { store } = world.physmem;
  const view = new StoreView(store);
  const before = store.counters.movedFrames;
  const started = hostSeconds();
  for (let block = 8; (store.counters.movedFrames - before) * PAGE < bytes; block += 1) {
    if (block >= view.blocks) {
      if (store.counters.movedFrames === before) throw new Error('nothing can move');
      block = 8;
    }
    if (view.movable(block) === 0 || view.pinned(block) + view.fixed(block) > 0) continue;
    finish(evacuate(store, { frame: block * view.blockFrames, order: 10, into: [], where: 'zone' }));
  }
  return ((store.counters.movedFrames - before) * PAGE) / GIB / (hostSeconds() - started);
}

/** Until nothing more is worth emptying; prints what came of it. */
function defragment(chooser: PolicyChooser, port: KernelPort): void {
  const world = new World(GIB, chooser, port, 75);
  const { store } = world.physmem;
  const { buddy } = store.zones.zones[ZoneId.NORMAL]!;
  const goal = { zone: ZoneId.NORMAL, order: 10 };
  const before = buddy.blockCount(10);
  const started = hostSeconds();
  for (let failures = 0; failures < 4; ) {
    const proposal = store.compaction.choose(goal, 0);
    if (proposal === null) break;
    const { frame, order, into = [] } = proposal;
    const result = finish(evacuate(store, { frame, order, into, where: 'zone' }));
    if (result !== Evacuated.EMPTY) failures += 1;
  }
  const seconds = hostSeconds() - started;
  const { movedFrames, moveShootdowns } = store.counters;
  process.stdout.write(
    `  1 GiB, 3 of 4 frames freed at random, ${chooser.padEnd(14)}  ${seconds.toFixed(2)} s: ` +
      `${before} -> ${buddy.blockCount(10)} free blocks of 4 MiB, ${movedFrames} frames moved, ${moveShootdowns} shootdowns\n`,
  );
}

/** One call of a chooser in fragmented memory. */
function choosing(rounds: number): Figure[] {
  const figures: Figure[] = [];
  for (const mib of [16, 32, 128, 512, 2048]) {
    // With 16 MiB there is no memory above the DMA zone.
    const zone = mib > 16 ? ZoneId.NORMAL : ZoneId.DMA;
    const world = new World(mib * MIB, 'cheapest-block', idleKernel, 75);
    const view = new StoreView(world.physmem.store);
    for (const [name, choose] of [
      ['cheapest-block', cheapestBlock],
      ['two-scanner', twoScanner],
    ] as const) {
      for (const order of [10, 6]) {
        const calls = 200;
        const work = (): number => {
          const started = hostSeconds();
          for (let i = 0; i < calls; i += 1) choose(view, { zone, order });
          return ((hostSeconds() - started) * 1e6) / calls;
        };
        figures.push(figure(`${name}, order ${order}, ${mib} MiB of RAM`, 'µs', rounds, work));
      }
    }
  }
  return figures;
}

export function benchMoving(rounds: number): void {
  const { port } = copyingPort(GIB);
  // Written once, so that the host has given all of it real pages, as it has of the machine's RAM.
  const bytes = new Uint8Array(512 * MIB).fill(1);
  const memcpy = figure('memcpy of 4 KiB pages in random order', 'GiB/s', rounds, () =>
    memcpyGibPerSecond(bytes),
  );
  const world = new World(GIB, 'cheapest-block', port, 50);
  const moved = figure('migration, frames of 4 KiB, mapped', 'GiB/s', rounds, () =>
    migrateGibPerSecond(world, 256 * MIB),
  );
  printFigures('Moving memory on the host', [memcpy, moved]);
  process.stdout.write(
    `  migration is ${(moved.median / memcpy.median).toFixed(2)} of memcpy\n\nDefragmentation\n`,
  );
  for (const chooser of ['cheapest-block', 'two-scanner'] as const) defragment(chooser, port);
  printFigures('Finding what to empty', choosing(rounds));
}
