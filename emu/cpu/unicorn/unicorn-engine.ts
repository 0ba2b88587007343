/**
 * The unicorn engine (machine.md §2): the interpreter, with plain instructions of hosted ring-3 tasks (plain.ts) executed
 * by the Unicorn library, an implementation by other people. Its memory map is our TLB (page-window.ts), so that paging,
 * TLB and their staleness stay ours. A page that is missing, a trap, a fault, a device, and whatever is not plain ends
 * Unicorn's run in front of the instruction, and the interpreter does that one. Instructions are counted one by one, so
 * that budgets, events and traces are those of the interpreter.
 *
 * What it is for is comparison, not speed: a call into JavaScript for each instruction (7 MIPS).
 */

import { ROM_BASE } from '../../arch/address-map.ts';
import { R } from '../../arch/core-layout.ts';
import type { CodeListener } from '../../mem/bus.ts';
import { PEND } from '../../mem/memory-layout.ts';
import type { EngineContext } from '../context.ts';
import type { CpuCore } from '../cpu-core.ts';
import { ARITH_FLAGS, materialise } from '../flags.ts';
import { Interpreter } from '../interpreter.ts';
import { Form } from '../loop.ts';
import { I_ENTRY, I_FLAGS, I_OP } from '../record.ts';
import { hostOf, PageWindow } from './page-window.ts';
import { isPlain } from './plain.ts';
import {
  UNICORN_EFLAGS,
  UNICORN_EIP,
  UNICORN_REGISTERS,
  type UnicornCpu,
  type UnicornHooks,
  type UnicornLibrary,
} from './unicorn-api.ts';

/** EFLAGS that plain instructions read or write: the arithmetic ones and DF. */
const SHARED_FLAGS = ARITH_FLAGS | (1 << 10);
/** Bit 1 of EFLAGS is always set. */
const FIXED_FLAGS = 2;
const NO_PAGE = -1;

interface Seat {
  readonly cpu: UnicornCpu;
  readonly window: PageWindow;
}

export class UnicornEngine extends Interpreter implements CodeListener, UnicornHooks {
  override readonly name: string = 'unicorn';
  /** One Unicorn machine for each core that has run user code. */
  private readonly seats: (Seat | undefined)[] = [];
  private readonly registers = new Int32Array(UNICORN_REGISTERS);
  /** The run under way: its core, instructions that may still begin, and the last one that did. */
  private running: CpuCore;
  private room = 0;
  private last = 0;
  private begun = 0;
  /** Code page of the last instruction, and where its records are in the code cache. */
  private page = NO_PAGE;
  private slot = 0;
  /** Data page that ended the run; whether a fetch did. */
  private missed = NO_PAGE;
  private fetchMissed = false;
  /** An instruction that was refused has ended the run: all before it are done. */
  private refused = false;
  /** What the instruction that runs has written over: offset in the shared buffer and byte, in turn. */
  private readonly overwritten: number[] = [];
  /** Instructions that Unicorn has executed; for tests and benches. */
  foreignInstructions = 0;

  constructor(
    context: EngineContext,
    private readonly library: UnicornLibrary,
  ) {
    super(context);
    this.running = this.cores[0];
    context.bus.onCodeWrite(this);
  }

  codeWritten(frame: number): void {
    const host = this.context.bus.map.hostOffset(frame * 4096);
    for (const seat of this.seats) seat?.window.codeWritten(host);
  }

  override invalidateCode(frameNo: number): void {
    super.invalidateCode(frameNo);
    this.codeWritten(frameNo);
  }

  override reset(): void {
    super.reset();
    for (const seat of this.seats) seat?.window.clear();
  }

  protected override stretch(c: CpuCore): void {
    const isUsual = c.stop === 0 && c.flatSegments && this.context.tlb.flatAllowed;
    if (!isUsual || this.context.trapMode !== 'hosted' || c.r[R.CPL] !== 3) {
      super.stretch(c);
      return;
    }
    this.seats[c.id] ??= this.openSeat(c);
    const seat = this.seats[c.id]!;
    while (c.left > 0) {
      this.foreign(c, seat);
      if (c.left > 0 && this.single(c)) return;
      if (this.missed !== NO_PAGE) seat.window.showData(this.missed);
    }
  }

  private openSeat(c: CpuCore): Seat {
    const cpu = this.library.open(this);
    return { cpu, window: new PageWindow(c, cpu) };
  }

  /** One instruction by the interpreter. True when the stretch is over. */
  private single(c: CpuCore): boolean {
    const { r } = c;
    c.stop = c.left - 1;
    super.stretch(c);
    c.stop = 0;
    // A REP instruction that is cut after an iteration has set RF; nothing has come between.
    if (c.left > 0 && r[PEND] === 0) r[R.EFLAGS] &= ~(1 << 16);
    return r[PEND] !== 0;
  }

  /** Runs Unicorn as far as it goes: up to the budget or an instruction that it must not or cannot do. */
  private foreign(c: CpuCore, { cpu, window }: Seat): void {
    const { r } = c;
    const { registers } = this;
    this.running = c;
    this.room = c.left;
    this.begun = 0;
    this.page = NO_PAGE;
    this.missed = NO_PAGE;
    this.fetchMissed = false;
    this.refused = false;
    window.synchronise();
    if (!window.showCode(r[R.EIP] >>> 12) || !this.isPlainAt(r[R.EIP])) return;
    materialise(r);
    registers.set(r.subarray(R.EAX, R.EAX + UNICORN_EIP));
    registers[UNICORN_EIP] = r[R.EIP];
    registers[UNICORN_EFLAGS] = (r[R.EFLAGS] & SHARED_FLAGS) | FIXED_FLAGS;
    cpu.writeRegisters(registers);
    const error = cpu.run();
    if (this.begun === 0) return;
    cpu.readRegisters(registers);
    // Any other end is the last instruction's, which has done nothing, unless it is that of a fetch behind it. It need
    // not be an error: the third division by 0 in turn is a triple fault to the library, and that a halt.
    const isDone = (error === 0 && this.refused) || this.fetchMissed;
    const done = isDone ? this.begun : this.begun - 1;
    if (!isDone) this.restore();
    r.set(registers.subarray(0, UNICORN_EIP), R.EAX);
    r[R.EIP] = isDone ? registers[UNICORN_EIP] : this.last;
    r[R.EFLAGS] = (r[R.EFLAGS] & ~SHARED_FLAGS) | (registers[UNICORN_EFLAGS] & SHARED_FLAGS);
    c.left -= done;
    this.foreignInstructions += done;
  }

  instruction(address: number): boolean {
    if (this.begun === this.room || !this.isPlainAt(address)) {
      this.refused = true;
      return false;
    }
    this.begun++;
    this.last = address;
    this.overwritten.length = 0;
    return true;
  }

  write(address: number, size: number): void {
    const { flat, writeMask, u8 } = this.running;
    for (let n = 0; n < size; n++) {
      const at = (address + n) >>> 0;
      const word = flat[at >>> 12];
      if ((word & writeMask) === 0) return;
      const host = ((word & ~4095) ^ at) >>> 0;
      this.overwritten.push(host, u8[host]);
    }
  }

  /** Puts back what an instruction has written that was not completed: the interpreter does all of it. */
  private restore(): void {
    const { overwritten, running } = this;
    for (let n = overwritten.length - 2; n >= 0; n -= 2) running.u8[overwritten[n]] = overwritten[n + 1];
  }

  miss(address: number, access: 'fetch' | 'data'): void {
    this.fetchMissed = access === 'fetch';
    if (access === 'data') this.missed = address >>> 12;
  }

  /** Whether the decoded instruction at `eip` is Unicorn's; false when it has not been decoded yet. */
  private isPlainAt(eip: number): boolean {
    const page = eip >>> 12;
    if (page !== this.page && !this.enterPage(page)) return false;
    const { index, ops } = this.cache;
    const i = index[this.slot * 4096 + (eip & 4095)];
    if (i === 0) return false;
    const form = ops[i + I_OP];
    if (form >= Form.End && form <= Form.Crossing) return false;
    return isPlain(ops[i + I_ENTRY], ops[i + I_FLAGS]);
  }

  /** Finds the records of a code page; false when the instruction TLB or the code cache does not have it. */
  private enterPage(page: number): boolean {
    const c = this.running;
    const word = c.flatInstr[page];
    if ((word & c.readMask) === 0) return false;
    const host = hostOf(word, page);
    const { layout } = this.context.memory;
    const pa = host >= layout.ram ? host - layout.ram : host - layout.rom + ROM_BASE;
    const slot = this.cache.findSlot(pa >>> 12, c.mode);
    if (slot < 0) return false;
    this.page = page;
    this.slot = slot;
    return true;
  }
}
