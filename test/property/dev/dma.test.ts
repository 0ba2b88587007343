/** Hostile programming of the DMA devices: no byte is touched that was not announced, or that is not allowed. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PORT_BUS_MASTER } from '../../../emu/arch/dma.ts';
import { IoAccess } from '../../../emu/dev/io-protection.ts';
import type { Machine } from '../../../emu/machine.ts';
import { decode, encode } from '../../../emu/plain-data-codec.ts';
import { dmaPort } from '../../unit/dev/dma-fixture.ts';
import { apply, fireOne, makeMachine, portsOf, RAM_BYTES, steps } from './dma-steps.ts';

/** A machine as after power-on, made once and reset by a snapshot: memory for a new one takes longer than a run. */
function reusable(mode: 'on' | 'off'): () => Machine {
  const machine = makeMachine(mode);
  const start = machine.save();
  return () => {
    machine.load(start);
    machine.bus.observer = null;
    machine.onDmaQuiet = null;
    return machine;
  };
}
const powerOn = { on: reusable('on'), off: reusable('off') };
const other = { on: reusable('on') };

const stateOf = ({ board, clock }: Machine) => Buffer.from(encode([board.save(), clock.save()]));
const isSame = (a: Machine, b: Machine) =>
  stateOf(a).equals(stateOf(b)) && Buffer.compare(a.memory.ram, b.memory.ram) === 0;

describe('DMA under any programming', () => {
  it.each(['off', 'on'] as const)('touches only what was announced just before (protection %s)', (mode) => {
    fc.assert(
      fc.property(steps, (all) => {
        const machine = powerOn[mode]();
        const touched: { pa: number; size: number; kind: string }[] = [];
        for (let frame = 0; frame < RAM_BYTES / 4096; frame++) machine.bus.observe(frame);
        let isDma = false;
        machine.bus.observer = {
          access: (pa, size, kind) => void (isDma && touched.push({ pa, size, kind })),
        };
        const watched = () => {
          const announced = machine.dmaActivity();
          touched.length = 0;
          isDma = true;
          const fired = fireOne(machine);
          isDma = false;
          for (const { pa, size, kind } of touched) {
            const direction = kind === 'write' ? 'to-memory' : 'from-memory';
            const isAnnounced = announced.some(
              (t) => t.direction === direction && t.address <= pa && pa + size <= t.address + t.sizeBytes,
            );
            expect(isAnnounced, `${kind} ${pa.toString(16)}+${size} of ${JSON.stringify(announced)}`).toBe(
              true,
            );
            const wanted = kind === 'write' ? IoAccess.Write : IoAccess.Read;
            expect(machine.ioProtection.rights(pa >>> 12, 3) & wanted).toBe(wanted);
          }
          return fired;
        };
        for (const step of all) apply(machine, step, watched);
      }),
      { numRuns: 200 },
    );
  });

  it('is quiet once every channel is masked and the bus master is reset, and stays so', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const machine = powerOn.off();
        for (const step of all) apply(machine, step, fireOne);
        const ports = portsOf(machine);
        for (const channel of [0, 4]) ports.out(dmaPort(channel, 13), 0);
        ports.out(PORT_BUS_MASTER, 5, 4);
        expect(machine.dmaActivity()).toEqual([]);
        const before = Buffer.from(machine.memory.ram.slice());
        for (let i = 0; i < 1000 && fireOne(machine); i++);
        expect(before.equals(machine.memory.ram)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it('goes on from a snapshot as if nothing had happened', () => {
    fc.assert(
      fc.property(steps, steps, (before, after) => {
        const first = powerOn.on();
        for (const step of before) apply(first, step, fireOne);
        const second = other.on();
        second.load(decode(encode(first.save())));
        expect(isSame(first, second)).toBe(true);
        for (const step of after) for (const machine of [first, second]) apply(machine, step, fireOne);
        expect(isSame(first, second)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('tells of every channel that stops aiming at its memory, or is aimed elsewhere', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const machine = powerOn.off();
        const told = new Set<number>();
        machine.onDmaQuiet = (channel) => void told.add(channel);
        /** Targets by channel; `how` tells whether bytes that have moved in the meantime count as a change. */
        const aims = (how: 'exactly' | 'at all') => {
          const targets = new Map<number, string>();
          for (const { channel, address, sizeBytes, direction } of machine.dmaActivity()) {
            const text = how === 'at all' ? '' : `${address}+${sizeBytes} ${direction} `;
            targets.set(channel, (targets.get(channel) ?? '') + text);
          }
          return targets;
        };
        const check = (how: 'exactly' | 'at all', act: () => void) => {
          const before = aims(how);
          told.clear();
          act();
          const after = aims(how);
          for (const [channel, targets] of before) {
            if (after.get(channel) !== targets) expect([...told]).toContain(channel);
          }
        };
        const fire = (it: Machine) => {
          let fired = false;
          check('at all', () => {
            fired = fireOne(it);
          });
          return fired;
        };
        for (const step of all) {
          if (step.kind === 'time') apply(machine, step, fire);
          else check('exactly', () => apply(machine, step, fire));
        }
      }),
      { numRuns: 200 },
    );
  });
});
