/**
 * I/O ports of driver tasks: the permission bitmap that the processor itself reads at each IN and OUT of ring 3 (SDM
 * vol. 1 §19.5.2). A driver task with ports has a bitmap of two frames, mapped in its own system table for the supervisor
 * only; a 0 bit opens a port. The TSS of each core points at the bitmap's address while such a task runs there, and
 * beyond its own limit else, so that every port is closed. The bitmaps are the only record of who has which port.
 */
import { PTE_A, PTE_P } from '../../emu/arch/paging.ts';
import { assert } from './bug.ts';
import { type KernelContext, taskOf } from './context.ts';
import {
  CORE_BLOCK_IN_PAGE,
  IO_BITMAP_BYTES,
  IO_BITMAP_FRAMES,
  IO_BITMAP_VA,
  NO_IO_MAP,
  TSS_IOMAP,
  TSS_OFFSET,
  tssVa,
} from './layout.ts';
import type { Core, Task } from './state.ts';

/** Entry of the system table for the bitmap's first page; the page of the kernel and the message frame are before it. */
const BITMAP_ENTRY = 2;
const ALL_CLOSED = 0xffffffff;

/** Whether another task has one of these ports. */
export function portsAreTaken(k: KernelContext, task: Task, first: number, count: number): boolean {
  for (const other of k.state.tasks.values()) {
    if (other !== task && other.ioBitmap !== 0 && hasOpenPort(k, other, first, count)) return true;
  }
  return false;
}

/** Whether the task has a bitmap, or there is a free one for it. */
export const hasBitmapFor = (k: KernelContext, task: Task): boolean =>
  task.ioBitmap !== 0 || k.state.freeIoBitmaps.length > 0;

/** Opens ports to a task for which there is a bitmap. Its threads on other cores have them at once, too. */
export function openPorts(k: KernelContext, task: Task, first: number, count: number): void {
  if (task.ioBitmap === 0) giveBitmap(k, task);
  for (let port = first; port < first + count; port++) setBit(k, task, port, 0);
}

export function closePorts(k: KernelContext, task: Task, first: number, count: number): void {
  if (task.ioBitmap === 0) return;
  for (let port = first; port < first + count; port++) setBit(k, task, port, 1);
}

/** The task is dying: all its ports are free for others, whatever of it still runs. */
export function closeAllPorts(k: KernelContext, task: Task): void {
  if (task.ioBitmap === 0) return;
  for (let at = 0; at < IO_BITMAP_BYTES; at += 4) k.machine.write32(task.ioBitmap * 4096 + at, ALL_CLOSED);
}

/** The task is gone and its space is in no TLB: the bitmap may serve another one. */
export function takeBitmapBack(k: KernelContext, task: Task): void {
  if (task.ioBitmap === 0) return;
  k.state.freeIoBitmaps.push(task.ioBitmap);
  task.ioBitmap = 0;
}

/** Points the TSS of a core at the bitmap of the task that will run there, or at nothing. */
export function loadIoMap(k: KernelContext, core: Core, task: Task): void {
  const wanted = task.ioBitmap === 0 ? 0 : 1;
  if (core.ioMap === wanted) return;
  core.ioMap = wanted;
  const tss = k.state.kernelFrame * 4096 + core.number * CORE_BLOCK_IN_PAGE + TSS_OFFSET;
  const offset = wanted === 0 ? NO_IO_MAP : IO_BITMAP_VA - tssVa(core.number);
  k.machine.write32(tss + TSS_IOMAP, (offset << 16) >>> 0);
}

function giveBitmap(k: KernelContext, task: Task): void {
  const frame = k.state.freeIoBitmaps.shift();
  assert(frame !== undefined && task.systemTable !== 0, 'no bitmap for the task');
  task.ioBitmap = frame;
  closeAllPorts(k, task);
  for (let i = 0; i < IO_BITMAP_FRAMES; i++) {
    const entry = task.systemTable * 4096 + (BITMAP_ENTRY + i) * 4;
    k.machine.write32(entry, (((frame + i) << 12) | PTE_P | PTE_A) >>> 0);
  }
  for (const core of k.state.cores) {
    const running = k.state.threads.get(core.current);
    if (running?.task === task.number) loadIoMap(k, core, taskOf(k, task.number));
  }
}

function setBit(k: KernelContext, task: Task, port: number, bit: 0 | 1): void {
  const at = wordOf(task, port);
  const mask = 1 << (port & 31);
  const word = k.machine.read32(at);
  k.machine.write32(at, (bit === 1 ? word | mask : word & ~mask) >>> 0);
}

function hasOpenPort(k: KernelContext, task: Task, first: number, count: number): boolean {
  for (let port = first; port < first + count; port++) {
    if (((k.machine.read32(wordOf(task, port)) >>> (port & 31)) & 1) === 0) return true;
  }
  return false;
}

const wordOf = (task: Task, port: number): number => task.ioBitmap * 4096 + (port >>> 5) * 4;
