import { describe, expect, it } from 'vitest';
import { KernelEv } from '../../../src/abi/events.ts';
import { FAULT_SWITCHES, Fault } from '../../../src/abi/fault-switches.ts';
import { Sys } from '../../../src/abi/syscalls.ts';
import { type KernelFaults, NO_FAULTS } from '../../../src/kernel/config.ts';
import { faults as faultsSchema } from '../../../src/scenario/schema.ts';
import { mapAndServe, PAGE, READ_WRITE, type Traced, twoCores, UNMAP, VA } from './shootdown-world.ts';
import { World } from './world.ts';

const BOUND_CYCLES = 5000;

const broken = (faults: Partial<KernelFaults>): { w: World; traced: Traced } =>
  twoCores(1, { shootdownTimeoutCycles: BOUND_CYCLES, faults: { ...NO_FAULTS, ...faults } });

/** The switches that acted, in order, with what the event says besides. */
const acted = (w: World): readonly (readonly number[])[] =>
  w.machine.eventsOf(KernelEv.FaultInjected).map((event) => event.args);

const mapAgain = (w: World): void => w.kernel.port.mapPages(w.root, PAGE, 0x200, 1, READ_WRITE);

describe('the table of fault switches', () => {
  it('has the names and numbers that scenarios and events use', () => {
    expect(FAULT_SWITCHES.map((fault) => fault.name).sort()).toEqual(Object.keys(faultsSchema.shape).sort());
    expect(new Set(FAULT_SWITCHES.map((fault) => fault.number)).size).toBe(FAULT_SWITCHES.length);
  });
});

describe('skipShootdown', () => {
  it('leaves the other core its stale translation', () => {
    const { w, traced } = broken({ skipShootdown: 'on' });
    w.rpc(0, UNMAP);
    expect(traced.steps.at(-1)).toBe('done');
    expect(w.machine.ipis).toHaveLength(0);
    expect(w.machine.tlbs[1]!.has(PAGE)).toBe(true);
    expect(acted(w)).toEqual([[Fault.SKIP_SHOOTDOWN, 1, 2, 0]]);
  });

  it('says nothing when no other core had the space loaded', () => {
    const w = new World(2, { faults: { ...NO_FAULTS, skipShootdown: 'on' } });
    const child = w.createTask(0);
    w.createThread(0, { task: child.slot, core: 1 });
    mapAndServe(w, w.root);
    w.rpc(0, UNMAP);
    expect(acted(w)).toEqual([]);
  });
});

describe('dontWaitForAcks', () => {
  it('lets the operation go on while the translation is still there', () => {
    const { w, traced } = broken({ dontWaitForAcks: 'on' });
    w.rpc(0, UNMAP);
    expect(traced.steps.at(-1)).toBe('done');
    expect(w.machine.tlbs[1]!.has(PAGE)).toBe(true);
    expect(acted(w)).toEqual([[Fault.DONT_WAIT_FOR_ACKS, 1, 2, 0]]);
    w.deliver();
    expect(w.machine.tlbs[1]!.has(PAGE)).toBe(false);
    expect(w.kernel.isQuiescent()).toBe(true);
  });
});

describe('loseIpi', () => {
  it('is reported, and made good by a second IPI while the operation goes on waiting', () => {
    const { w, traced } = broken({ loseIpi: 1 });
    w.rpc(0, UNMAP);
    expect(w.machine.ipis).toHaveLength(0);
    expect(acted(w)).toEqual([[Fault.LOSE_IPI, 1, 1, 0]]);
    w.fireTimer(0);
    expect(traced.steps.at(-1)).toBe('remote');
    expect(w.machine.eventsOf(KernelEv.ShootdownTimeout)).toHaveLength(1);
    expect(w.machine.tlbs[1]!.has(PAGE)).toBe(true);
    expect(w.kernel.isQuiescent()).toBe(false);
    expect(w.kernel.check()).toEqual([]);
    w.deliver();
    expect(w.machine.tlbs[1]!.has(PAGE)).toBe(false);
    expect(traced.steps.at(-1)).toBe('done');
    expect(w.server.late).toEqual([]);
    expect(w.kernel.isQuiescent()).toBe(true);
  });

  it('counts the IPIs of the whole run', () => {
    const { w } = broken({ loseIpi: 2 });
    w.rpc(0, UNMAP);
    w.deliver();
    mapAgain(w);
    w.rpc(0, UNMAP);
    expect(w.machine.ipis).toHaveLength(0);
    expect(acted(w)).toEqual([[Fault.LOSE_IPI, 2, 1, 0]]);
  });
});

describe('delayIpi', () => {
  it('makes the operation wait longer when the answer still comes in time', () => {
    const { w, traced } = broken({ delayIpi: BOUND_CYCLES - 1000 });
    w.rpc(0, UNMAP);
    expect(w.machine.ipis).toHaveLength(0);
    expect(w.kernel.check()).toEqual([]);
    w.fireTimer(0);
    expect(w.machine.ipis).toHaveLength(1);
    expect(traced.steps.at(-1)).toBe('remote');
    w.deliver();
    expect(traced.steps.at(-1)).toBe('done');
    expect(w.kernel.counters.shootdownTimeouts).toBe(0);
    expect(acted(w)).toEqual([[Fault.DELAY_IPI, 1, 1, BOUND_CYCLES - 1000]]);
  });

  it('beyond the bound leads to a report and a late answer, for which the operation waits', () => {
    const { w, traced } = broken({ delayIpi: BOUND_CYCLES + 1000 });
    w.rpc(0, UNMAP);
    w.fireTimer(0);
    expect(w.kernel.counters.shootdownTimeouts).toBe(1);
    expect(traced.steps.at(-1)).toBe('remote');
    w.fireTimer(0);
    w.deliver();
    expect(traced.steps.at(-1)).toBe('done');
    expect(w.kernel.counters.lateAnswers).toBe(1);
    expect(w.machine.tlbs[1]!.has(PAGE)).toBe(false);
    expect(w.kernel.isQuiescent()).toBe(true);
  });
});

describe('stallCore', () => {
  it('lets the threads of the core run on with the stale translation, and answers late', () => {
    const { w, traced } = broken({ stallCore: { core: 1, cycles: 2 * BOUND_CYCLES } });
    const thread = w.running(1);
    w.rpc(0, UNMAP);
    w.deliver();
    expect(w.running(1)).toBe(thread);
    expect(w.machine.tlbs[1]!.has(PAGE)).toBe(true);
    expect(w.kernel.counters.acks).toBe(0);
    expect(acted(w)).toEqual([[Fault.STALL_CORE, 1, 1, 2 * BOUND_CYCLES]]);
    w.fireTimer(0);
    expect(traced.steps.at(-1)).toBe('remote');
    expect(w.kernel.check()).toEqual([]);
    w.fireTimer(1);
    w.deliver();
    expect(w.machine.tlbs[1]!.has(PAGE)).toBe(false);
    expect(traced.steps.at(-1)).toBe('done');
    expect(w.kernel.isQuiescent()).toBe(true);
  });

  it('is over for good when the time is over', () => {
    const { w, traced } = broken({ stallCore: { core: 1, cycles: BOUND_CYCLES / 2 } });
    w.rpc(0, UNMAP);
    w.deliver();
    w.fireTimer(1);
    w.deliver();
    expect(traced.steps.at(-1)).toBe('done');
    mapAgain(w);
    w.rpc(0, UNMAP);
    w.deliver();
    expect(traced.steps.at(-1)).toBe('done');
    expect(acted(w)).toHaveLength(1);
  });

  it('concerns no other core', () => {
    const { w, traced } = broken({ stallCore: { core: 0, cycles: BOUND_CYCLES } });
    w.rpc(0, UNMAP);
    w.deliver();
    expect(traced.steps.at(-1)).toBe('done');
    expect(acted(w)).toEqual([]);
  });
});

describe('killTaskAt', () => {
  const CHILD = 2;

  function childOnOtherCore(step: number): World {
    const w = new World(2, { faults: { ...NO_FAULTS, killTaskAt: { task: CHILD, step } } });
    const child = w.createTask(0);
    w.createThread(0, { task: child.slot, core: 1 });
    mapAndServe(w, child.task);
    w.machine.touch(1, VA);
    return w;
  }

  it('ends the task at that entry of the kernel and at no other', () => {
    // Entries so far: task_create, thread_create, and the interrupt that wakes core 1.
    const w = childOnOtherCore(5);
    expect(w.kernel.describeTasks()).toHaveLength(2);
    w.syscall(0, Sys.YIELD);
    expect(w.running(1)).not.toBe(0);
    w.syscall(1, Sys.YIELD);
    expect(w.running(1)).toBe(0);
    expect(w.server.deaths).toEqual([CHILD]);
    expect(w.kernel.describeTasks()).toHaveLength(1);
    expect(acted(w)).toEqual([[Fault.KILL_TASK_AT, 5, CHILD, 0]]);
    expect(w.machine.eventsOf(KernelEv.TaskExit)[0]!.args).toEqual([CHILD, 137, 0, 0]);
    expect(w.kernel.check()).toEqual([]);
  });

  it('takes a thread off another core by interrupt', () => {
    const w = childOnOtherCore(4);
    w.syscall(0, Sys.YIELD);
    expect(w.running(1)).not.toBe(0);
    expect(w.server.deaths).toEqual([]);
    w.deliver();
    expect(w.running(1)).toBe(0);
    expect(w.server.deaths).toEqual([CHILD]);
    expect(w.kernel.check()).toEqual([]);
  });

  it('does nothing to a task that is not there', () => {
    const w = new World(2, { faults: { ...NO_FAULTS, killTaskAt: { task: 9, step: 1 } } });
    w.syscall(0, Sys.YIELD);
    expect(acted(w)).toEqual([]);
  });

  it('of the root task ends the run', () => {
    const w = new World(2, { faults: { ...NO_FAULTS, killTaskAt: { task: 1, step: 1 } } });
    w.syscall(0, Sys.YIELD);
    expect(w.machine.exitStatus).toBe(137);
  });
});

describe('switches', () => {
  it('can be set in a running system; those that are not named are off', () => {
    const { w, traced } = broken({ skipShootdown: 'on' });
    w.kernel.setFaults({ dontWaitForAcks: 'on' });
    w.rpc(0, UNMAP);
    expect(traced.steps.at(-1)).toBe('done');
    expect(w.machine.ipis).toHaveLength(1);
    w.deliver();
    w.kernel.setFaults({});
    mapAgain(w);
    w.rpc(0, UNMAP);
    expect(traced.steps.at(-1)).toBe('remote');
  });
});
