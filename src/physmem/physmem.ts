/**
 * physmem, the physical memory server (physmem.md; the seed's founding text). One object per machine: the kernel
 * hands it requests, deaths and boot faults and drives the operations that come back; the system makes the boot
 * calls once. It sees the kernel through a port only, and the machine not at all.
 */
import { ALL_CONTAINER_RIGHTS, ALL_CONTROL_RIGHTS, CapType } from '../abi/rights.ts';
import { RETURN_CYCLES } from '../abi/rpcs.ts';
import type { BootFault, CapRef, Operation, RpcReply, RpcRequest, ShootdownBatch } from '../abi/server.ts';
import {
  type BootModulePlace,
  type BootSegment,
  bindBootPages,
  bootContainer,
  bootMemory,
  serveBootFault,
} from './boot.ts';
import { considerWork } from './compact/daemon.ts';
import type { Counters } from './counters.ts';
import { concernsTask, dropCapability, dropTask } from './death.ts';
import { isOverdue } from './defer.ts';
import { NO_PHYSMEM_FAULTS } from './faults.ts';
import { endPin, tickPins } from './pin-end.ts';
import { assert, type PlainData } from './plain-data.ts';
import type { Access, BootServer, KernelPort, PhysmemBoot } from './port.ts';
import { answerLate, flushDeferred } from './removal.ts';
import { serve } from './server.ts';
import { installSpace } from './sponsor.ts';
import { NO_DEFERRAL, NO_POLICY, type PhysmemOptions, Store } from './store.ts';

const MAX_ORDER = 10;
const DMA_RESERVE = 1 / 8;
const SLICE_STEPS = 1024;

export class Physmem implements BootServer {
  /** All state. For inspectors and the checker; nobody outside this folder changes it. */
  readonly store: Store;
  readonly bootModules: readonly BootModulePlace[];
  readonly #rootTask: number;
  readonly #root: number;
  readonly #bootContainer: number;
  #segments: BootSegment[] = [];

  constructor(port: KernelPort, boot: PhysmemBoot, options: PhysmemOptions = {}) {
    const top = boot.memory.reduce((end, range) => Math.max(end, range.frame + range.count), 0);
    this.store = new Store(port, top, boot.dmaZoneEnd, {
      maxOrder: options.maxOrder ?? MAX_ORDER,
      dmaReserve: options.dmaReserve ?? DMA_RESERVE,
      sliceSteps: options.sliceSteps ?? SLICE_STEPS,
      returnCycles: options.returnCycles ?? RETURN_CYCLES,
      poison: boot.poison,
      faults: { ...NO_PHYSMEM_FAULTS, ...options.faults },
      deferral: { ...NO_DEFERRAL, ...options.deferral },
      policy: options.policy ?? NO_POLICY,
    });
    const root = this.store.controls.createRoot(bootMemory(this.store, boot));
    this.#root = root.index;
    this.#rootTask = boot.rootTask;
    this.bootModules = bootContainer(this.store, boot, root);
    this.#bootContainer = root.firstContainer;
  }

  /** The root task's first capabilities, for the kernel to put in its slots. */
  get rootControl(): CapRef {
    return {
      type: CapType.CONTROL,
      object: this.store.controls.id(this.#root),
      rights: ALL_CONTROL_RIGHTS,
    };
  }

  get bootContainer(): CapRef {
    const object = this.store.containers.id(this.#bootContainer);
    return { type: CapType.CONTAINER, object, rights: ALL_CONTAINER_RIGHTS };
  }

  get counters(): Readonly<Counters> {
    return this.store.counters;
  }

  /** Answers at once, or as an operation that must be run to its end, whoever dies meanwhile. Never throws. */
  request(request: RpcRequest): RpcReply | Operation {
    const answer = serve(this.store, request);
    considerWork(this.store);
    return answer;
  }

  /** A thread of the root task without a pager faulted: makes the page of its image present, or refuses. */
  bootFault(fault: BootFault): RpcReply | Operation {
    return serveBootFault(this.store, this.#bootContainer, this.#segments, fault);
  }

  /** The task is dead and runs nowhere. Returns what must be run to clean up after it, or null. */
  taskDied(task: number): Operation<void> | null {
    this.store.drops += 1;
    return concernsTask(this.store, task) ? dropTask(this.store, task) : null;
  }

  /** The task holds no slot any more that names this object with these rights. */
  capDropped(task: number, cap: CapRef): Operation<void> | null {
    if (cap.type === CapType.PIN) {
      const index = this.store.pins.table.find(cap.object);
      const pin = this.store.pins.table.at(index);
      if (index !== 0 && pin.state === 'live' && pin.task === task) endPin(this.store, pin);
      return null;
    }
    if (cap.type !== CapType.CONTAINER && cap.type !== CapType.LIMITED) return null;
    this.store.drops += 1;
    return dropCapability(this.store, task, cap);
  }

  /** The cores that answered a batch too late have answered: what was in limbo for it may be freed. */
  lateAnswer(batch: ShootdownBatch): Operation<void> | null {
    answerLate(this.store, batch);
    return null;
  }

  /**
   * The alarm has rung, or a device has become quiet: pins that are over end, quarantine is looked at, and deferred unmaps
   * whose time is over are flushed.
   */
  tick(): Operation<void> | null {
    tickPins(this.store);
    return isOverdue(this.store) ? flushDeferred(this.store) : null;
  }

  bootRootSpace(): void {
    const root = this.store.controls.at(this.#root);
    // A fault switch may make the first try fail.
    const isDone =
      installSpace(this.store, root, this.#rootTask) || installSpace(this.store, root, this.#rootTask);
    assert(isDone, 'no memory for the address space of the root task');
  }

  bootSegment(vaddr: number, pages: number, access: Access): readonly number[] {
    assert(vaddr % 4096 === 0 && pages > 0, 'boot segment is not page aligned');
    const page = vaddr / 4096;
    this.#segments.push({ page, pages, access });
    return bindBootPages(this.store, this.#bootContainer, page, pages);
  }

  /** State between operations, as plain data (docs/adr/0004). */
  save(): PlainData {
    return { store: this.store.save(), segments: this.#segments.map((segment) => ({ ...segment })) };
  }

  load(saved: PlainData): void {
    const from = saved as unknown as { store: PlainData; segments: BootSegment[] };
    this.store.load(from.store);
    this.#segments = from.segments.map((segment) => ({ ...segment }));
  }
}
