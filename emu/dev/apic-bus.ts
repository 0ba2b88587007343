/**
 * What connects the local APICs: messages on the way to them, each with the time at which it arrives, and the
 * register window at 0xFEE00000 that shows every core its own APIC (SDM vol. 3 §11.4, 11.6, 11.7).
 *
 * An IPI arrives `ipiDeliver` cycles after the write of ICR, in the target's time: the clock fires between slices,
 * when no core that runs is behind that time. An IPI to oneself and an I/O APIC message arrive at once, i.e. at
 * the end of the instruction. Arbitration and bus errors are not modelled; SMI is ignored.
 */
import { LAPIC_BASE } from '../arch/address-map.ts';
import { Ev } from '../arch/events.ts';
import type {
  AccessSize,
  Clock,
  DeviceTimer,
  EventPort,
  InterruptSource,
  MmioRegion,
  PlainData,
  Snapshotable,
} from '../arch/ports.ts';
import {
  type ApicDestination,
  type ApicMessage,
  type ApicMessagePort,
  type CoreSignals,
  Delivery,
} from './interrupt-ports.ts';
import { Lapic } from './lapic.ts';

export interface ApicBusPorts {
  readonly signals: CoreSignals;
  readonly clock: Clock;
  readonly events: EventPort;
  /** Cycles from the write of ICR until the target sees the interrupt. */
  readonly ipiDeliverCycles: number;
  /** Cycles that the write of ICR takes its core, beyond the access of device memory. */
  chargeIpiSend(core: number): void;
  broadcastEoi(vector: number): void;
  acknowledgeExtInt(): number;
}

/** A message under way. `from` is -1 for the I/O APIC. */
interface InFlight {
  readonly atCycles: number;
  readonly from: number;
  readonly to: number;
  readonly message: ApicMessage;
}

enum Shorthand {
  None = 0,
  Self = 1,
  All = 2,
  AllButSelf = 3,
}

const ICR_LOGICAL = 1 << 11;
const ICR_ASSERT = 1 << 14;
const ICR_LEVEL = 1 << 15;
const BROADCAST = 0xff;

export class ApicBus implements MmioRegion, InterruptSource, ApicMessagePort, DeviceTimer, Snapshotable {
  readonly name = 'lapic';
  readonly base = LAPIC_BASE;
  readonly sizeBytes = 0x1000;
  readonly lapics: readonly Lapic[];
  private readonly ports: ApicBusPorts;
  /** Sorted by arrival; equal times keep the order of sending. */
  private inFlight: InFlight[] = [];

  constructor(coreCount: number, ports: ApicBusPorts) {
    this.ports = ports;
    const lapicPorts = {
      signals: ports.signals,
      clock: ports.clock,
      send: (core: number, low: number, high: number) => this.sendIcr(core, low, high),
      deliveryStatus: (core: number): 0 | 1 => (this.inFlight.some((m) => m.from === core) ? 1 : 0),
      broadcastEoi: (vector: number) => ports.broadcastEoi(vector),
      acknowledgeExtInt: () => ports.acknowledgeExtInt(),
      timerFired: (core: number, vector: number, now: number) =>
        ports.events.sink?.emit(Ev.TimerFire, core, now, vector, 0, 0, 0),
    };
    this.lapics = Array.from({ length: coreCount }, (_, core) => new Lapic(core, lapicPorts));
  }

  acknowledge(core: number): number {
    return this.lapics[core]!.acknowledge();
  }

  /** Only aligned 32-bit accesses are defined; narrower reads see their part of the register. */
  read(pa: number, size: AccessSize, core: number): number {
    const lapic = this.lapics[core];
    if (lapic === undefined || (pa & 0xf) + size > 4) return 0;
    const word = lapic.read(pa & 0xff0) >>> ((pa & 3) * 8);
    return size === 4 ? word : word & (size === 1 ? 0xff : 0xffff);
  }

  /** Writes of another width than 32 bits, or by no core (DMA), go nowhere. */
  write(pa: number, size: AccessSize, value: number, core: number): void {
    if (size === 4 && (pa & 0xf) === 0) this.lapics[core]?.write(pa & 0xff0, value);
  }

  /** A message of the I/O APIC. */
  post(to: ApicDestination, message: ApicMessage): void {
    const targets = this.resolve(to);
    const chosen = message.delivery === Delivery.Lowest ? this.lowestPriority(targets) : targets;
    for (const target of chosen) this.launch(-1, target, message, this.ports.clock.now());
  }

  /** Sends a fixed interrupt from core to core, as a write of both halves of ICR does. */
  sendFixed(from: number, to: number, vector: number): void {
    const lapic = this.lapics[from]!;
    lapic.write(0x310, this.lapics[to]!.apicId << 24);
    lapic.write(0x300, ICR_ASSERT | vector);
  }

  fire(now: number): void {
    while (this.inFlight.length > 0 && this.inFlight[0]!.atCycles <= now) this.arrive(this.inFlight.shift()!);
    this.armNext();
  }

  save(): PlainData {
    return {
      lapics: this.lapics.map((lapic) => lapic.save()),
      inFlight: this.inFlight.map(({ atCycles, from, to, message: m }) => [
        atCycles,
        from,
        to,
        m.delivery,
        m.vector,
        m.trigger,
      ]),
    };
  }

  load(data: PlainData): void {
    const state = data as {
      lapics: PlainData[];
      inFlight: [number, number, number, number, number, string][];
    };
    for (const [i, lapic] of this.lapics.entries()) lapic.load(state.lapics[i]!);
    this.inFlight = state.inFlight.map(([atCycles, from, to, delivery, vector, trigger]) => ({
      atCycles,
      from,
      to,
      message: { delivery, vector, trigger: trigger === 'level' ? 'level' : 'edge' },
    }));
  }

  private sendIcr(core: number, low: number, high: number): void {
    const delivery: Delivery = (low >> 8) & 7;
    const vector = low & 0xff;
    // INIT level de-assert only synchronises arbitration IDs; this machine has none (§11.6.1).
    if (delivery === Delivery.Init && (low & ICR_LEVEL) !== 0 && (low & ICR_ASSERT) === 0) return;
    if ((delivery === Delivery.Fixed || delivery === Delivery.Lowest) && vector < 16) {
      this.lapics[core]!.sendFailed();
      return;
    }
    this.ports.chargeIpiSend(core);
    const message: ApicMessage = { delivery, vector, trigger: 'edge' };
    const all = this.icrTargets(core, low, high);
    const targets = delivery === Delivery.Lowest ? this.lowestPriority(all) : all;
    const now = this.ports.clock.now();
    for (const target of targets) {
      this.ports.events.sink?.emit(Ev.IpiSend, core, now, target, vector, delivery, 0);
      this.launch(core, target, message, target === core ? now : now + this.ports.ipiDeliverCycles);
    }
  }

  private icrTargets(core: number, low: number, high: number): number[] {
    const everyone = this.lapics.map((lapic) => lapic.core);
    switch (((low >> 18) & 3) as Shorthand) {
      case Shorthand.Self:
        return [core];
      case Shorthand.All:
        return everyone;
      case Shorthand.AllButSelf:
        return everyone.filter((other) => other !== core);
      default:
        return this.resolve({ mode: (low & ICR_LOGICAL) !== 0 ? 'logical' : 'physical', id: high >>> 24 });
    }
  }

  private resolve(to: ApicDestination): number[] {
    const matches = (lapic: Lapic) =>
      to.mode === 'logical' ? lapic.matchesLogical(to.id) : to.id === BROADCAST || lapic.apicId === to.id;
    return this.lapics.filter(matches).map((lapic) => lapic.core);
  }

  /** The enabled target with the lowest processor priority; the lowest core among equals. */
  private lowestPriority(targets: readonly number[]): number[] {
    let best: Lapic | undefined;
    for (const target of targets) {
      const lapic = this.lapics[target]!;
      if (!lapic.enabled) continue;
      if (best === undefined || lapic.processorPriority < best.processorPriority) best = lapic;
    }
    return best === undefined ? [] : [best.core];
  }

  private launch(from: number, to: number, message: ApicMessage, atCycles: number): void {
    let i = this.inFlight.length;
    while (i > 0 && this.inFlight[i - 1]!.atCycles > atCycles) i--;
    this.inFlight.splice(i, 0, { atCycles, from, to, message });
    this.armNext();
  }

  private arrive({ from, to, message, atCycles }: InFlight): void {
    if (from >= 0) this.ports.events.sink?.emit(Ev.IpiDeliver, to, atCycles, message.vector, 0, 0, 0);
    this.lapics[to]!.accept(message);
  }

  private armNext(): void {
    const first = this.inFlight[0];
    if (first === undefined) this.ports.clock.cancel(this);
    else this.ports.clock.arm(this, first.atCycles);
  }
}
