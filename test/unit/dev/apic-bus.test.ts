import { beforeEach, describe, expect, it } from 'vitest';
import { LAPIC_BASE } from '../../../emu/arch/address-map.ts';
import type { PlainData } from '../../../emu/arch/ports.ts';
import { ApicBus } from '../../../emu/dev/apic-bus.ts';
import { Delivery } from '../../../emu/dev/interrupt-ports.ts';
import { LapicReg } from '../../../emu/dev/lapic.ts';
import { FakeClock, FakeSignals } from './fixtures.ts';

const LATENCY = 1000;
const MASKED = 0x10000;

let clock: FakeClock;
let signals: FakeSignals;
let bus: ApicBus;
let eois: number[];
let charged: number[];

function makeBus(): ApicBus {
  clock = new FakeClock();
  signals = new FakeSignals();
  eois = [];
  charged = [];
  return new ApicBus(4, {
    signals,
    clock,
    events: { sink: null },
    ipiDeliverCycles: LATENCY,
    chargeIpiSend: (core) => charged.push(core),
    broadcastEoi: (vector) => eois.push(vector),
    acknowledgeExtInt: () => 0x27,
  });
}

const read = (core: number, reg: number) => bus.read(LAPIC_BASE + reg, 4, core);
const write = (core: number, reg: number, value: number) => bus.write(LAPIC_BASE + reg, 4, value >>> 0, core);
const enable = (core: number) => write(core, LapicReg.Svr, 0x1ff);
const interrupt = (core: number, vector: number) => bus.lapics[core]!.accept(fixed(vector));
const fixed = (vector: number, trigger: 'edge' | 'level' = 'edge') => ({
  delivery: Delivery.Fixed,
  vector,
  trigger,
});

beforeEach(() => {
  bus = makeBus();
  for (let core = 0; core < 4; core++) enable(core);
});

describe('the local APIC register window', () => {
  it('shows every core its own APIC', () => {
    expect([0, 1, 2, 3].map((core) => read(core, LapicReg.Id) >>> 24)).toEqual([0, 1, 2, 3]);
  });

  it('reads zero for a master that is no core and ignores its writes', () => {
    write(-1, LapicReg.Tpr, 0x20);
    expect(read(-1, LapicReg.Id)).toBe(0);
    expect(read(0, LapicReg.Tpr)).toBe(0);
  });

  it('reports version 0x14 with five LVT entries', () => {
    expect(read(0, LapicReg.Version)).toBe(0x00040014);
  });

  it('gives the bytes of a register to narrow reads and ignores narrow writes', () => {
    expect(bus.read(LAPIC_BASE + LapicReg.Version + 2, 1, 0)).toBe(0x04);
    bus.write(LAPIC_BASE + LapicReg.Tpr, 1, 0x55, 0);
    expect(read(0, LapicReg.Tpr)).toBe(0);
  });

  it('records an unknown register in ESR, readable after a write of ESR', () => {
    read(0, 0x3f0);
    expect(read(0, LapicReg.Esr)).toBe(0);
    write(0, LapicReg.Esr, 0);
    expect(read(0, LapicReg.Esr)).toBe(0x80);
    write(0, LapicReg.Esr, 0);
    expect(read(0, LapicReg.Esr)).toBe(0);
  });
});

describe('interrupt acceptance and priority', () => {
  it('raises INTR for a vector, and lowers it when the vector is taken', () => {
    interrupt(0, 0x40);
    expect(signals.intr[0]).toBe(1);
    expect(read(0, LapicReg.Irr + 0x20)).toBe(1);
    expect(bus.acknowledge(0)).toBe(0x40);
    expect(signals.intr[0]).toBe(0);
    expect(read(0, LapicReg.Isr + 0x20)).toBe(1);
    expect(read(0, LapicReg.Irr + 0x20)).toBe(0);
  });

  it('takes the highest vector first and holds lower classes until EOI', () => {
    for (const vector of [0x41, 0x52, 0x45]) interrupt(0, vector);
    expect(bus.acknowledge(0)).toBe(0x52);
    expect(signals.intr[0]).toBe(0);
    write(0, LapicReg.Eoi, 0);
    expect(signals.intr[0]).toBe(1);
    expect(bus.acknowledge(0)).toBe(0x45);
    write(0, LapicReg.Eoi, 0);
    expect(bus.acknowledge(0)).toBe(0x41);
  });

  it('holds a vector of the same class as the one in service', () => {
    interrupt(0, 0x41);
    bus.acknowledge(0);
    interrupt(0, 0x4f);
    expect(signals.intr[0]).toBe(0);
    interrupt(0, 0x50);
    expect(signals.intr[0]).toBe(1);
  });

  it('blocks classes up to the task priority, and PPR tells which', () => {
    write(0, LapicReg.Tpr, 0x43);
    interrupt(0, 0x4f);
    expect(signals.intr[0]).toBe(0);
    expect(read(0, LapicReg.Ppr)).toBe(0x43);
    write(0, LapicReg.Tpr, 0x3f);
    expect(signals.intr[0]).toBe(1);
    bus.acknowledge(0);
    expect(read(0, LapicReg.Ppr)).toBe(0x40);
  });

  it('gives the spurious vector when nothing waits any more', () => {
    interrupt(0, 0x40);
    write(0, LapicReg.Tpr, 0xf0);
    expect(bus.acknowledge(0)).toBe(0xff);
    expect(read(0, LapicReg.Isr + 0xe0 - 0x80)).toBe(0);
  });

  it('loses fixed interrupts while it is software-disabled, and masks its LVT', () => {
    write(0, LapicReg.LvtTimer, 0x30);
    write(0, LapicReg.Svr, 0xff);
    interrupt(0, 0x40);
    expect(signals.intr[0]).toBe(0);
    expect(read(0, LapicReg.LvtTimer)).toBe(MASKED | 0x30);
    write(0, LapicReg.LvtTimer, 0x30);
    expect(read(0, LapicReg.LvtTimer)).toBe(MASKED | 0x30);
  });

  it('refuses vectors below 16 and counts them as received errors', () => {
    write(0, LapicReg.LvtError, 0xfe);
    interrupt(0, 0x0f);
    write(0, LapicReg.Esr, 0);
    expect(read(0, LapicReg.Esr)).toBe(0x40);
    expect(bus.acknowledge(0)).toBe(0xfe);
  });

  it('tells the I/O APIC of the EOI of a level-triggered vector only', () => {
    bus.lapics[0]!.accept(fixed(0x40, 'level'));
    expect(read(0, LapicReg.Tmr + 0x20)).toBe(1);
    bus.acknowledge(0);
    write(0, LapicReg.Eoi, 0);
    interrupt(0, 0x50);
    bus.acknowledge(0);
    write(0, LapicReg.Eoi, 0);
    expect(eois).toEqual([0x40]);
  });
});

describe('interprocessor interrupts', () => {
  it('arrive after the latency, with delivery status pending until then', () => {
    write(0, LapicReg.IcrHigh, 2 << 24);
    write(0, LapicReg.IcrLow, 0x4060);
    expect(read(0, LapicReg.IcrLow) & 0x1000).toBe(0x1000);
    clock.advance(LATENCY - 1);
    expect(signals.intr[2]).toBe(0);
    clock.advance(LATENCY);
    expect(signals.intr[2]).toBe(1);
    expect(read(0, LapicReg.IcrLow) & 0x1000).toBe(0);
    expect(bus.acknowledge(2)).toBe(0x60);
    expect(charged).toEqual([0]);
  });

  it('reach oneself at once by the self shorthand', () => {
    write(1, LapicReg.IcrLow, 0x44070);
    clock.advance(0);
    expect(signals.intr).toEqual([0, 1, 0, 0]);
  });

  it('reach all by the all shorthands', () => {
    write(1, LapicReg.IcrLow, 0xc4070);
    clock.advance(LATENCY);
    expect(signals.intr).toEqual([1, 0, 1, 1]);
    write(1, LapicReg.IcrLow, 0x84071);
    clock.advance(2 * LATENCY);
    expect(signals.intr).toEqual([1, 1, 1, 1]);
  });

  it('reach all by the physical broadcast ID and nobody by an ID that is not there', () => {
    write(0, LapicReg.IcrHigh, 9 << 24);
    write(0, LapicReg.IcrLow, 0x4070);
    clock.advance(LATENCY);
    expect(signals.intr).toEqual([0, 0, 0, 0]);
    write(0, LapicReg.IcrHigh, 0xff << 24);
    write(0, LapicReg.IcrLow, 0x4070);
    clock.advance(2 * LATENCY);
    expect(signals.intr).toEqual([1, 1, 1, 1]);
  });

  it('match logical destinations in the flat and in the cluster model', () => {
    for (let core = 0; core < 4; core++) write(core, LapicReg.Ldr, 1 << (24 + core));
    write(0, LapicReg.IcrHigh, 0x0a << 24);
    write(0, LapicReg.IcrLow, 0x4870);
    clock.advance(LATENCY);
    expect(signals.intr).toEqual([0, 1, 0, 1]);

    for (let core = 0; core < 4; core++) {
      write(core, LapicReg.Dfr, 0x0fffffff);
      write(core, LapicReg.Ldr, ((core < 2 ? 0x10 : 0x20) | (1 << (core & 1))) << 24);
      if (signals.intr[core] === 1) bus.acknowledge(core);
      write(core, LapicReg.Eoi, 0);
    }
    write(0, LapicReg.IcrHigh, 0x21 << 24);
    write(0, LapicReg.IcrLow, 0x4870);
    clock.advance(2 * LATENCY);
    expect(signals.intr).toEqual([0, 0, 1, 0]);
  });

  it('of lowest priority go to one core, the least busy', () => {
    write(0, LapicReg.Tpr, 0x30);
    write(1, LapicReg.Tpr, 0x20);
    write(2, LapicReg.Tpr, 0x10);
    write(3, LapicReg.Tpr, 0x10);
    write(0, LapicReg.IcrLow, 0x84170);
    clock.advance(LATENCY);
    expect(signals.intr).toEqual([0, 0, 1, 0]);
  });

  it('with a vector below 16 are not sent, and the sender gets the error', () => {
    write(0, LapicReg.IcrLow, 0xc400f);
    write(0, LapicReg.Esr, 0);
    expect(read(0, LapicReg.Esr)).toBe(0x20);
    expect(charged).toEqual([]);
  });

  it('carry NMI, INIT and SIPI, and INIT resets the target APIC but not its ID', () => {
    write(0, LapicReg.IcrHigh, 1 << 24);
    write(0, LapicReg.IcrLow, 0x4400);
    clock.advance(LATENCY);
    write(0, LapicReg.IcrLow, 0xc500);
    clock.advance(2 * LATENCY);
    write(0, LapicReg.IcrLow, 0x8500);
    clock.advance(3 * LATENCY);
    write(0, LapicReg.IcrLow, 0x4608);
    clock.advance(4 * LATENCY);
    expect(signals.log).toEqual(['nmi 1', 'init 1', 'startup 1 8']);
    expect(read(1, LapicReg.Svr)).toBe(0xff);
    expect(read(1, LapicReg.Id) >>> 24).toBe(1);
  });

  it('of equal arrival keep the order of sending', () => {
    write(0, LapicReg.IcrHigh, 3 << 24);
    write(0, LapicReg.IcrLow, 0x4400);
    write(0, LapicReg.IcrLow, 0x4500);
    clock.advance(LATENCY);
    expect(signals.log).toEqual(['nmi 3', 'init 3']);
  });
});

describe('the local timer', () => {
  it('counts down by the divisor and fires once', () => {
    write(0, LapicReg.LvtTimer, 0x31);
    write(0, LapicReg.TimerDivide, 0x3);
    write(0, LapicReg.TimerInitial, 10);
    clock.advance(80);
    expect(read(0, LapicReg.TimerCurrent)).toBe(5);
    expect(signals.intr[0]).toBe(0);
    clock.advance(160);
    expect(bus.acknowledge(0)).toBe(0x31);
    expect(read(0, LapicReg.TimerCurrent)).toBe(0);
    clock.advance(1000);
    expect(signals.intr[0]).toBe(0);
  });

  it('knows the eight divisors', () => {
    const divisors = [0, 1, 2, 3, 8, 9, 10, 11].map((code) => {
      write(0, LapicReg.TimerDivide, code);
      write(0, LapicReg.TimerInitial, 1);
      return clock.deadline(bus.lapics[0]!.timer);
    });
    expect(divisors).toEqual([2, 4, 8, 16, 32, 64, 128, 1]);
  });

  it('repeats in periodic mode without drift, even when it is served late', () => {
    write(0, LapicReg.TimerDivide, 0xb);
    write(0, LapicReg.LvtTimer, 0x20031);
    write(0, LapicReg.TimerInitial, 100);
    clock.advance(250);
    expect(clock.deadline(bus.lapics[0]!.timer)).toBe(300);
    expect(read(0, LapicReg.TimerCurrent)).toBe(50);
  });

  it('counts on while it is masked, and stops when the count is set to zero', () => {
    write(0, LapicReg.TimerDivide, 0xb);
    write(0, LapicReg.TimerInitial, 100);
    clock.advance(40);
    expect(read(0, LapicReg.TimerCurrent)).toBe(60);
    write(0, LapicReg.TimerInitial, 0);
    expect(read(0, LapicReg.TimerCurrent)).toBe(0);
    expect(clock.deadline(bus.lapics[0]!.timer)).toBeUndefined();
  });

  it('can be armed for an absolute time', () => {
    clock.advance(500);
    bus.lapics[0]!.armTimer(1234, 0x77);
    clock.advance(1233);
    expect(signals.intr[0]).toBe(0);
    clock.advance(1234);
    expect(bus.acknowledge(0)).toBe(0x77);
  });
});

describe('LINT pins', () => {
  it('pass the 8259 vector on LINT0 in ExtINT mode, past the priority rules', () => {
    write(0, LapicReg.LvtLint0, 0x700);
    write(0, LapicReg.Tpr, 0xf0);
    bus.lapics[0]!.setLint0(1);
    expect(signals.intr[0]).toBe(1);
    expect(bus.acknowledge(0)).toBe(0x27);
    bus.lapics[0]!.setLint0(0);
    expect(signals.intr[0]).toBe(0);
  });

  it('give an NMI on the rising edge of LINT1', () => {
    write(0, LapicReg.LvtLint1, 0x400);
    bus.lapics[0]!.setLint1(1);
    bus.lapics[0]!.setLint1(1);
    expect(signals.log).toEqual(['nmi 0']);
  });

  it('do nothing while they are masked', () => {
    bus.lapics[0]!.setLint0(1);
    bus.lapics[0]!.setLint1(1);
    expect(signals.intr[0]).toBe(0);
    expect(signals.log).toEqual([]);
  });
});

describe('a snapshot of the APICs', () => {
  it('brings back registers, vectors in service and messages under way', () => {
    write(1, LapicReg.Tpr, 0x20);
    interrupt(1, 0x55);
    bus.acknowledge(1);
    write(0, LapicReg.IcrHigh, 1 << 24);
    write(0, LapicReg.IcrLow, 0x4060);
    const saved: PlainData = bus.save();
    bus = makeBus();
    bus.load(saved);
    expect(bus.save()).toEqual(saved);
    bus.fire(LATENCY);
    expect(read(1, LapicReg.Irr + 0x30)).toBe(1);
    expect(read(1, LapicReg.Isr + 0x20)).toBe(1 << 21);
  });
});
