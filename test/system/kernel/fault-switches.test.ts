/** Fault switches of the shootdown's interrupts on the real machine, with real guests: reported, and made good. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { R } from '../../../emu/arch/core-layout.ts';
import { KernelEv } from '../../../src/abi/events.ts';
import { FrameState, TAIL } from '../../../src/physmem/base-frames.ts';
import { builtInScenario } from '../../../src/scenario/built-in.ts';
import type { Change } from '../../../src/scenario/scenario.ts';
import { scenarioConfig } from '../../../src/scenario-system.ts';
import { type StopReason, System } from '../../../src/system.ts';
import { checkSystem } from '../../../src/system-check.ts';

const image = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../../guest/bin/${name}.elf`, import.meta.url)));

function run(name: string, faults: Readonly<Record<string, string>>): { system: System; stop: StopReason } {
  const changes: Change[] = Object.entries(faults).map(([path, value]) => ({
    path: `faults.${path}`,
    value,
  }));
  const system = new System(scenarioConfig(builtInScenario(name, changes), { image }));
  return { system, stop: system.run({ maxInstructions: 20_000_000 }) };
}

/** Blocks in limbo; the rows of a block behind its first one say nothing. */
function blocksInLimbo(system: System): number {
  const { state, order } = system.physmem!.store.base;
  return state.filter((value, frame) => value === FrameState.LIMBO && order[frame] !== TAIL).length;
}

describe('a shootdown that a core answers too late', () => {
  it.each([
    ['because an IPI is lost', { loseIpi: '1' }],
    ['because the IPIs are late', { delayIpi: '3M' }],
    ['because it is stalled', { 'stallCore.core': '1', 'stallCore.cycles': '3M' }],
  ])('%s, is reported, answers after all, and nothing stays in limbo', (_, faults) => {
    const { system, stop } = run('story', faults);
    expect(stop).toEqual({ kind: 'exit', status: 0 });
    expect(system.trace.count(KernelEv.FaultInjected)).toBeGreaterThan(0);
    expect(system.kernel.counters.shootdownTimeouts).toBeGreaterThan(0);
    expect(system.kernel.counters.lateAnswers).toBeGreaterThan(0);
    expect(blocksInLimbo(system)).toBe(0);
  });
});

describe('a revocation while a core is late', () => {
  const CORE = 1;
  const IF = 1 << 9;

  /** Runs scenario stale to the revocation, turns interrupts off on the reader's core, and runs on. */
  function revokeFromDeafCore(): { system: System; stop: StopReason; said: () => string } {
    const system = new System(scenarioConfig(builtInScenario('stale', []), { image }));
    let said = '';
    system.onConsole = (bytes) => {
      said += String.fromCharCode(...bytes);
    };
    while (!said.includes('I revoke')) if (!system.step()) throw new Error('the run ended early');
    system.machine.cores[CORE]!.r[R.EFLAGS]! &= ~IF;
    return { system, stop: system.run({ maxInstructions: 100_000_000 }), said: () => said };
  }

  it.each([
    ['because its IPIs are late', { delayIpi: '3M' }],
    ['because an IPI is lost', { loseIpi: '1' }],
    ['so late that it is declared dead', { 'stallCore.core': '1', 'stallCore.cycles': '60M' }],
  ])('%s, shows it no secret: success is reported only when the translation is gone', (_, faults) => {
    const { system, stop } = run('stale', faults);
    expect(stop).toEqual({ kind: 'exit', status: 0 });
    expect(system.kernel.counters.shootdownTimeouts).toBe(1);
    expect(system.kernel.counters.coresDead).toBe('stallCore.core' in faults ? 1 : 0);
    expect(checkSystem(system)).toEqual([]);
  });

  it('that never enters the kernel again fails with ETIMEDOUT, and the reason is told in a sentence', () => {
    const { system, stop, said } = revokeFromDeafCore();
    expect(said()).toMatch(/container_revoke failed: ETIMEDOUT: .*a core is silent and may still use/);
    expect(stop).toEqual({ kind: 'exit', status: 1 });
    expect(system.kernel.describeCores()[CORE]).toMatchObject({ dead: true, mailbox: 1 });
    expect(system.kernel.describeShootdowns()).toMatchObject([{ gaveUp: true, missingMask: 1 << CORE }]);
    expect(system.isQuiescent).toBe(false);
    expect(checkSystem(system)).toEqual([]);
  });
});
