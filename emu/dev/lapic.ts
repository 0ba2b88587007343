/**
 * One local APIC: the register file, the priority rules and the acceptance of interrupts (SDM vol. 3 ch. 11,
 * "APIC", xAPIC mode, version 0x14, five LVT entries). What travels between APICs is in apic-bus.ts, the timer
 * in lapic-timer.ts. Not modelled: x2APIC, relocation of the base, thermal LVT, CMCI, focus processor, SMI.
 */
import type { PlainData } from '../arch/ports.ts';
import { BitSet256 } from './bit-set.ts';
import { type ApicMessage, type CoreSignals, Delivery } from './interrupt-ports.ts';
import { LapicTimer, type LapicTimerPort } from './lapic-timer.ts';
import { LocalVectorTable, LVT_PERIODIC, Lvt } from './local-vector-table.ts';

/** Register offsets (SDM vol. 3 table 11-1). */
export enum LapicReg {
  Id = 0x020,
  Version = 0x030,
  Tpr = 0x080,
  Apr = 0x090,
  Ppr = 0x0a0,
  Eoi = 0x0b0,
  Ldr = 0x0d0,
  Dfr = 0x0e0,
  Svr = 0x0f0,
  Isr = 0x100,
  Tmr = 0x180,
  Irr = 0x200,
  Esr = 0x280,
  IcrLow = 0x300,
  IcrHigh = 0x310,
  LvtTimer = 0x320,
  LvtPerf = 0x340,
  LvtLint0 = 0x350,
  LvtLint1 = 0x360,
  LvtError = 0x370,
  TimerInitial = 0x380,
  TimerCurrent = 0x390,
  TimerDivide = 0x3e0,
}

const VERSION = 0x00040014;
const SVR_ENABLE = 1 << 8;
const ESR_SEND_VECTOR = 1 << 5;
const ESR_RECEIVE_VECTOR = 1 << 6;
const ESR_REGISTER = 1 << 7;
/** Registers of the local vector table, by Lvt. */
const LVT_OFFSETS = [
  LapicReg.LvtTimer,
  LapicReg.LvtPerf,
  LapicReg.LvtLint0,
  LapicReg.LvtLint1,
  LapicReg.LvtError,
] as const;
/** What a local APIC needs from outside. */
export interface LapicPorts extends LapicTimerPort {
  readonly signals: CoreSignals;
  /** Sends what was written to ICR. */
  send(core: number, icrLow: number, icrHigh: number): void;
  /** 1 while a message of this APIC is on its way. */
  deliveryStatus(core: number): 0 | 1;
  /** EOI of a level-triggered vector, to the I/O APIC. */
  broadcastEoi(vector: number): void;
  /** Takes the vector of the 8259 pair (INTA cycle) for LINT0 in ExtINT mode. */
  acknowledgeExtInt(): number;
}

export class Lapic {
  readonly core: number;
  readonly timer: LapicTimer;
  private readonly ports: LapicPorts;
  private readonly irr = new BitSet256();
  private readonly isr = new BitSet256();
  private readonly tmr = new BitSet256();
  private readonly lvt: LocalVectorTable;
  private id: number;
  private tpr = 0;
  private ldr = 0;
  private dfr = -1;
  private svr = 0xff;
  private icrLow = 0;
  private icrHigh = 0;
  /** Errors since the last write of ESR, and what that write made readable. */
  private errorsSeen = 0;
  private esr = 0;

  constructor(core: number, ports: LapicPorts) {
    this.core = core;
    this.id = core;
    this.ports = ports;
    this.timer = new LapicTimer(core, ports, () => this.lvt.raise(Lvt.Timer));
    this.lvt = new LocalVectorTable({
      vector: (vector, trigger) => this.acceptVector(vector, trigger),
      nmi: () => ports.signals.nmi(core),
    });
    this.reset();
  }

  /** State after power-up or INIT (SDM vol. 3 §11.4.7): the ID stays, everything is masked and disabled. */
  reset(): void {
    for (const bits of [this.irr, this.isr, this.tmr]) bits.clearAll();
    this.lvt.reset();
    this.tpr = this.ldr = this.icrLow = this.icrHigh = this.errorsSeen = this.esr = 0;
    this.dfr = -1;
    this.svr = 0xff;
    this.timer.reset();
    this.update();
  }

  get apicId(): number {
    return this.id;
  }

  get enabled(): boolean {
    return (this.svr & SVR_ENABLE) !== 0;
  }

  /** Processor priority: the higher of TPR and the class of the highest vector in service. */
  get processorPriority(): number {
    const service = this.isr.highest();
    const serviceClass = service < 0 ? 0 : service & 0xf0;
    return (this.tpr & 0xf0) >= serviceClass ? this.tpr : serviceClass;
  }

  /** Whether this APIC is among the targets of a logical destination (flat or cluster model). */
  matchesLogical(mask: number): boolean {
    const own = this.ldr >>> 24;
    if (this.dfr >>> 28 === 0xf) return (own & mask) !== 0;
    if (mask === 0xff) return true;
    return own >>> 4 === mask >>> 4 && (own & mask & 0xf) !== 0;
  }

  /** Takes a message that has arrived. Fixed messages are lost while the APIC is disabled. */
  accept(message: ApicMessage): void {
    switch (message.delivery) {
      case Delivery.Nmi:
        this.ports.signals.nmi(this.core);
        break;
      case Delivery.Init:
        this.reset();
        this.ports.signals.init(this.core);
        break;
      case Delivery.Startup:
        this.ports.signals.startup(this.core, message.vector);
        break;
      case Delivery.Fixed:
      case Delivery.Lowest:
        this.acceptVector(message.vector, message.trigger);
        break;
    }
  }

  /**
   * The core's INTA cycle: the vector that it must take, now in service. Without one that is above the processor
   * priority: the vector of the 8259 when LINT0 passes it, else the spurious vector, else -1 when disabled.
   */
  acknowledge(): number {
    const vector = this.deliverable();
    if (vector >= 0) {
      this.irr.clear(vector);
      this.isr.set(vector);
      this.update();
      return vector;
    }
    if (this.extIntWaits) return this.ports.acknowledgeExtInt() & 0xff;
    this.update();
    return this.enabled ? this.svr & 0xff : -1;
  }

  /** Ends the service of the highest vector in service. */
  endOfInterrupt(): void {
    const vector = this.isr.highest();
    if (vector < 0) return;
    this.isr.clear(vector);
    if (this.tmr.has(vector)) {
      this.lvt.endOfInterrupt(vector);
      this.ports.broadcastEoi(vector);
    }
    this.update();
  }

  /** Arms the timer, one-shot and unmasked, for an absolute time of the clock, as software would by its registers. */
  armTimer(atCycles: number, vector: number): void {
    this.writeLvt(Lvt.Timer, vector);
    this.timer.startUntil(atCycles);
  }

  /** Level of the LINT0 pin: the INTR output of the 8259 pair. */
  setLint0(level: 0 | 1): void {
    this.lvt.setPin(Lvt.Lint0, level);
    this.update();
  }

  /** Level of the LINT1 pin (NMI of the board). */
  setLint1(level: 0 | 1): void {
    this.lvt.setPin(Lvt.Lint1, level);
    this.update();
  }

  /** Reads the register at a 16-byte aligned offset, unsigned. */
  read(offset: number): number {
    switch (offset) {
      case LapicReg.Id:
        return (this.id << 24) >>> 0;
      case LapicReg.Version:
        return VERSION;
      case LapicReg.Tpr:
        return this.tpr;
      case LapicReg.Apr:
      case LapicReg.Eoi:
        return 0;
      case LapicReg.Ppr:
        return this.processorPriority;
      case LapicReg.Ldr:
        return this.ldr >>> 0;
      case LapicReg.Dfr:
        return this.dfr >>> 0;
      case LapicReg.Svr:
        return this.svr;
      case LapicReg.Esr:
        return this.esr;
      case LapicReg.IcrLow:
        return this.icrLow | (this.ports.deliveryStatus(this.core) << 12);
      case LapicReg.IcrHigh:
        return this.icrHigh >>> 0;
      default:
        return this.readTables(offset);
    }
  }

  /** Writes the register at a 16-byte aligned offset. */
  write(offset: number, value: number): void {
    switch (offset) {
      case LapicReg.Id:
        this.id = value >>> 24;
        break;
      case LapicReg.Tpr:
        this.tpr = value & 0xff;
        this.update();
        break;
      case LapicReg.Eoi:
        this.endOfInterrupt();
        break;
      case LapicReg.Ldr:
        this.ldr = value & 0xff000000;
        break;
      case LapicReg.Dfr:
        this.dfr = value | 0x0fffffff;
        break;
      case LapicReg.Svr:
        this.writeSpurious(value);
        break;
      case LapicReg.Esr:
        this.esr = this.errorsSeen;
        this.errorsSeen = 0;
        break;
      case LapicReg.IcrLow:
        this.icrLow = value & 0x000ccfff;
        this.ports.send(this.core, this.icrLow, this.icrHigh);
        break;
      case LapicReg.IcrHigh:
        this.icrHigh = value & 0xff000000;
        break;
      default:
        this.writeTables(offset, value);
    }
  }

  /** Records a vector below 16 in a message that was to be sent. */
  sendFailed(): void {
    this.raiseError(ESR_SEND_VECTOR);
  }

  save(): PlainData {
    const { id, tpr, ldr, dfr, svr, icrLow, icrHigh, errorsSeen, esr } = this;
    return {
      ...{ id, tpr, ldr, dfr, svr, icrLow, icrHigh, errorsSeen, esr },
      irr: this.irr.save(),
      isr: this.isr.save(),
      tmr: this.tmr.save(),
      lvt: this.lvt.save(),
      timer: this.timer.save(),
    };
  }

  /** Restores a state that `save` made. The core's INTR pin is not driven: it is part of the core's own state. */
  load(data: PlainData): void {
    const { irr, isr, tmr, lvt, timer, ...registers } = data as unknown as LapicState;
    Object.assign(this, registers);
    this.irr.load(irr);
    this.isr.load(isr);
    this.tmr.load(tmr);
    this.lvt.load(lvt);
    this.timer.load(timer);
  }

  private acceptVector(vector: number, trigger: 'edge' | 'level'): void {
    if (!this.enabled) return;
    if (vector < 16) {
      this.raiseError(ESR_RECEIVE_VECTOR);
      return;
    }
    this.irr.set(vector);
    if (trigger === 'level') this.tmr.set(vector);
    else this.tmr.clear(vector);
    this.update();
  }

  private deliverable(): number {
    if (!this.enabled) return -1;
    const vector = this.irr.highest();
    return vector >= 0 && (vector & 0xf0) > (this.processorPriority & 0xf0) ? vector : -1;
  }

  private get extIntWaits(): boolean {
    return this.enabled && this.lvt.extIntWaits;
  }

  private update(): void {
    this.ports.signals.setIntr(this.core, this.deliverable() >= 0 || this.extIntWaits ? 1 : 0);
  }

  private raiseError(bit: number): void {
    const isNew = (this.errorsSeen & bit) === 0;
    this.errorsSeen |= bit;
    // An error vector that is itself illegal must not raise the error again.
    if (isNew && (this.lvt.read(Lvt.Error) & 0xf0) !== 0) this.lvt.raise(Lvt.Error);
  }

  private writeSpurious(value: number): void {
    this.svr = value & 0x3ff;
    // While the APIC is disabled every LVT entry reads as masked, and cannot be unmasked (§11.4.7.2).
    if (!this.enabled) this.lvt.maskAll();
    this.update();
  }

  private readTables(offset: number): number {
    const index = LVT_OFFSETS.indexOf(offset);
    if (index >= 0) return this.lvt.read(index);
    if (offset >= LapicReg.Isr && offset < LapicReg.Tmr) return this.isr.word((offset - LapicReg.Isr) >> 4);
    if (offset >= LapicReg.Tmr && offset < LapicReg.Irr) return this.tmr.word((offset - LapicReg.Tmr) >> 4);
    if (offset >= LapicReg.Irr && offset < LapicReg.Esr) return this.irr.word((offset - LapicReg.Irr) >> 4);
    if (offset === LapicReg.TimerInitial) return this.timer.initialCount;
    if (offset === LapicReg.TimerCurrent) return this.timer.currentCount();
    if (offset === LapicReg.TimerDivide) return this.timer.divideCode;
    this.raiseError(ESR_REGISTER);
    return 0;
  }

  private writeTables(offset: number, value: number): void {
    const index = LVT_OFFSETS.indexOf(offset);
    if (index >= 0) this.writeLvt(index, value);
    else if (offset === LapicReg.TimerInitial) this.timer.start(value >>> 0);
    else if (offset === LapicReg.TimerDivide) this.timer.setDivide(value);
    else if (offset !== LapicReg.Version && offset !== LapicReg.Ppr) this.raiseError(ESR_REGISTER);
  }

  private writeLvt(index: Lvt, value: number): void {
    this.lvt.write(index, value, this.enabled ? 'enabled' : 'disabled');
    if (index === Lvt.Timer) this.timer.setMode((value & LVT_PERIODIC) !== 0 ? 'periodic' : 'one-shot');
    this.update();
  }
}

interface LapicState {
  readonly irr: Int32Array;
  readonly isr: Int32Array;
  readonly tmr: Int32Array;
  readonly lvt: PlainData;
  readonly timer: PlainData;
}
