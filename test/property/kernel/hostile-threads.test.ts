import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CoreF } from '../../../emu/arch/core-layout.ts';
import {
  CAP_MOVE,
  REPLY_SLOT,
  type Receive,
  SYSCALL_VECTOR,
  TIMEOUT_NEVER,
} from '../../../src/abi/message.ts';
import type { Operation, WaitResult } from '../../../src/abi/server.ts';
import { Sys } from '../../../src/abi/syscalls.ts';
import { CONTROL_SLOT, World } from '../../unit/kernel/world.ts';

/**
 * Threads of several tasks on three cores do whatever they like, the server's operations wait in every way there
 * is, interrupts come when they come. After every step the kernel's whole state is checked, and a shootdown that
 * is 'done' has left no TLB with the translation, but for cores that will flush before they use it.
 */
const CORES = 3;
const PAGE = 0x500;
const PAGES = 4;

type Step = readonly [kind: number, core: number, a: number, b: number, c: number, d: number];

class Chaos {
  readonly w = new World(
    CORES,
    { maxTasks: 6, shootdownTimeoutCycles: 400_000, quantumCycles: 20_000 },
    'driver',
  );
  private readonly spaces: number[] = [];
  private frames = 0x380;

  constructor() {
    const { w } = this;
    w.server.answer = (request) =>
      request.op % 3 === 0
        ? { errno: 0, words: [1, 2, 3], caps: [] }
        : this.operation(request.op, request.task);
    w.server.death = (task) => (task % 2 === 0 ? this.death(task) : null);
    w.server.drop = (_, cap) => (cap.rights % 2 === 0 ? this.nothing() : null);
    this.mapInto(w.root);
    for (const core of [0, 1, 2, 1, 2]) w.createThread(0, { core });
    const child = w.createTask(0);
    this.mapInto(child.task);
    w.syscall(0, Sys.CAP_GRANT, child.slot, CONTROL_SLOT, 0xf);
    for (const core of [1, 2, 1, 2]) w.createThread(0, { task: child.slot, core });
  }

  step([kind, core, a, b, c, d]: Step): void {
    const { w } = this;
    const thread = w.running(core);
    if (kind < 7 && thread !== 0) this.guest(kind, [core, thread], a, b, c, d);
    else if (kind === 7) w.deliver();
    else if (kind === 8 && w.machine.ipis.length > 0) {
      const [ipi] = w.machine.ipis.splice(a % w.machine.ipis.length, 1);
      w.kernel.interrupt(ipi!.to, ipi!.vector);
    } else if (kind === 9 && w.machine.timers[core]! >= 0) w.fireTimer(core);
    else if (kind === 10) w.kernel.interrupt(core, [0xf8, 0xf0, 0xe0, 0x21, 0x40, 0x41, 0x42, 0x57][a % 8]!);
    else if (kind === 11) this.wakeOn(core, a % 3);
    w.machine.events.length = 0;
    expect(w.kernel.check()).toEqual([]);
  }

  /** The server wakes waiters while it runs on a core, that is between an entry of the kernel and its end. */
  private wakeOn(core: number, key: number): void {
    const { answer } = this.w.server;
    if (this.w.running(core) === 0) return;
    this.w.server.answer = () => {
      this.w.kernel.port.wake(key);
      return { errno: 0, words: [], caps: [] };
    };
    this.w.rpc(core, 0);
    this.w.server.answer = answer;
  }

  private guest(
    kind: number,
    [core, thread]: readonly [number, number],
    a: number,
    b: number,
    c: number,
    d: number,
  ): void {
    const { w } = this;
    const slots = w.kernel.capTable(taskOfThread(w, thread)).map((slot) => slot.word);
    const slot = (n: number): number => (n % 7 === 0 ? n : slots[n % slots.length]!);
    w.machine.touch(core, (PAGE + (a % PAGES)) * 4096);
    const timeout = d % 8 === 0 ? TIMEOUT_NEVER : (d * 977) % 100_000;
    switch (kind) {
      case 0:
      case 1: {
        const dest = [REPLY_SLOT, 0, slot(a), slot(b), CONTROL_SLOT][a % 5]!;
        const caps: [number, number][] = b % 4 === 0 ? [[slot(c), c % 2 === 0 ? CAP_MOVE | 7 : 7]] : [];
        w.ipc(core, dest, (b % 3) as Receive, {
          label: c % 8,
          words: [a, b, c].slice(0, d % 4),
          caps,
          timeout,
        });
        break;
      }
      case 2:
        w.syscall(core, Sys.THREAD_CREATE, slot(a), 0x401000, 0, c % 2 === 0 ? slot(c) : 0, b % CORES, d % 8);
        break;
      case 3: {
        const created = w.syscall(core, Sys.TASK_CREATE);
        const info = w.kernel.describeTasks().at(-1)!;
        if (created.eax === 0 && info.directory === 0 && this.frames < 0x3f0) this.mapInto(info.task);
        break;
      }
      case 4:
        w.fault(core, a % 2 === 0 ? (PAGE + (b % PAGES)) * 4096 : 0x700000, [4, 6, 7, 5][c % 4]!);
        break;
      case 5: {
        const calls = [
          Sys.YIELD,
          Sys.SLEEP,
          Sys.CAP_COPY,
          Sys.CAP_DELETE,
          Sys.CAP_GRANT,
          Sys.THREAD_MINT,
          Sys.THREAD_SET_PAGER,
        ];
        if (a % 2 === 0) this.control(core, slot, b, c, d);
        else w.syscall(core, calls[(a >> 1) % calls.length]!, slot(b), slot(c), d);
        break;
      }
      default:
        if (taskOfThread(w, thread) === w.root && a % 8 !== 1) w.syscall(core, Sys.YIELD);
        else if (a % 8 === 0) w.syscall(core, Sys.THREAD_EXIT);
        else if (a % 8 === 1) this.destroyChild(core, slots);
        else w.kernel.trap(core, [3, 6, 13, SYSCALL_VECTOR][b % 4]!, 0);
    }
  }

  /** Threads and devices: suspended threads are resumed by and by, or all would stand still. */
  private control(core: number, slot: (n: number) => number, b: number, c: number, d: number): void {
    const { w } = this;
    if (b % 2 === 0) {
      const what = [1, 1, 0, 2, 3, 1, 4][c % 7]!;
      w.syscall(core, Sys.THREAD_CONTROL, slot(b), what, what >= 2 ? d % 4 : 0);
    } else if (c % 4 === 0) w.syscall(core, Sys.IRQ_BIND, d % 3, slot(b), c, d % 2);
    else if (c % 4 === 1) w.syscall(core, Sys.IRQ_ACK, d % 3);
    else if (c % 4 === 2) w.syscall(core, Sys.IOPORT_BIND, b, d % 9, d % 2);
    else w.syscall(core, Sys.TASK_SET_DRIVER, slot(b));
  }

  private destroyChild(core: number, slots: readonly number[]): void {
    const { w } = this;
    const root = w.kernel.capTable(taskOfThread(w, w.running(core)));
    const child = root.find((info) => info.type === 'task' && info.object !== w.root);
    if (child !== undefined && slots.includes(child.word)) w.syscall(core, Sys.TASK_DESTROY, child.word);
  }

  private mapInto(task: number): void {
    const { port } = this.w.kernel;
    if (!port.hasSpace(task)) port.installSpace(task, this.frames++, this.frames++, this.frames++);
    port.installTable(task, PAGE, this.frames++);
    port.mapPages(task, PAGE, 0x200, PAGES, 3);
    this.spaces.push(task);
  }

  private *operation(op: number, task: number): Operation {
    const { port } = this.w.kernel;
    for (let i = 0; i < op; i++) {
      if ((op + i) % 4 === 0) yield { kind: 'pause' };
      else if ((op + i) % 4 === 1) yield { kind: 'event', key: op % 3, deadlineCycles: port.now() + 5000 };
      else yield* this.unmapSome(i % 2 === 0 ? task : this.spaces[op % this.spaces.length]!, op + i);
    }
    return { errno: 0, words: [op], caps: [] };
  }

  private *unmapSome(
    task: number,
    n: number,
  ): Generator<{ kind: 'shootdown'; batch: never }, void, WaitResult> {
    const { w } = this;
    const { port } = w.kernel;
    if (!port.hasSpace(task)) return;
    const page = PAGE + (n % PAGES);
    const batch = port.newBatch();
    // Somebody else unmapped it and may still wait: a server has to know of its own operations in flight.
    if (port.unmapPages(task, page, 1, batch) === 0) return;
    const result = yield { kind: 'shootdown', batch: batch as never };
    if (result === 'limbo') return;
    for (const info of w.kernel.describeCores()) {
      if (info.space !== task || info.flushPending) continue;
      const held = w.machine.tlbs[info.core]!.get(page);
      const now = readPte(w, task, page);
      if (held !== undefined && now === 0) throw new Error(`core ${info.core} still holds page ${page}`);
    }
    if (port.hasSpace(task) && readPte(w, task, page) === 0) port.mapPages(task, page, 0x200, 1, 3);
  }

  private *death(task: number): Operation<void> {
    const { port } = this.w.kernel;
    if (!port.hasSpace(task)) return;
    yield { kind: 'pause' };
    const batch = port.newBatch();
    port.removeSpace(task, batch);
    yield { kind: 'shootdown', batch };
    yield { kind: 'pause' };
  }

  private *nothing(): Operation<void> {
    yield { kind: 'pause' };
  }
}

const taskOfThread = (w: World, thread: number): number =>
  w.kernel.describeThreads().find((info) => info.thread === thread)!.task;

function readPte(w: World, task: number, page: number): number {
  const { directory } = w.kernel.describeTasks().find((info) => info.task === task) ?? { directory: 0 };
  if (directory === 0) return 0;
  const pde = w.machine.read32(directory * 4096 + (page >>> 10) * 4);
  return w.machine.read32((pde & ~0xfff) + (page & 1023) * 4);
}

/** Lets everything that is in flight come to its end. */
function settle(w: World): void {
  for (let round = 0; round < 2000 && (w.machine.ipis.length > 0 || !w.kernel.isQuiescent()); round++) {
    w.deliver();
    for (let core = 0; core < CORES; core++) {
      if (w.machine.timers[core]! >= 0) w.fireTimer(core);
      w.machine.counters(core)[CoreF.CYCLES]! += 1000;
    }
  }
}

it('no sequence of system calls, faults and interrupts breaks the kernel', () => {
  const step: fc.Arbitrary<Step> = fc.tuple(
    fc.nat(11),
    fc.nat(CORES - 1),
    fc.nat(40),
    fc.nat(40),
    fc.nat(40),
    fc.nat(40),
  );
  let operations = 0;
  let deaths = 0;
  let shootdowns = 0;
  let interrupts = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 100, maxLength: 300 }), (steps) => {
      const chaos = new Chaos();
      for (const one of steps) {
        if (chaos.w.machine.exitStatus >= 0) break;
        chaos.step(one);
      }
      settle(chaos.w);
      expect(chaos.w.kernel.check()).toEqual([]);
      if (chaos.w.machine.exitStatus < 0) expect(chaos.w.kernel.isQuiescent()).toBe(true);
      operations += chaos.w.kernel.counters.operations;
      shootdowns += chaos.w.kernel.counters.shootdownIpis;
      interrupts += chaos.w.kernel.counters.deviceInterrupts;
      deaths += chaos.w.server.deaths.length;
    }),
    { numRuns: 1000, seed: 11 },
  );
  expect(Math.min(operations, deaths, shootdowns, interrupts)).toBeGreaterThan(100);
});
