/**
 * Address spaces as two-level page tables in RAM (SDM vol. 3 §4.3): directory and page tables lie in frames that
 * the memory server provides; the last directory entry is the kernel's window (system table). Every function here
 * changes entries only; what must leave the TLBs is recorded in a batch (shootdown.ts). Entries are read and
 * cleared between two guest instructions, so no A or D bit of a core can be lost in between.
 */
import { PDE_PS, PTE_A, PTE_D, PTE_FRAME_MASK, PTE_G, PTE_P, PTE_U, PTE_W } from '../../emu/arch/paging.ts';
import { USER_TOP } from '../abi/message.ts';
import { addPages, addWholeSpace, type Batch } from './batch.ts';
import { assert } from './bug.ts';
import { charge, type KernelContext, taskOf } from './context.ts';

/** Bit set of what a removed entry said; the same numbers as the memory server's port declares. */
export const REMOVED_PRESENT = 1;
export const REMOVED_WRITABLE = 2;
export const REMOVED_ACCESSED = 4;
export const REMOVED_DIRTY = 8;

const ACCESS_WRITE = 2;
const USER_PAGES = USER_TOP >>> 12;
const TABLE_FLAGS = PTE_P | PTE_W | PTE_U;
const SYSTEM_PDE = 1023;

export function installSpace(
  k: KernelContext,
  space: number,
  directory: number,
  systemTable: number,
  messageFrame: number,
): void {
  const task = taskOf(k, space);
  assert(task.directory === 0, `space ${space} exists already`);
  for (const frame of [directory, systemTable, messageFrame]) {
    assert(frame > 0, 'frame 0 can not hold a table');
    k.machine.zeroFrames(frame, 1);
  }
  charge(k, 3 * k.costs.zeroFrame + 3 * k.costs.pteWrite);
  k.machine.write32((directory << 12) + SYSTEM_PDE * 4, ((systemTable << 12) | TABLE_FLAGS) >>> 0);
  k.machine.write32(systemTable << 12, kernelPagePte(k));
  k.machine.write32((systemTable << 12) + 4, ((messageFrame << 12) | TABLE_FLAGS) >>> 0);
  task.directory = directory;
  task.systemTable = systemTable;
  task.messageFrame = messageFrame;
}

/** Entry of the kernel page: supervisor, global, the same in every space. */
export const kernelPagePte = (k: KernelContext): number =>
  ((k.state.kernelFrame << 12) | PTE_P | PTE_W | PTE_A | PTE_D | PTE_G) >>> 0;

export function removeSpace(k: KernelContext, space: number, batch: Batch): void {
  const task = taskOf(k, space);
  assert(task.directory !== 0, `space ${space} does not exist`);
  assert(task.threadCount === 0, `task ${space} can still run`);
  addWholeSpace(batch, space);
  task.directory = 0;
  task.systemTable = 0;
  task.messageFrame = 0;
}

export const hasSpace = (k: KernelContext, space: number): boolean =>
  (k.state.tasks.get(space)?.directory ?? 0) !== 0;

export function hasTable(k: KernelContext, space: number, page: number): boolean {
  const pde = k.machine.read32(pdeAddress(k, space, page));
  return (pde & PTE_P) !== 0 && (pde & PDE_PS) === 0;
}

export function installTable(k: KernelContext, space: number, page: number, frame: number): void {
  const at = pdeAddress(k, space, page);
  assert(k.machine.read32(at) === 0, 'directory entry is not empty');
  k.machine.zeroFrames(frame, 1);
  k.machine.write32(at, ((frame << 12) | TABLE_FLAGS) >>> 0);
  charge(k, k.costs.zeroFrame + k.costs.pteWrite);
}

/** The cores may have cached the directory entry, so one page of the table goes into the batch (SDM vol. 3 §4.10.4). */
export function removeTable(k: KernelContext, space: number, page: number, batch: Batch): number {
  const at = pdeAddress(k, space, page);
  const pde = k.machine.read32(at);
  assert((pde & PTE_P) !== 0 && (pde & PDE_PS) === 0, 'no page table to remove');
  k.machine.write32(at, 0);
  charge(k, k.costs.pteWrite);
  addPages(batch, space, page & ~1023, 1);
  return pde >>> 12;
}

export function mapPages(
  k: KernelContext,
  space: number,
  page: number,
  frame: number,
  count: number,
  access: number,
): void {
  assert(page > 0 && page + count <= USER_PAGES, 'map outside user space');
  const flags = entryFlags(access);
  for (let done = 0; done < count; ) {
    const first = page + done;
    const inTable = Math.min(count - done, 1024 - (first & 1023));
    let at = requireTable(k, space, first) + (first & 1023) * 4;
    for (let i = 0; i < inTable; i++, at += 4) {
      k.machine.write32(at, (((frame + done + i) << 12) | flags) >>> 0);
    }
    done += inTable;
  }
  charge(k, count * k.costs.pteWrite);
}

export function mapLarge(k: KernelContext, space: number, page: number, frame: number, access: number): void {
  assert(page + 1024 <= USER_PAGES && (page & 1023) === 0 && (frame & 1023) === 0, 'bad large page');
  const at = pdeAddress(k, space, page);
  assert(k.machine.read32(at) === 0, 'directory entry is not empty');
  k.machine.write32(at, ((frame << 12) | entryFlags(access) | PDE_PS) >>> 0);
  charge(k, k.costs.pteWrite);
}

export function unmapPages(
  k: KernelContext,
  space: number,
  page: number,
  count: number,
  batch: Batch,
): number {
  let said = 0;
  forEachEntry(k, space, page, count, (at, entryPage) => {
    const pte = k.machine.read32(at);
    if ((pte & PTE_P) === 0) return;
    k.machine.write32(at, 0);
    said |= removed(pte);
    addPages(batch, space, entryPage, 1);
  });
  return said;
}

export function unmapLarge(k: KernelContext, space: number, page: number, batch: Batch): number {
  const at = pdeAddress(k, space, page);
  const pde = k.machine.read32(at);
  if ((pde & PTE_P) === 0) return 0;
  assert((pde & PDE_PS) !== 0, 'directory entry is not a large page');
  k.machine.write32(at, 0);
  charge(k, k.costs.pteWrite);
  addPages(batch, space, page & ~1023, 1);
  return removed(pde);
}

export function protectPages(
  k: KernelContext,
  space: number,
  page: number,
  count: number,
  batch: Batch,
): void {
  forEachEntry(k, space, page, count, (at, entryPage) => {
    const pte = k.machine.read32(at);
    if ((pte & (PTE_P | PTE_W)) !== (PTE_P | PTE_W)) return;
    k.machine.write32(at, (pte & ~PTE_W) >>> 0);
    addPages(batch, space, entryPage, 1);
  });
}

export function protectLarge(k: KernelContext, space: number, page: number, batch: Batch): void {
  const at = pdeAddress(k, space, page);
  const pde = k.machine.read32(at);
  if ((pde & (PTE_P | PDE_PS | PTE_W)) !== (PTE_P | PDE_PS | PTE_W)) return;
  k.machine.write32(at, (pde & ~PTE_W) >>> 0);
  charge(k, k.costs.pteWrite);
  addPages(batch, space, page & ~1023, 1);
}

export function widenPages(k: KernelContext, space: number, page: number, count: number): void {
  forEachEntry(k, space, page, count, (at) => {
    const pte = k.machine.read32(at);
    if ((pte & PTE_P) !== 0) k.machine.write32(at, (pte | PTE_W) >>> 0);
  });
}

export function widenLarge(k: KernelContext, space: number, page: number): void {
  const at = pdeAddress(k, space, page);
  const pde = k.machine.read32(at);
  if ((pde & (PTE_P | PDE_PS)) !== (PTE_P | PDE_PS)) return;
  k.machine.write32(at, (pde | PTE_W) >>> 0);
  charge(k, k.costs.pteWrite);
}

/** Whether the tables in RAM allow a user access now, whatever a TLB says. */
export function allows(k: KernelContext, directory: number, va: number, access: 'read' | 'write'): boolean {
  const wanted = PTE_P | PTE_U | (access === 'write' ? PTE_W : 0);
  const pde = k.machine.read32((directory << 12) + (va >>> 22) * 4);
  if ((pde & wanted) !== wanted) return false;
  if ((pde & PDE_PS) !== 0) return true;
  const pte = k.machine.read32(((pde & PTE_FRAME_MASK) >>> 0) + ((va >>> 12) & 1023) * 4);
  return (pte & wanted) === wanted;
}

const entryFlags = (access: number): number => PTE_P | PTE_U | ((access & ACCESS_WRITE) !== 0 ? PTE_W : 0);

const removed = (entry: number): number =>
  REMOVED_PRESENT |
  ((entry & PTE_W) !== 0 ? REMOVED_WRITABLE : 0) |
  ((entry & PTE_A) !== 0 ? REMOVED_ACCESSED : 0) |
  ((entry & PTE_D) !== 0 ? REMOVED_DIRTY : 0);

function pdeAddress(k: KernelContext, space: number, page: number): number {
  const { directory } = taskOf(k, space);
  assert(directory !== 0, `task ${space} has no address space`);
  assert(page >= 0 && page < USER_PAGES, 'page outside user space');
  return ((directory << 12) >>> 0) + (page >>> 10) * 4;
}

/** Physical address of the page table that covers `page`; 0 when there is none. */
function tableAddress(k: KernelContext, space: number, page: number): number {
  const pde = k.machine.read32(pdeAddress(k, space, page));
  if ((pde & PTE_P) === 0) return 0;
  assert((pde & PDE_PS) === 0, 'a large page covers the range');
  return (pde & PTE_FRAME_MASK) >>> 0;
}

function requireTable(k: KernelContext, space: number, page: number): number {
  const table = tableAddress(k, space, page);
  assert(table !== 0, 'no page table covers the range');
  return table;
}

/** Visits the entries of a range; parts without page table are skipped. */
function forEachEntry(
  k: KernelContext,
  space: number,
  page: number,
  count: number,
  visit: (at: number, page: number) => void,
): void {
  for (let done = 0; done < count; ) {
    const first = page + done;
    const inTable = Math.min(count - done, 1024 - (first & 1023));
    const table = tableAddress(k, space, first);
    if (table !== 0) {
      for (let i = 0; i < inTable; i++) visit(table + ((first & 1023) + i) * 4, first + i);
      charge(k, inTable * k.costs.pteWrite);
    }
    done += inTable;
  }
}
