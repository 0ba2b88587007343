import { describe, expect, it } from 'vitest';
import { PDE_PS, PTE_A, PTE_D, PTE_P, PTE_U, PTE_W } from '../../../emu/arch/paging.ts';
import { KernelBug } from '../../../src/kernel/bug.ts';
import { type KernelPort, RemovedPte } from '../../../src/physmem/port.ts';
import { World } from './world.ts';

const READ = 1;
const WRITE = 3;

/** The kernel's port in the shape that physmem declares: this assignment is the check. */
function portOf(w: World): KernelPort {
  return w.kernel.port;
}

function setUp(): { w: World; port: KernelPort; space: number; table: number } {
  const w = new World();
  const port = portOf(w);
  const table = w.frame();
  port.installTable(w.root, 1024, table);
  return { w, port, space: w.root, table };
}

const pte = (w: World, table: number, page: number): number =>
  w.machine.read32(table * 4096 + (page & 1023) * 4);

describe('an address space', () => {
  it('begins with the kernel page and the message frame in its last directory entry, and nothing else', () => {
    const w = new World();
    const child = w.createTask(0);
    const runs = w.kernel.describeSpace(child.task);
    const task = w.kernel.describeTasks().find((t) => t.task === child.task)!;
    expect(runs).toHaveLength(2);
    expect(runs[0]).toMatchObject({ page: 0xffc00, count: 1, user: false, writable: true });
    expect(runs[1]).toMatchObject({ page: 0xffc01, frame: task.messageFrame, user: true, writable: true });
    expect(portOf(w).hasSpace(child.task)).toBe(true);
    expect(portOf(w).hasSpace(99)).toBe(false);
  });

  it('gets user entries with exactly the access asked, over table borders', () => {
    const { w, port, space, table } = setUp();
    const second = w.frame();
    port.installTable(space, 2048, second);
    port.mapPages(space, 2046, 0x200, 4, WRITE);
    expect(pte(w, table, 2046)).toBe(0x200000 | PTE_P | PTE_W | PTE_U);
    expect(pte(w, second, 2049)).toBe(0x203000 | PTE_P | PTE_W | PTE_U);
    port.mapPages(space, 1030, 0x300, 1, READ);
    expect(pte(w, table, 1030)).toBe(0x300000 | PTE_P | PTE_U);
    expect(port.hasTable(space, 1500)).toBe(true);
    expect(port.hasTable(space, 4096)).toBe(false);
    expect(w.kernel.describeSpace(space).slice(0, 2)).toMatchObject([
      { page: 1030, count: 1, frame: 0x300, writable: false },
      { page: 2046, count: 4, frame: 0x200, writable: true },
    ]);
  });

  it('tells what removed entries said, and records only those that were present', () => {
    const { w, port, space, table } = setUp();
    port.mapPages(space, 1024, 0x200, 3, WRITE);
    w.machine.write32(table * 4096 + 4, pte(w, table, 1025) | PTE_A | PTE_D);
    const batch = port.newBatch();
    expect(port.unmapPages(space, 1024, 1, batch)).toBe(RemovedPte.PRESENT | RemovedPte.WRITABLE);
    expect(port.unmapPages(space, 1024, 2, batch)).toBe(15);
    expect(port.unmapPages(space, 1024, 1, batch)).toBe(0);
    expect(port.unmapPages(space, 5000, 2000, batch)).toBe(0);
    expect(batch.pageCount).toBe(2);
  });

  it('has large pages as one entry', () => {
    const { w, port, space } = setUp();
    port.mapLarge(space, 4096, 1024, WRITE);
    const directory = w.kernel.describeTasks()[0]!.directory;
    const at = directory * 4096 + 16;
    expect(w.machine.read32(at)).toBe(0x400000 | PTE_P | PTE_W | PTE_U | PDE_PS);
    expect(port.hasTable(space, 4096)).toBe(false);
    const batch = port.newBatch();
    port.protectLarge(space, 4096, batch);
    expect(w.machine.read32(at) & PTE_W).toBe(0);
    port.protectLarge(space, 4096, batch);
    expect(batch.pageCount).toBe(1);
    port.widenLarge(space, 4096);
    expect(w.machine.read32(at) & PTE_W).toBe(PTE_W);
    expect(port.unmapLarge(space, 4096, batch)).toBe(RemovedPte.PRESENT | RemovedPte.WRITABLE);
    expect(w.machine.read32(at)).toBe(0);
    expect(port.unmapLarge(space, 4096, batch)).toBe(0);
    expect(batch.pageCount).toBe(2);
  });

  it('narrows and widens pages; narrowing is recorded, widening is not', () => {
    const { w, port, space, table } = setUp();
    port.mapPages(space, 1024, 0x200, 2, WRITE);
    const batch = port.newBatch();
    port.protectPages(space, 1024, 8, batch);
    port.protectPages(space, 1024, 8, batch);
    expect(batch.pageCount).toBe(2);
    expect(pte(w, table, 1025)).toBe(0x201000 | PTE_P | PTE_U);
    port.widenPages(space, 1024, 8);
    expect(pte(w, table, 1025)).toBe(0x201000 | PTE_P | PTE_U | PTE_W);
    expect(pte(w, table, 1026)).toBe(0);
  });

  it('gives a page table back with one page to invalidate, because directory entries are cached too', () => {
    const { port, space, table } = setUp();
    const batch = port.newBatch();
    expect(port.removeTable(space, 1024, batch)).toBe(table);
    expect(batch.pageCount).toBe(1);
    expect(port.hasTable(space, 1024)).toBe(false);
  });

  it('stops a server that breaks the rules of the port', () => {
    const { w, port, space } = setUp();
    port.mapLarge(space, 4096, 1024, WRITE);
    const batch = port.newBatch();
    for (const wrong of [
      () => port.mapPages(space, 8192, 0x200, 1, READ),
      () => port.mapPages(space, 0xffc00, 0x200, 1, READ),
      () => port.mapPages(space, 0, 0x200, 1, READ),
      () => port.mapLarge(space, 4096, 1024, READ),
      () => port.mapLarge(space, 4097, 1024, READ),
      () => port.unmapPages(space, 4096, 1, batch),
      () => port.unmapLarge(space, 1024, batch),
      () => port.installTable(space, 1024, w.frame()),
      () => port.removeTable(space, 4096, batch),
      () => port.installSpace(space, 1, 2, 3),
      () => port.removeSpace(space, batch),
      () => port.mapPages(77, 1024, 0x200, 1, READ),
    ]) {
      expect(wrong).toThrow(KernelBug);
    }
  });
});

describe('frames', () => {
  it('are zeroed, copied and poisoned, at the price of the cost model', () => {
    const w = new World();
    const port = portOf(w);
    w.kernel.handOver(0);
    w.machine.ram.fill(0x5a, 0x300000, 0x302000);
    const before = w.machine.time(0);
    port.copyFrames(0x300, 0x310, 2);
    port.zeroFrames(0x300, 2);
    expect(w.machine.time(0) - before).toBe(2 * w.machine.costs.copyFrame + 2 * w.machine.costs.zeroFrame);
    expect(w.machine.ram[0x300000]).toBe(0);
    expect(w.machine.ram[0x311fff]).toBe(0x5a);
    port.poisonFrames(0x300, 2);
    expect(port.isPoisoned(0x300, 2)).toBe(true);
    w.machine.ram[0x301fff] = 1;
    expect(port.isPoisoned(0x300, 1)).toBe(true);
    expect(port.isPoisoned(0x300, 2)).toBe(false);
    expect(w.machine.time(0) - before).toBe(2 * w.machine.costs.copyFrame + 2 * w.machine.costs.zeroFrame);
  });
});
