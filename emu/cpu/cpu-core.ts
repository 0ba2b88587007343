/**
 * One core as the semantics see it: registers, operands, memory through segmentation and paging, faults. A handler
 * reads all operands, asks `faulted()`, and only then commits; a fault is a flag in r[PEND], never an exception.
 * Fields are set once, so that every core has the same shape for the JIT.
 */
import { Attention, CoreF, Flag, R, RunState, Seg } from '../arch/core-layout.ts';
import { CR0_AM, CR0_PE } from '../arch/paging.ts';
import type { AccessSize } from '../arch/ports.ts';
import { VEC_AC, VEC_GP } from '../arch/vectors.ts';
import { PEND, PEND_ATTENTION, PEND_FAULT, PEND_JUMP, PEND_MODE } from '../mem/memory-layout.ts';
import type { Mmu } from '../mem/mmu.ts';
import { ACCESS_USER, ACCESS_WRITE } from '../mem/walk.ts';
import type { EngineContext } from './context.ts';
import { noteDataAccess } from './debug-registers.ts';
import {
  F_ADDR32,
  F_DST,
  F_DST_SHIFT,
  F_MEM,
  F_SEG,
  F_SEG_SHIFT,
  F_SRC,
  F_SRC_SHIFT,
  F_WIDTH,
  I_DISP,
  I_FLAGS,
  I_IMM,
  I_REGS,
  KIND_IMM,
  KIND_REG,
} from './record.ts';
import { areSegmentsFlat, checkedLinear } from './segment-check.ts';

const ESP = R.ESP as number;
const ATTR_BIG = 1 << 22;

export class CpuCore {
  readonly r: Int32Array;
  /** Byte and half-word views of the core block. */
  readonly b: Uint8Array;
  readonly h: Uint16Array;
  readonly f: Float64Array;
  readonly flat: Int32Array;
  readonly flatInstr: Int32Array;
  readonly u8: Uint8Array;
  readonly i32: Int32Array;
  readonly view: DataView;
  readonly mmu: Mmu;
  /** ACCESS_USER at CPL 3, else 0. */
  user = 0;
  /** Bit of a flat word that allows reading / writing / fetching at the present CPL. */
  readMask = 1;
  writeMask = 2;
  protectedMode = false;
  /** CS, SS, DS and ES are flat 4 GiB segments: linear address = offset, nothing to check. */
  flatSegments = false;
  /** SS.B: stack pointer is ESP, else SP. */
  stack32 = false;
  /** Decode mode: MODE_CODE32 | MODE_FLAT. */
  mode = 0;
  /** Data accesses are compared with DR0-3. */
  watching = false;
  alignmentChecked = false;
  /** Instruction budget: what is left, and its value when counters were last brought up to date. */
  left = 0;
  mark = 0;
  /** The running inner loop ends when `left` reaches this. */
  stop = 0;
  /** The inner loop hands over to translated code while `left` is not above this; -1 = never. */
  enterBelow = -1;
  /** Linear address of the running code page's first byte minus CS base: EIP = codeBase + page offset. */
  codeBase = 0;
  /** Linear page number of the running code page; -1 = none. */
  codePage = -1;
  codeSlot = 0;
  /** DR6 bits that the instruction in progress has raised. */
  debugHits = 0;
  /** An event was delivered: the single step that was under way is not reported. */
  stepHeld = false;

  constructor(
    readonly id: number,
    readonly context: EngineContext,
    readonly ops: Int32Array,
  ) {
    const memory = context.memory;
    this.r = memory.r[id];
    this.f = memory.f[id];
    this.b = new Uint8Array(this.r.buffer, this.r.byteOffset, this.r.byteLength);
    this.h = new Uint16Array(this.r.buffer, this.r.byteOffset, this.r.byteLength / 2);
    this.flat = memory.flatData[id];
    this.flatInstr = memory.flatInstr[id];
    this.u8 = memory.u8;
    this.i32 = memory.i32;
    this.view = memory.view;
    this.mmu = context.mmu;
  }

  /** Takes CPL, segments and debug state from the block; after anything that changes them. */
  refreshMode(): void {
    const r = this.r;
    const cpl = r[R.CPL];
    this.user = cpl === 3 ? ACCESS_USER : 0;
    this.readMask = cpl === 3 ? 4 : 1;
    this.writeMask = cpl === 3 ? 8 : 2;
    this.protectedMode = (r[R.CR0] & CR0_PE) !== 0;
    this.stack32 = (r[R.ATTR + Seg.SS] & ATTR_BIG) !== 0;
    const dr7 = r[R.DR7];
    this.watching = (dr7 & 0xff) !== 0;
    this.alignmentChecked = cpl === 3 && (r[R.CR0] & CR0_AM) !== 0 && (r[R.EFLAGS] & Flag.AC) !== 0;
    const code32 = (r[R.ATTR + Seg.CS] & ATTR_BIG) !== 0;
    this.flatSegments =
      code32 &&
      this.protectedMode &&
      this.stack32 &&
      !this.watching &&
      !this.alignmentChecked &&
      areSegmentsFlat(r);
    this.mode = (code32 ? 1 : 0) | (this.flatSegments ? 2 : 0);
    this.codePage = -1;
  }

  /** Brings INSTRUCTIONS and CYCLES up to date with the budget that is used. */
  sync(): void {
    const done = this.mark - this.left;
    this.mark = this.left;
    this.f[CoreF.INSTRUCTIONS] += done;
    this.f[CoreF.CYCLES] += done * this.context.costs.instruction;
  }

  // ---- faults -------------------------------------------------------------------------------------------------

  faulted(): boolean {
    return (this.r[PEND] & PEND_FAULT) !== 0;
  }

  /** Raises an exception; the first one of an instruction wins. */
  raise(vector: number, error: number): void {
    const r = this.r;
    if ((r[PEND] & PEND_FAULT) !== 0) return;
    r[R.FAULT_VECTOR] = vector;
    r[R.FAULT_ERROR] = error;
    r[PEND] |= PEND_FAULT;
  }

  gp(error: number): void {
    this.raise(VEC_GP, error);
  }

  /** #GP(0) unless CPL is 0. True when allowed. */
  privileged(): boolean {
    if (this.r[R.CPL] === 0) return true;
    this.gp(0);
    return false;
  }

  /** Ends the inner loop after this instruction so that mode, interrupts and TF are looked at again. */
  changedMode(): void {
    this.r[PEND] |= PEND_MODE | PEND_ATTENTION;
  }

  jump(eip: number): void {
    this.r[R.EIP] = eip;
    this.r[PEND] |= PEND_JUMP;
  }

  shutdown(): void {
    this.r[R.RUN_STATE] = RunState.Shutdown;
  }

  // ---- segmentation and memory ----------------------------------------------------------------------------------

  /** Linear address of seg:off after the checks of SDM vol. 3 §5.3-5.5; `access`: 0 or ACCESS_WRITE. */
  linear(seg: number, off: number, size: number, access: number): number {
    if (this.flatSegments && seg < Seg.FS && (seg !== Seg.CS || access === 0)) return off;
    return checkedLinear(this, seg, off, size, access);
  }

  /** Reads `size` bytes: 4 as a signed word, 1 and 2 zero-extended. */
  load(seg: number, off: number, size: number): number {
    const va = this.linear(seg, off, size, 0);
    if (this.faulted()) return 0;
    return this.loadLinear(va, size, this.readMask, this.user);
  }

  loadLinear(va: number, size: number, mask: number, user: number): number {
    if (this.watching) noteDataAccess(this, va, size, 0);
    const word = this.flat[va >>> 12];
    if ((word & mask) !== 0 && (va & 4095) + size <= 4096 && !this.alignmentChecked) {
      const at = ((word & ~4095) ^ va) >>> 0;
      return size === 4
        ? this.view.getInt32(at, true)
        : size === 1
          ? this.u8[at]
          : this.view.getUint16(at, true);
    }
    return this.slowLoad(va, size, user);
  }

  private slowLoad(va: number, size: number, user: number): number {
    if (this.faulted() || this.misaligned(va, size, user)) return 0;
    this.sync();
    const value = this.mmu.read(this.id, va, size as AccessSize, user);
    return size === 4 ? value | 0 : value;
  }

  /** Writes the low `size` bytes; the caller has asked `faulted()` since its last access. */
  store(seg: number, off: number, size: number, value: number): void {
    const va = this.linear(seg, off, size, ACCESS_WRITE);
    if (this.faulted()) return;
    this.storeLinear(va, size, value, this.writeMask, this.user);
  }

  storeLinear(va: number, size: number, value: number, mask: number, user: number): void {
    if (this.watching) noteDataAccess(this, va, size, ACCESS_WRITE);
    const word = this.flat[va >>> 12];
    if ((word & mask) !== 0 && (va & 4095) + size <= 4096 && !this.alignmentChecked) {
      const at = ((word & ~4095) ^ va) >>> 0;
      if (size === 4) this.view.setInt32(at, value, true);
      else if (size === 1) this.u8[at] = value;
      else this.view.setInt16(at, value, true);
      return;
    }
    if (this.faulted() || this.misaligned(va, size, user)) return;
    this.sync();
    this.mmu.write(this.id, va, size as AccessSize, value, user);
  }

  /** True when a write of `size` bytes will succeed; else the fault is raised. Before read-modify-write. */
  canStore(seg: number, off: number, size: number): boolean {
    const va = this.linear(seg, off, size, ACCESS_WRITE);
    if (this.faulted()) return false;
    return this.canStoreLinear(va, size, this.writeMask, this.user);
  }

  canStoreLinear(va: number, size: number, mask: number, user: number): boolean {
    const hit = (this.flat[va >>> 12] & mask) !== 0 && (va & 4095) + size <= 4096;
    if (hit && !this.alignmentChecked) return true;
    if (this.misaligned(va, size, user)) return false;
    this.sync();
    return this.mmu.probe(this.id, va, size, user | ACCESS_WRITE);
  }

  private misaligned(va: number, size: number, user: number): boolean {
    if (!this.alignmentChecked || user === 0 || (size !== 2 && size !== 4) || (va & (size - 1)) === 0)
      return false;
    this.raise(VEC_AC, 0);
    return true;
  }

  /** Supervisor access to descriptor tables and TSS, whatever the CPL. */
  systemLoad(va: number, size: number): number {
    return this.faulted() ? 0 : this.loadLinear(va, size, 1, 0);
  }

  systemStore(va: number, size: number, value: number): void {
    if (!this.faulted()) this.storeLinear(va, size, value, 2, 0);
  }

  // ---- operands of the record at arena index i --------------------------------------------------------------------

  width(i: number): number {
    return this.ops[i + I_FLAGS] & F_WIDTH;
  }

  seg(i: number): number {
    return (this.ops[i + I_FLAGS] & F_SEG) >> F_SEG_SHIFT;
  }

  imm(i: number): number {
    return this.ops[i + I_IMM];
  }

  regField(i: number): number {
    return this.ops[i + I_REGS] & 15;
  }

  /** Effective address (offset in the segment) of the memory operand. */
  ea(i: number): number {
    const regs = this.ops[i + I_REGS];
    const off =
      this.r[(regs >> 8) & 255] + (this.r[(regs >> 16) & 255] << (regs >>> 24)) + this.ops[i + I_DISP];
    return (this.ops[i + I_FLAGS] & F_ADDR32) !== 0 ? off | 0 : off & 0xffff;
  }

  addressIs32(i: number): boolean {
    return (this.ops[i + I_FLAGS] & F_ADDR32) !== 0;
  }

  isMem(i: number): boolean {
    return (this.ops[i + I_FLAGS] & F_MEM) !== 0;
  }

  /** Register by encoding number: 32-bit signed, 16- and 8-bit zero-extended. */
  reg(n: number, width: number): number {
    if (width === 4) return this.r[n];
    if (width === 2) return this.h[n * 2];
    return this.b[((n & 3) << 2) | (n >> 2)];
  }

  setReg(n: number, width: number, value: number): void {
    if (width === 4) this.r[n] = value;
    else if (width === 2) this.h[n * 2] = value;
    else this.b[((n & 3) << 2) | (n >> 2)] = value;
  }

  readRm(i: number, width: number): number {
    if (!this.isMem(i)) return this.reg((this.ops[i + I_REGS] >> 4) & 15, width);
    return this.load(this.seg(i), this.ea(i), width);
  }

  writeRm(i: number, width: number, value: number): void {
    if (!this.isMem(i)) this.setReg((this.ops[i + I_REGS] >> 4) & 15, width, value);
    else this.store(this.seg(i), this.ea(i), width, value);
  }

  /** Destination's old value without the intent to write it (CMP, PUSH). */
  dst(i: number): number {
    const flags = this.ops[i + I_FLAGS];
    if ((flags & F_DST) >> F_DST_SHIFT === KIND_REG) return this.reg(this.regField(i), flags & F_WIDTH);
    return this.readRm(i, flags & F_WIDTH);
  }

  /** Destination's old value; raises the fault that writing it would raise. */
  dstForWrite(i: number): number {
    const flags = this.ops[i + I_FLAGS];
    if ((flags & F_DST) >> F_DST_SHIFT === KIND_REG) return this.reg(this.regField(i), flags & F_WIDTH);
    if ((flags & F_MEM) !== 0 && !this.canStore(this.seg(i), this.ea(i), flags & F_WIDTH)) return 0;
    return this.readRm(i, flags & F_WIDTH);
  }

  setDst(i: number, value: number): void {
    const flags = this.ops[i + I_FLAGS];
    if ((flags & F_DST) >> F_DST_SHIFT === KIND_REG) this.setReg(this.regField(i), flags & F_WIDTH, value);
    else this.writeRm(i, flags & F_WIDTH, value);
  }

  src(i: number): number {
    const flags = this.ops[i + I_FLAGS];
    const kind = (flags & F_SRC) >> F_SRC_SHIFT;
    if (kind === KIND_IMM) return this.ops[i + I_IMM];
    if (kind === KIND_REG) return this.reg(this.regField(i), flags & F_WIDTH);
    return this.readRm(i, flags & F_WIDTH);
  }

  // ---- stack -----------------------------------------------------------------------------------------------------

  sp(): number {
    return this.stack32 ? this.r[ESP] : this.r[ESP] & 0xffff;
  }

  /** `off` wrapped to the stack's address size. */
  wrapSp(off: number): number {
    return this.stack32 ? off | 0 : off & 0xffff;
  }

  setSp(value: number): void {
    if (this.stack32) this.r[ESP] = value;
    else this.h[ESP * 2] = value;
  }

  /** Pushes `size` bytes; after a fault nothing has changed. */
  push(value: number, size: number): void {
    const sp = this.wrapSp(this.sp() - size);
    this.store(Seg.SS, sp, size, value);
    if (!this.faulted()) this.setSp(sp);
  }

  /** True if `count` words can be pushed; checked one by one, as the stack may cross a page or wrap. */
  canPush(size: number, count: number): boolean {
    const sp = this.sp();
    for (let n = 1; n <= count; n++) {
      if (!this.canStore(Seg.SS, this.wrapSp(sp - n * size), size)) return false;
    }
    return true;
  }

  /** Word at SS:(SP + distance), SP unchanged. */
  peekStack(distance: number, size: number): number {
    return this.load(Seg.SS, this.wrapSp(this.sp() + distance), size);
  }

  dropStack(bytes: number): void {
    this.setSp(this.wrapSp(this.sp() + bytes));
  }

  /** True if an event waits that ends HLT: an NMI, or an interrupt with IF = 1. */
  woken(): boolean {
    const attention = this.r[R.ATTENTION];
    if ((attention & Attention.Nmi) !== 0 && this.r[R.NMI_BLOCKED] === 0) return true;
    return (attention & Attention.Interrupt) !== 0 && (this.r[R.EFLAGS] & Flag.IF) !== 0;
  }
}

/** Sign-extends the low `width` bytes to 32 bits. */
export function signExtend(value: number, width: number): number {
  return width === 4 ? value | 0 : width === 2 ? (value << 16) >> 16 : (value << 24) >> 24;
}
