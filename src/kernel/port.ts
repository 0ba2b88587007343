/**
 * The privileged port that the memory server uses (the shape of its KernelPort). All work is charged to the core
 * that runs the present step of the server.
 */
import type { Operation, ShootdownBatch } from '../abi/server.ts';
import { addPages, type Batch, newBatch } from './batch.ts';
import { charge, type KernelContext, timeOf } from './context.ts';
import { stopTask } from './death.ts';
import { revokeObject } from './drop.ts';
import { notify, threadLives } from './notices.ts';
import { spawnOperation } from './operation.ts';
import { awaitQuiet, setAlarm } from './server-tick.ts';
import { flushLocal, flushOwn, needsRemote, remoteCores } from './shootdown.ts';
import * as space from './space.ts';
import { type Notice, TaskState } from './state.ts';
import { wake } from './work.ts';

const FRAME_BYTES = 4096;
const POISON = new Uint8Array(FRAME_BYTES).fill(0xdb);
const POISON_WORD = 0xdbdbdbdb | 0;

export class ServerPort {
  private readonly k: KernelContext;
  private readonly scratch = new Uint8Array(FRAME_BYTES);
  private readonly scratchWords = new Int32Array(this.scratch.buffer);

  constructor(k: KernelContext) {
    this.k = k;
  }

  now(): number {
    return timeOf(this.k, this.k.core);
  }

  charge(steps: number): void {
    charge(this.k, steps * this.k.costs.serverStep);
  }

  zeroFrames(frame: number, count: number): void {
    this.k.machine.zeroFrames(frame, count);
    charge(this.k, count * this.k.costs.zeroFrame);
  }

  copyFrames(from: number, to: number, count: number): void {
    this.k.machine.copyFrames(from, to, count);
    charge(this.k, count * this.k.costs.copyFrame);
  }

  poisonFrames(frame: number, count: number): void {
    for (let i = 0; i < count; i++) this.k.machine.writeBytes((frame + i) * FRAME_BYTES, POISON);
  }

  isPoisoned(frame: number, count: number): boolean {
    for (let i = 0; i < count; i++) {
      this.k.machine.readBytes((frame + i) * FRAME_BYTES, this.scratch);
      // A loop over words: a checker asks about every free frame (1.1 s with a callback per byte, 32 MiB of RAM).
      for (const word of this.scratchWords) if (word !== POISON_WORD) return false;
    }
    return true;
  }

  taskLives(task: number): boolean {
    return this.k.state.tasks.get(task)?.state === TaskState.ALIVE;
  }

  installSpace(task: number, directory: number, systemTable: number, messageFrame: number): void {
    space.installSpace(this.k, task, directory, systemTable, messageFrame);
  }

  removeSpace(task: number, batch: ShootdownBatch): void {
    space.removeSpace(this.k, task, batch as Batch);
  }

  stopTask(task: number, key: number): boolean {
    return stopTask(this.k, task, key);
  }

  hasSpace(task: number): boolean {
    return space.hasSpace(this.k, task);
  }

  hasTable(task: number, page: number): boolean {
    return space.hasTable(this.k, task, page);
  }

  installTable(task: number, page: number, frame: number): void {
    space.installTable(this.k, task, page, frame);
  }

  removeTable(task: number, page: number, batch: ShootdownBatch): number {
    return space.removeTable(this.k, task, page, batch as Batch);
  }

  mapPages(task: number, page: number, frame: number, count: number, access: number): void {
    space.mapPages(this.k, task, page, frame, count, access);
  }

  mapLarge(task: number, page: number, frame: number, access: number): void {
    space.mapLarge(this.k, task, page, frame, access);
  }

  unmapPages(task: number, page: number, count: number, batch: ShootdownBatch): number {
    return space.unmapPages(this.k, task, page, count, batch as Batch);
  }

  unmapLarge(task: number, page: number, batch: ShootdownBatch): number {
    return space.unmapLarge(this.k, task, page, batch as Batch);
  }

  protectPages(task: number, page: number, count: number, batch: ShootdownBatch): void {
    space.protectPages(this.k, task, page, count, batch as Batch);
  }

  protectLarge(task: number, page: number, batch: ShootdownBatch): void {
    space.protectLarge(this.k, task, page, batch as Batch);
  }

  widenPages(task: number, page: number, count: number): void {
    space.widenPages(this.k, task, page, count);
  }

  widenLarge(task: number, page: number): void {
    space.widenLarge(this.k, task, page);
  }

  newBatch(): ShootdownBatch {
    return newBatch();
  }

  needsRemote(batch: ShootdownBatch): boolean {
    return needsRemote(this.k, batch as Batch);
  }

  remoteCores(batch: ShootdownBatch): number {
    return remoteCores(this.k, batch as Batch);
  }

  flushLocal(batch: ShootdownBatch): void {
    flushLocal(this.k, batch as Batch);
  }

  deviceHolds(frame: number, count: number): boolean {
    if (!this.k.machine.isDmaReachable(frame, count)) return false;
    awaitQuiet(this.k);
    return true;
  }

  allowDevices(frame: number, count: number, access: number): void {
    this.k.machine.allowDevices(frame, count, access);
  }

  denyDevices(frame: number, count: number): void {
    this.k.machine.denyDevices(frame, count);
  }

  setAlarm(atCycles: number): void {
    setAlarm(this.k, atCycles);
  }

  threadLives(thread: number): boolean {
    return threadLives(this.k, thread);
  }

  askToReturn({ thread, ...notice }: Notice & { readonly thread: number }): boolean {
    return notify(this.k, thread, notice);
  }

  flushOwn(batch: ShootdownBatch): number {
    return flushOwn(this.k, batch as Batch);
  }

  listPages(
    task: number,
    page: number,
    count: number,
    _size: 'small' | 'large',
    batch: ShootdownBatch,
  ): void {
    addPages(batch as Batch, task, page, count);
  }

  wake(key: number): void {
    wake(this.k, key);
  }

  spawn(work: Operation<void>): void {
    spawnOperation(this.k, work);
  }

  revokeObject(type: number, object: number): void {
    revokeObject(this.k, type, object);
  }

  emit(kind: number, a: number, b: number, c: number, d: number): void {
    this.k.machine.emit(kind, this.k.core, a, b, c, d);
  }
}
