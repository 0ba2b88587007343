/**
 * Devices and pins against each other, from guest code on the real machine (adversarial cases F3 to F5, F31, F32): after
 * every server operation the whole state is checked, and every access of a device is judged.
 */
import { describe, expect, it } from 'vitest';
import { explainDma, PORT_DMA_DISK } from '../../../emu/arch/dma.ts';
import { Ev } from '../../../emu/arch/events.ts';
import { DiskCommand } from '../../../emu/dev/dma-disk.ts';
import { KernelEv, PhysmemEv } from '../../../src/abi/events.ts';
import type { Store } from '../../../src/physmem/store.ts';
import { System } from '../../../src/system.ts';
import { checkSystem } from '../../../src/system-check.ts';
import { answers, type Changes, configOf, trial } from './trial.ts';

const PAGES = 15;

describe('a disk driver', () => {
  const story = trial('disk-driver', {}, [PhysmemEv.Move, PhysmemEv.Quarantine]);

  it('moves its client’s memory while others use it, and no rule is broken (F31, copies before and during a pin)', () => {
    expect(story.failure).toBeNull();
    expect(answers(story.output, 'NO')).toEqual([]);
    expect(answers(story.output, 'yes')).toHaveLength(14);
    expect(story.events.filter(({ kind }) => kind === PhysmemEv.Move).length).toBeGreaterThan(0);
  });

  it('leaves nothing pinned, nothing in quarantine and no device aimed at memory', () => {
    const { store } = story.system.physmem!;
    expect([store.pins.pages, store.pins.quarantine.size]).toEqual([0, 0]);
    expect(story.system.machine.dmaActivity()).toEqual([]);
    const { blockedCount, unallowedCount } = story.system.machine.ioProtection;
    expect([blockedCount, unallowedCount]).toEqual([0, 0]);
  });

  it('says of impossible transfers what the machine says of them, with their numbers', () => {
    const requests = [...story.output.matchAll(/^driver: channel (\d+), (\d+) bytes at (\w+): EINVAL\n/gm)];
    expect(requests).toHaveLength(9);
    const text = story.output.replace(/\ndriver: {3}/g, ' ');
    for (const [, channel, length, address] of requests) {
      const found = explainDma({
        channel: Number(channel),
        length: Number(length),
        address: Number(address),
      });
      expect(text).toContain(`at ${address}: EINVAL ${found!.sentence}`);
    }
  });

  it.each<[string, Changes]>([
    ['one core', { 'machine.cores': 1 }],
    ['less than 16 MiB', { 'machine.ram': '12M' }],
  ])('does it with %s, too', (_what, changes) => {
    const { failure, output } = trial('disk-driver', changes);
    expect([failure, answers(output, 'NO')]).toEqual([null, []]);
  });

  it('does the same on the translator', () => {
    const other = trial('disk-driver', { 'machine.engine': 'translator' });
    expect([other.failure, other.output]).toEqual([null, story.output]);
    expect(other.system.cycles).toBe(story.system.cycles);
  });

  it('does the same with a unit that holds devices to the pinned frames: it needs nothing else', () => {
    const held = trial('disk-driver', { 'machine.ioProtection': 'on' });
    expect([held.failure, held.output]).toEqual([null, story.output]);
    expect(held.system.machine.ioProtection.blockedCount).toBe(0);
  });

  it.each([
    ['disk-driver', /^I24: pin/],
    ['disk-driver-dies', /^I20: base frame \d+, order \d, is freed, and a device can still reach it/],
  ])('is found out in %s when pins are ignored: memory is freed under a device', (name, rule) => {
    const { failure } = trial(name, { 'faults.ignorePins': 'on' });
    expect(failure?.kind).toBe('state');
    expect(failure!.sentences[0]).toMatch(rule);
  });
});

/** The driver is dead and its disk has broken off the transfer: the channel stays aimed, and nothing will ever move. */
function orphaned(): { system: System; store: () => Store } {
  const system = new System(configOf('disk-driver-dies'));
  let isDead = false;
  system.trace.listen(({ kind }) => {
    if (kind === KernelEv.TaskExit) isDead = true;
  });
  system.run({ until: () => isDead });
  system.machine.io.write(PORT_DMA_DISK, 1, DiskCommand.Abort, 0);
  return { system, store: () => system.physmem!.store };
}

describe('a driver that dies in the middle of a transfer (F3)', () => {
  it('leaves its frames in quarantine until the device is quiet; nobody else’s memory is hit', () => {
    const kinds = [KernelEv.TaskExit, PhysmemEv.Quarantine, PhysmemEv.PinDrain, PhysmemEv.PinEnd, Ev.DmaDone];
    const { failure, output, events, system } = trial('disk-driver-dies', {}, kinds);
    expect(failure).toBeNull();
    expect(answers(output, 'NO')).toEqual([]);
    const order = events.slice(0, 5).map(({ kind }) => kind);
    expect(order[0]).toBe(KernelEv.TaskExit);
    expect(order[1]).toBe(PhysmemEv.PinDrain);
    const quarantined = events.filter(({ kind }) => kind === PhysmemEv.Quarantine);
    expect(quarantined.reduce((sum, { b }) => sum + 2 ** b, 0)).toBe(PAGES);
    const quiet = events.findIndex(({ kind }) => kind === Ev.DmaDone);
    const end = events.findIndex(({ kind }) => kind === PhysmemEv.PinEnd);
    expect(quiet).toBeGreaterThan(1);
    expect(end).toBeGreaterThan(quiet);
    expect(system.physmem!.store.pins.quarantine.size).toBe(0);
  });

  it('keeps them there as long as the device stays aimed: until somebody resets it', () => {
    const { system, store } = orphaned();
    system.run({ maxCycles: 2_000_000, until: () => store().pins.quarantine.size === 4 });
    const clients = system.cycles;
    expect(system.machine.dmaActivity()).toMatchObject([{ device: 'dma-disk', state: 'running' }]);
    // The next driver resets device and channel before it does anything else.
    const seen: string[] = [];
    system.run({
      maxCycles: 20_000_000,
      until: () => {
        seen.push(
          `${store().pins.quarantine.size} quarantined, ${system.machine.dmaActivity().length} aimed`,
        );
        return store().pins.quarantine.size === 0;
      },
    });
    expect([...new Set(seen)]).toEqual([
      '4 quarantined, 1 aimed',
      '4 quarantined, 0 aimed',
      '0 quarantined, 0 aimed',
    ]);
    expect(system.cycles).toBeGreaterThan(clients + 100_000);
    expect(checkSystem(system)).toEqual([]);
  });

  it('loses the memory at once where a unit can take it from the device', () => {
    const kinds = [KernelEv.TaskExit, PhysmemEv.PinEnd, PhysmemEv.PinDrain, Ev.DmaBlocked];
    const { events } = trial('disk-driver-dies', { 'machine.ioProtection': 'on' }, kinds);
    const order = events.map(({ kind }) => kind);
    expect(order.slice(0, 2)).toEqual([KernelEv.TaskExit, PhysmemEv.PinEnd]);
    expect(order).not.toContain(PhysmemEv.PinDrain);
    expect(order).toContain(Ev.DmaBlocked);
  });
});

describe('an owner that dies in the middle of a transfer', () => {
  it('gives its credit back, what is pinned when the device is done', () => {
    const { failure, output, system } = trial('disk-owner-dies');
    expect(failure).toBeNull();
    expect(output).toContain('part of the credit waits for the device');
    expect(system.physmem!.store.pins.pages).toBe(0);
  });

  it('takes the memory from the device at once where a unit can; the driver’s pin holds the frames to its end', () => {
    const kinds = [PhysmemEv.ControlDestroy, Ev.DmaBlocked, PhysmemEv.PinEnd];
    const { failure, output, events } = trial('disk-owner-dies', { 'machine.ioProtection': 'on' }, kinds);
    expect(failure).toBeNull();
    expect(output).toContain('part of the credit waits for the device');
    const order = events.map(({ kind }) => kind);
    const blocked = order.indexOf(Ev.DmaBlocked);
    expect(blocked).toBeGreaterThanOrEqual(0);
    expect(order.lastIndexOf(PhysmemEv.PinEnd)).toBeGreaterThan(blocked);
  });
});

describe('a pin that ends while the device writes (F4)', () => {
  it('drains: the writes land in held frames, each is told, and the memory is free when the device is quiet', () => {
    const kinds = [PhysmemEv.PinDrain, PhysmemEv.PinEnd, Ev.DmaUnallowed, Ev.DmaDone];
    const { failure, output, events, system } = trial('disk-expiry', {}, kinds);
    expect(failure).toBeNull();
    expect(answers(output, 'NO')).toEqual([]);
    expect(output).toContain('driver: the pin is over: physmem_unpin says EBADF');
    const order = events.map(({ kind }) => kind);
    const told = order.filter((kind) => kind === Ev.DmaUnallowed).length;
    expect(told).toBe(system.machine.ioProtection.unallowedCount);
    expect(told).toBeGreaterThan(10);
    expect(order[0]).toBe(PhysmemEv.PinDrain);
    expect(order.indexOf(PhysmemEv.PinEnd)).toBeGreaterThan(order.lastIndexOf(Ev.DmaUnallowed));
  });

  it('with a unit between them is over at once: what the device still writes is held back', () => {
    const { output, events, system } = trial('disk-expiry', { 'machine.ioProtection': 'on' }, [
      PhysmemEv.PinDrain,
    ]);
    expect(events).toEqual([]);
    expect(system.machine.ioProtection.blockedCount).toBeGreaterThan(10);
    expect(answers(output, 'yes')).toContain('the new memory in its place was not hit');
    expect(answers(output, 'NO')).toContain('what I deallocated stayed charged, in quarantine');
  });
});

describe('a driver that uses memory which is not pinned (F5)', () => {
  it('is blocked and reported where there is a unit, and nobody is damaged', () => {
    const { failure, output, system } = trial('disk-rogue');
    expect(failure).toBeNull();
    expect(answers(output, 'yes')).toEqual(['what the driver gave back was not hit again']);
    const { blockedCount, lastBlocked } = system.machine.ioProtection;
    expect(blockedCount).toBe(512 / 128);
    expect(lastBlocked).toMatchObject({ channel: 3, direction: 'write', sizeBytes: 128 });
  });

  it('is found by the checker and by the watch of devices where there is none', () => {
    const { failure } = trial('disk-rogue', { 'machine.ioProtection': 'report' });
    expect(failure?.kind).toBe('state');
    expect(failure!.sentences[0]).toMatch(
      /^I20: (channel 3, a write of 128 bytes hits|the dma-disk aims at)/,
    );
  });
});
