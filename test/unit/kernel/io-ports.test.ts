import { describe, expect, it } from 'vitest';
import { R, Seg } from '../../../emu/arch/core-layout.ts';
import { Errno } from '../../../src/abi/errno.ts';
import { IOPORT_COUNT, Sys } from '../../../src/abi/syscalls.ts';
import { World } from './world.ts';

const KERNEL_WINDOW_PDE = 1023;

interface Child {
  readonly slot: number;
  readonly task: number;
}

function driverWorld(cores = 2): World {
  return new World(cores, {}, 'driver');
}

/** A driver task with a thread on a core. */
function childDriver(w: World, core: number): Child {
  const child = w.createTask(0);
  w.createThread(0, { task: child.slot, core });
  expect(w.syscall(0, Sys.TASK_SET_DRIVER, child.slot).eax).toBe(0);
  return child;
}

/** The processor's own check (SDM vol. 1 §19.5.2): TSS, offset of the map, two bytes, in the tables of the loaded space. */
function mayAccess(w: World, core: number, port: number, size = 1): boolean {
  const r = w.registers(core);
  const base = r[R.BASE + Seg.TR]! >>> 0;
  const limit = r[R.LIMIT + Seg.TR]! >>> 0;
  const at = readLinear(w, core, base + 102, 2) + (port >>> 3);
  if (at + 1 > limit) return false;
  const bits = readLinear(w, core, base + at, 2);
  return ((bits >>> (port & 7)) & ((1 << size) - 1)) === 0;
}

function readLinear(w: World, core: number, va: number, size: number): number {
  let value = 0;
  for (let i = 0; i < size; i++) {
    const entry = w.machine.touch(core, va + i);
    if ((entry & 1) === 0) throw new Error(`page fault at ${(va + i).toString(16)}`);
    if ((entry & 4) !== 0) throw new Error('ring 3 can reach the bitmap');
    const pa = (entry & ~0xfff) + ((va + i) & 0xfff);
    value |= ((w.machine.read32(pa & ~3) >>> ((pa & 3) * 8)) & 0xff) << (i * 8);
  }
  return value;
}

const bind = (w: World, core: number, first: number, count: number, take = 1): number =>
  w.syscall(core, Sys.IOPORT_BIND, first, count, take).eax;

describe('I/O ports', () => {
  it('are closed to a task that did not take them, also when it is a driver', () => {
    const w = driverWorld();
    for (const port of [0, 0x1f0, 0xffff]) expect(mayAccess(w, 0, port)).toBe(false);
  });

  it('are open as taken, byte for byte, and closed again', () => {
    const w = driverWorld();
    expect(bind(w, 0, 0x1f0, 8)).toBe(0);
    expect(bind(w, 0, 0x3f6, 1)).toBe(0);
    expect([0x1ef, 0x1f0, 0x1f7, 0x1f8, 0x3f6, 0x3f7].map((port) => mayAccess(w, 0, port))).toEqual([
      false,
      true,
      true,
      false,
      true,
      false,
    ]);
    expect(mayAccess(w, 0, 0x1f4, 4)).toBe(true);
    expect(mayAccess(w, 0, 0x1f6, 4)).toBe(false);
    expect(bind(w, 0, 0x1f4, 0x300, 0)).toBe(0);
    expect([0x1f3, 0x1f4, 0x3f6].map((port) => mayAccess(w, 0, port))).toEqual([true, false, false]);
  });

  it('belong to the task: other tasks on the core have them closed, its threads on all cores have them', () => {
    const w = driverWorld(3);
    const own = w.createThread(0, { core: 1 });
    const child = w.createTask(0);
    w.createThread(0, { task: child.slot, core: 1 });
    expect(w.running(1)).toBe(own.thread);
    expect(bind(w, 0, 0x60, 1)).toBe(0);
    expect([0, 1].map((core) => mayAccess(w, core, 0x60))).toEqual([true, true]);
    w.syscall(1, Sys.YIELD);
    expect(w.running(1)).not.toBe(own.thread);
    expect(mayAccess(w, 1, 0x60)).toBe(false);
    w.syscall(1, Sys.YIELD);
    expect(mayAccess(w, 1, 0x60)).toBe(true);
  });

  it('reach up to 0xfff7 and no further', () => {
    const w = driverWorld();
    expect(bind(w, 0, 0, IOPORT_COUNT)).toBe(0);
    expect([0, 0x7fff, 0x8000, 0xfff7].map((port) => mayAccess(w, 0, port))).toEqual(Array(4).fill(true));
    expect([0xfff8, 0xffff].map((port) => mayAccess(w, 0, port))).toEqual([false, false]);
    expect(mayAccess(w, 0, 0xfff7, 2)).toBe(false);
  });

  it('belong to one task at a time', () => {
    const w = driverWorld();
    childDriver(w, 1);
    expect(bind(w, 0, 0x70, 2)).toBe(0);
    expect(bind(w, 1, 0x71, 1)).toBe(Errno.EBUSY);
    expect(bind(w, 1, 0, IOPORT_COUNT)).toBe(Errno.EBUSY);
    expect(bind(w, 1, 0x72, 1)).toBe(0);
    expect(bind(w, 1, 0x70, 1, 0)).toBe(0);
    expect(mayAccess(w, 0, 0x70)).toBe(true);
    expect(bind(w, 0, 0x70, 2, 0)).toBe(0);
    expect(bind(w, 1, 0x70, 2)).toBe(0);
    expect(w.kernel.check()).toEqual([]);
  });

  it('are free again after the death of their task, and so is its bitmap', () => {
    const w = driverWorld();
    for (let i = 0; i < 20; i++) {
      const child = childDriver(w, 1);
      expect(bind(w, 1, 0x1f0, 8)).toBe(0);
      w.syscall(0, Sys.TASK_DESTROY, child.slot);
      w.deliver();
      w.syscall(0, Sys.CAP_DELETE, child.slot);
    }
    expect(w.kernel.check()).toEqual([]);
    expect(bind(w, 0, 0x1f0, 8)).toBe(0);
  });

  it('give ENOMEM when the bitmaps are used up, and none is lost by that', () => {
    const w = driverWorld(6);
    for (const core of [1, 2, 3, 4]) {
      childDriver(w, core);
      expect(bind(w, core, core * 0x10, 1)).toBe(0);
    }
    childDriver(w, 5);
    expect(bind(w, 5, 0x80, 1)).toBe(Errno.ENOMEM);
    expect(bind(w, 5, 0x80, 1, 0)).toBe(0);
    expect(w.kernel.check()).toEqual([]);
  });

  it('are refused with ridiculous arguments', () => {
    const w = driverWorld();
    const ridiculous: [number, number, number][] = [
      [0, 0, 1],
      [0xfff8, 1, 1],
      [0xfff7, 2, 1],
      [-1, 1, 1],
      [1, -1, 1],
      [-1, -1, 1],
      [1 << 31, 1 << 31, 1],
      [0, 1, 2],
      [0, 1, -1],
    ];
    for (const [first, count, take] of ridiculous) {
      expect(bind(w, 0, first, count, take), `${first} ${count} ${take}`).toBe(Errno.EINVAL);
    }
    expect(mayAccess(w, 0, 0)).toBe(false);
  });

  it('cost memory only in a system with drivers', () => {
    const window = (w: World): number[] =>
      w.kernel
        .describeSpace(w.root)
        .filter((run) => run.page >>> 10 === KERNEL_WINDOW_PDE)
        .map((run) => run.page & 1023);
    const plain = new World();
    expect(window(plain)).toEqual([0, 1]);
    const w = driverWorld();
    expect(window(w)).toEqual([0, 1]);
    bind(w, 0, 0, 1);
    expect(window(w)).toEqual([0, 1, 2]);
  });
});
