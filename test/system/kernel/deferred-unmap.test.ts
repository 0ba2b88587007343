/**
 * Deferred unmap with real tasks on the real machine (physmem.md §6.6): what the interrupts are that it saves, that nobody
 * sees a difference, and how the debug shadow judges who uses what was left in a TLB.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { KernelEv, PhysmemEv } from '../../../src/abi/events.ts';
import { Op } from '../../../src/abi/rpcs.ts';
import { StaleWatch } from '../../../src/explore/stale-watch.ts';
import { builtInScenario } from '../../../src/scenario/built-in.ts';
import { scenarioConfig } from '../../../src/scenario-system.ts';
import { System } from '../../../src/system.ts';
import { checkSystem } from '../../../src/system-check.ts';

const USER = 4;
const image = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../../guest/bin/${name}.elf`, import.meta.url)));

function library(settings: Readonly<Record<string, string>>): { system: System; said: () => string } {
  const changes = Object.entries({ poison: 'off', ...settings }).map(([path, value]) => ({ path, value }));
  const system = new System(scenarioConfig(builtInScenario('library', changes), { image }));
  let said = '';
  system.onConsole = (bytes) => {
    said += String.fromCharCode(...bytes);
  };
  return { system, said: () => said };
}

/** Runs to the end; the whole system is checked after every `every`-th deallocation and every flush of the list. */
function runChecked(system: System, every: number): string[] {
  let isDue = false;
  let seen = 0;
  const broken: string[] = [];
  system.trace.listen(({ kind, b }) => {
    if (kind === PhysmemEv.DeferFlush) isDue = true;
    if (kind === KernelEv.OpDone && b === Op.DEALLOCATE) {
      seen += 1;
      if (seen % every === 0) isDue = true;
    }
  });
  while (broken.length === 0 && system.step()) {
    if (!isDue || system.kernel.operationsInFlight > 0) continue;
    isDue = false;
    broken.push(...checkSystem(system));
  }
  return broken;
}

/** Runs to the first deferred unmap; says where one is: task, first linear address. */
function runToDeferral(system: System): { core: number; task: number; va: number } {
  while (system.physmem === null || system.physmem.counters.deferredPages === 0) {
    if (!system.step()) throw new Error('nothing was deferred');
  }
  const [run] = system.physmem.store.deferred.runs;
  const { task, page } = run!;
  for (const { core, space } of system.kernel.describeCores()) {
    const isHeld = system.machine.tlb.entries(core).some((entry) => entry.va === page * 4096 && entry.stale);
    if (space === task && isHeld) return { core, task, va: page * 4096 };
  }
  throw new Error('no TLB holds it');
}

describe('a library that 32 tasks drop, page by page, while they run on two cores', () => {
  it('saves nearly all interrupts with deferred unmap, and the tasks say the same', () => {
    const on = library({});
    const off = library({ deferredUnmap: 'off' });
    expect(runChecked(on.system, 16)).toEqual([]);
    expect(off.system.run()).toEqual({ kind: 'exit', status: 0 });
    expect(on.said()).toBe(off.said());
    const saved = on.system.kernel.counters.shootdownIpis;
    const spent = off.system.kernel.counters.shootdownIpis;
    expect(spent).toBeGreaterThan(400);
    expect(saved / spent).toBeLessThan(0.03);
    expect(on.system.physmem!.counters.deferredPages).toBeGreaterThan(500);
    expect(off.system.physmem!.counters.deferredPages).toBe(0);
    expect(on.system.cycles).toBeLessThan(off.system.cycles);
    expect(on.system.physmem!.store.deferred.isEmpty).toBe(true);
  });

  it('goes on from a snapshot that was taken while unmaps were deferred', () => {
    const { system } = library({});
    runToDeferral(system);
    system.runUntilQuiescent();
    expect(system.physmem!.store.deferred.isEmpty).toBe(false);
    const bytes = system.save();
    const first = system.run();
    const cycles = system.cycles;
    const changes = [{ path: 'poison', value: 'off' }];
    const config = scenarioConfig(builtInScenario('library', changes), { image });
    const again = System.restore(config, bytes);
    expect(again.run()).toEqual(first);
    expect(again.cycles).toBe(cycles);
    expect(again.physmem!.counters).toEqual(system.physmem!.counters);
  });

  it('is flushed by the alarm of the kernel when nobody asks for anything', () => {
    const { system } = library({});
    runToDeferral(system);
    const { deadline } = system.physmem!.store.deferred;
    while (system.physmem!.store.deferred.deadline === deadline) if (!system.step()) break;
    expect(system.cycles).toBeLessThan(deadline + 200_000);
    expect(system.physmem!.counters.deferredFlushes).toBe(1);
  });
});

describe('the debug shadow', () => {
  it('lets a read through a deferred unmap pass, and counts it; a write faults', () => {
    const { system } = library({});
    const { core, va } = runToDeferral(system);
    const watch = new StaleWatch(system);
    const before = system.machine.mmu.read(core, va + 4092, 4, USER);
    expect(before).toBe(0);
    expect([watch.deferredUses, watch.take()]).toEqual([1, []]);
    expect(checkSystem(system)).toEqual([]);
    watch.stop();
  });

  it('and the checker call it a violation when it is on no list', () => {
    const { system } = library({});
    const { core, va } = runToDeferral(system);
    const watch = new StaleWatch(system);
    system.physmem!.store.deferred.take();
    system.machine.mmu.read(core, va + 4092, 4, USER);
    expect(watch.take()).toEqual([expect.stringMatching(/^I18: core \d read through a translation of 0x/)]);
    expect(checkSystem(system)).toContainEqual(
      expect.stringMatching(/^I18: the TLB of core \d still translates/),
    );
    watch.stop();
  });
});

describe('the fault switch deferUnsafe', () => {
  it('is found by the checker on the real machine, too: a list without bounds is overdue', () => {
    const slow = { 'machine.costs.serverRequest': '3000' };
    const { system } = library({ 'faults.deferUnsafe': 'unbounded', ...slow });
    expect(runChecked(system, 8)).toContainEqual(
      expect.stringMatching(/^I18: deferred unmaps are \d+ cycles overdue/),
    );
    expect(system.trace.count(KernelEv.FaultInjected)).toBeGreaterThan(0);
  });
});
