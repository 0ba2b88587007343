/**
 * What physmem needs of the kernel: the narrow privileged port (system.md §1). physmem never sees the kernel or
 * the machine; tests give it a fake. Spaces are named by task number. Frames are base-frame numbers.
 */
import type { Operation, ShootdownBatch } from '../abi/server.ts';

/** Access bits of a translation: READ = 1, WRITE = 2, EXECUTE = 4 (READ is implied on this hardware). */
export type Access = number;

/** What a removed page-table entry said; bit set of RemovedPte. */
export enum RemovedPte {
  PRESENT = 1,
  WRITABLE = 2,
  ACCESSED = 4,
  DIRTY = 8,
}

/** A request to give extra memory back (physmem.md §8). */
export interface ReturnMessage {
  readonly thread: number;
  readonly badge: number;
  readonly frames: number;
  /** Until they are taken by force. */
  readonly cycles: number;
}

export interface KernelPort {
  /** Time of the current core, in cycles. */
  now(): number;
  /** Charges server work to the current core: `steps` entries, frames or page-table entries touched. */
  charge(steps: number): void;

  /** Zeroes or copies whole base frames, at the cost model's price. Source and destination must not overlap. */
  zeroFrames(frame: number, count: number): void;
  copyFrames(from: number, to: number, count: number): void;
  /** Fills frames with a debug pattern, or tells whether they still hold it; costs nothing (debug runs only). */
  poisonFrames(frame: number, count: number): void;
  isPoisoned(frame: number, count: number): boolean;

  /** Whether a task exists and is not dying: a capability can outlive it. */
  taskLives(task: number): boolean;
  /** Gives a live task its page directory, system table and message frame (all zeroed by the kernel). */
  installSpace(space: number, directory: number, systemTable: number, messageFrame: number): void;
  /**
   * Ends a task whose space is to be taken away while it may still run; nothing when it is dead already. Returns
   * whether it runs nowhere now; otherwise `wake(key)` follows when it does not any more.
   */
  stopTask(space: number, key: number): boolean;
  /**
   * Takes the address space away from the task (which can not run any more) after all tables and maps are gone;
   * the caller must shoot down `batch` before it reuses the three frames.
   */
  removeSpace(space: number, batch: ShootdownBatch): void;
  hasSpace(space: number): boolean;
  /** Whether a page table (not a large page) covers this page. */
  hasTable(space: number, page: number): boolean;
  /** Puts a zeroed frame as the page table that covers `page`; the PDE must be empty. */
  installTable(space: number, page: number, frame: number): void;
  /** Takes the (empty) page table that covers `page` out; returns its frame; needs shootdown before reuse. */
  removeTable(space: number, page: number, batch: ShootdownBatch): number;

  /** Writes `count` consecutive PTEs. The table must be there and the entries empty (no shootdown is needed then). */
  mapPages(space: number, page: number, frame: number, count: number, access: Access): void;
  /** Writes one 4 MiB PDE; page and frame are multiples of 1024; the PDE must be empty. */
  mapLarge(space: number, page: number, frame: number, access: Access): void;
  /** Clears PTEs (atomic exchange, so no A/D bit is lost) or the large PDE at `page`; records them in the batch; ORs what they said. */
  unmapPages(space: number, page: number, count: number, batch: ShootdownBatch): RemovedPte | 0;
  unmapLarge(space: number, page: number, batch: ShootdownBatch): RemovedPte | 0;
  /** Takes the W bit from PTEs or a large PDE; records those that had it in the batch. */
  protectPages(space: number, page: number, count: number, batch: ShootdownBatch): void;
  protectLarge(space: number, page: number, batch: ShootdownBatch): void;
  /** Gives the W bit to present PTEs or a large PDE (widening: no shootdown). */
  widenPages(space: number, page: number, count: number): void;
  widenLarge(space: number, page: number): void;

  /** A new empty batch, to be waited for with `yield { kind: 'shootdown', batch }`. */
  newBatch(): ShootdownBatch;
  /** Whether some other core must answer before the batch is done. An operation need not yield when false: call `flushLocal`. */
  needsRemote(batch: ShootdownBatch): boolean;
  /** How many other cores must answer; a kernel that does not count them leaves it out. */
  remoteCores?(batch: ShootdownBatch): number;
  /** Completes a batch for which needsRemote is false. */
  flushLocal(batch: ShootdownBatch): void;
  /**
   * Invalidates a batch on the current core and marks idle ones, which costs no interrupt; cores that run its spaces keep
   * what they hold. Returns how many those are.
   */
  flushOwn(batch: ShootdownBatch): number;
  /** Puts into a batch `count` pages, or one 4 MiB page, whose entries were cleared before with another batch. */
  listPages(space: number, page: number, count: number, size: 'small' | 'large', batch: ShootdownBatch): void;

  /**
   * Whether a device may still reach one of these base frames: a transfer is programmed or under way, and no protection
   * unit holds it back. After a yes the kernel calls the server's `tick` when some device has become quiet. A kernel
   * without devices leaves this out, and the next two.
   */
  deviceHolds?(frame: number, count: number): boolean;
  /** Lets devices do `access` with these base frames, besides what they may already. Without a protection unit nothing. */
  allowDevices?(frame: number, count: number, access: Access): void;
  /** Takes that away from now on, also from a transfer under way. */
  denyDevices?(frame: number, count: number): void;
  /**
   * Has the server's `tick` called at this time of the current core, or earlier. There is one alarm: the earliest counts,
   * and when it has rung, what is later must be asked for again. Without it ends are noticed with the next request.
   */
  setAlarm?(atCycles: number): void;

  /**
   * Tells a thread, in a message that never waits, how many frames to give back. Returns whether there is such a thread;
   * when it takes the message is its own business. A kernel without threads leaves it out.
   */
  askToReturn?(message: ReturnMessage): boolean;
  /** Whether a thread exists and is not dead (a capability can outlive it); left out with askToReturn. */
  threadLives?(thread: number): boolean;

  /** Wakes operations that wait for this key. */
  wake(key: number): void;
  /**
   * Begins work that no caller waits for; its first step comes after the present one, on a core of the kernel's choice. It
   * yields what it waits for, and `pause` at the end of each slice, and must come to an end: while it is in flight no
   * snapshot can be taken.
   */
  spawn(work: Operation<void>): void;
  /** Empties every slot, in every task, that names this object (a server capability). */
  revokeObject(type: number, object: number): void;
  /** Emits an event of PHYSMEM_EVENTS; cheap when nobody listens. */
  emit(kind: number, a: number, b: number, c: number, d: number): void;
}

/** One usable or reserved range of base frames, from the E820 map and the kernel's own needs. */
export interface MemoryRange {
  readonly frame: number;
  readonly count: number;
  readonly use: 'free' | 'reserved' | 'kernel' | 'hole';
}

/** A boot module in RAM: whole base frames, bound in place in the root task's boot container. */
export interface BootModuleFrames {
  readonly name: string;
  readonly frame: number;
  readonly count: number;
}

export interface PhysmemBoot {
  /** Covers 0 .. top of RAM without gap or overlap. */
  readonly memory: readonly MemoryRange[];
  readonly modules: readonly BootModuleFrames[];
  /** First base frame above the DMA zone (4096 for 16 MiB). */
  readonly dmaZoneEnd: number;
  /** Task number of the root task; it gets the root control and the boot container. */
  readonly rootTask: number;
  /** Poison free frames and check them (debug runs). */
  readonly poison: 'on' | 'off';
}

/**
 * Boot-time calls of the memory server, made once by the system before the first guest instruction.
 */
export interface BootServer {
  /** Sponsors the root task from the root control (directory, system table, message frame). */
  bootRootSpace(): void;
  /**
   * Names `pages` pages of new memory in the boot container at container address = `vaddr`, binds them, and
   * remembers the boot map (bootFault installs it). Returns the base frames in order; the caller fills in the bytes.
   */
  bootSegment(vaddr: number, pages: number, access: Access): readonly number[];
  /** The module's place in the boot container. */
  readonly bootModules: readonly {
    readonly name: string;
    readonly start: number;
    readonly sizeBytes: number;
  }[];
}
