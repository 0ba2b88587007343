/**
 * Emits the code of one region: registers and flags in locals, memory through the flat data table, exits. One method per
 * thing that instructions have in common; what single instructions do is in emit-*.ts.
 *
 * Exits set SITE and leave through the common epilogue, which writes registers and flags back:
 *   SITE_JUMP      the instruction is complete, EIP is the next one's
 *   SITE_BUDGET - n  block n is longer than the budget and was charged all the same; EIP is not set
 *   site >= 0      the instruction of that site was not done: the interpreter does it, or it has faulted (PEND)
 * At a site nothing of its instruction is committed, so that an exit can come from anywhere inside it before the first
 * register or flag is written.
 */
import { R } from '../../arch/core-layout.ts';
import { F_SRC, F_SRC_SHIFT, I_DISP, I_REGS, KIND_IMM, KIND_REG, KIND_RM, NO_REGISTER } from '../record.ts';
import { Kind } from './flag-kinds.ts';
import { RecordFields } from './record-fields.ts';
import { Import, L, SITE_WORD } from './region-frame.ts';
import { Op } from './wasm-op.ts';
import { CodeWriter, type Label } from './wasm-writer.ts';

/** What an access does when the flat table does not have the page. */
export type OnMiss =
  /** Asks the MMU: for the first access of an instruction. */
  | 'fill'
  /** Leaves: a second access must not disturb the first one's TLB entry before the interpreter repeats both. */
  | 'leave';

export type Access = 'read' | 'write';

/** What is known about a place that can be left in mid-block. */
export interface Site {
  readonly record: number;
  readonly offset: number;
  readonly length: number;
  /** Instructions of the block behind this one. */
  readonly behind: number;
  /** Kind of the flags before it; Unknown = CC_OP has it. Known kinds are not written at exits. */
  readonly kind: Kind;
}

const LOADS_SIGNED = [0, Op.Load8S, Op.Load16S, 0, Op.Load];
const LOADS = [0, Op.Load8U, Op.Load16U, 0, Op.Load];
const STORES = [0, Op.Store8, Op.Store16, 0, Op.Store];

/** Words of the locals Op, Dst, Src and Aux. */
const FLAG_WORDS = [R.CC_OP, R.CC_DST, R.CC_SRC, R.CC_AUX];
const ESP = R.ESP as number;

/** Where code is written: one region at a time, copied when it is complete. */
const scratch = new Uint8Array(1 << 16);

export abstract class FunctionCode extends RecordFields {
  readonly w = new CodeWriter(scratch);
  readonly sites: Site[] = [];
  /** Kind of the flags here. */
  kind = Kind.Unknown;
  /** Kind that the local tells, if it is known. */
  localKind = Kind.Unknown;
  /** Page offset and length of the instruction, and how many come behind it in the block. */
  offset = 0;
  length = 0;
  behind = 0;
  /** The flags that this instruction writes are overwritten before anybody can see them. */
  flagsAreDead = false;
  private siteOf = -1;
  private kindHere = Kind.Unknown;
  protected exit: Label = 0;

  constructor(
    ops: Int32Array,
    private readonly user: boolean,
  ) {
    super(ops);
  }

  /** Goes on at a page offset. */
  abstract jumpTo(offset: number): void;

  /** Goes on at the linear address in L.Eip. */
  abstract jumpIndirect(): void;

  /** Starts the next instruction. */
  begin(i: number, offset: number, length: number, behind: number): void {
    this.i = i;
    this.offset = offset;
    this.length = length;
    this.behind = behind;
    this.siteOf = -1;
    this.kindHere = this.kind;
    this.w.reserve();
  }

  // ---- entry and exit -----------------------------------------------------------------------------------------

  /** Loads registers and flags; everything up to `epilogue` may branch to the exit. */
  prologue(): void {
    const { w } = this;
    for (let n = 0; n < 8; n++) this.loadWord(n, L.Reg + n);
    for (const [n, word] of FLAG_WORDS.entries()) this.loadWord(word, L.Op + n);
    this.exit = w.open(Op.Block);
  }

  epilogue(): void {
    const { w } = this;
    w.close();
    w.reserve();
    for (let n = 0; n < 8; n++) this.storeWord(n, L.Reg + n);
    for (const [n, word] of FLAG_WORDS.entries()) this.storeWord(word, L.Op + n);
    this.storeWord(R.EIP, L.Eip);
    this.storeWord(SITE_WORD, L.Site);
    w.get(L.Left);
  }

  loadWord(word: number, local: number): void {
    this.w.get(L.Core);
    this.w.memory(Op.Load, word * 4);
    this.w.set(local);
  }

  storeWord(word: number, local: number): void {
    this.w.get(L.Core);
    this.w.get(local);
    this.w.memory(Op.Store, word * 4);
  }

  /** Leaves with EIP in L.Eip, after or between instructions; the flags local must be settled. */
  leave(site: number): void {
    this.w.const(site);
    this.w.set(L.Site);
    this.w.br(this.exit);
  }

  /** Leaves before this instruction, for the interpreter to do it. */
  leaveHere(): void {
    this.leave(this.site());
  }

  /** Linear address of a page offset. */
  pushAddress(offset: number): void {
    this.w.get(L.Base);
    this.w.opConst(Op.Add, offset);
  }

  private site(): number {
    if (this.siteOf < 0) {
      this.siteOf = this.sites.length;
      this.sites.push({
        record: this.i,
        offset: this.offset,
        length: this.length,
        behind: this.behind,
        kind: this.kindHere,
      });
    }
    return this.siteOf;
  }

  /** Makes the local tell what is known about the flags; before every branch to another block. */
  settleKind(): void {
    if (this.kind === Kind.Unknown || this.kind === this.localKind) return;
    this.w.const(this.kind);
    this.w.set(L.Op);
    this.localKind = this.kind;
  }

  // ---- registers ----------------------------------------------------------------------------------------------

  /** Pushes a register by encoding number, extended from its width. */
  pushReg(n: number, width: number, extend: 'zero' | 'sign'): void {
    const { w } = this;
    if (width === 4) {
      w.get(L.Reg + n);
      return;
    }
    const high = width === 1 && n > 3;
    w.get(L.Reg + (width === 1 ? n & 3 : n));
    if (high) w.opConst(Op.ShrU, 8);
    if (extend === 'sign') w.op(width === 1 ? Op.Extend8 : Op.Extend16);
    else w.opConst(Op.And, width === 1 ? 0xff : 0xffff);
  }

  /** Writes the low bits of a local into a register. */
  setReg(n: number, width: number, from: number): void {
    const { w } = this;
    if (width === 4) {
      w.get(from);
      w.set(L.Reg + n);
      return;
    }
    const target = L.Reg + (width === 1 ? n & 3 : n);
    const shift = width === 1 && n > 3 ? 8 : 0;
    const mask = width === 1 ? 0xff : 0xffff;
    w.get(target);
    w.opConst(Op.And, ~(mask << shift));
    w.get(from);
    w.opConst(Op.And, mask);
    if (shift !== 0) w.opConst(Op.Shl, shift);
    w.op(Op.Or);
    w.set(target);
  }

  // ---- memory -------------------------------------------------------------------------------------------------

  /** Pushes the effective address of the memory operand. */
  pushEa(): void {
    const { w } = this;
    const regs = this.ops[this.i + I_REGS];
    const base = (regs >> 8) & 255;
    const index = (regs >> 16) & 255;
    const disp = this.ops[this.i + I_DISP];
    let isEmpty = true;
    if (base !== NO_REGISTER) {
      w.get(L.Reg + base);
      isEmpty = false;
    }
    if (index !== NO_REGISTER) {
      w.get(L.Reg + index);
      if (regs >>> 24 !== 0) w.opConst(Op.Shl, regs >>> 24);
      if (!isEmpty) w.op(Op.Add);
      isEmpty = false;
    }
    if (isEmpty) w.const(disp);
    else if (disp !== 0) w.opConst(Op.Add, disp);
  }

  /** Host offset of the memory operand in L.Host, or leaves. */
  address(access: Access, size: number): void {
    this.pushEa();
    this.translate(access, size, 'fill');
  }

  /** Host offset of the stack word at ESP + distance in L.Host, or leaves. */
  stackAddress(distance: number, access: Access, miss: OnMiss): void {
    this.w.get(L.Reg + ESP);
    if (distance !== 0) this.w.opConst(Op.Add, distance);
    this.translate(access, 4, miss);
  }

  /** Pushes a small i64 constant. */
  pushLong(value: number): void {
    this.w.u8(Op.I64Const);
    this.w.s32(value);
  }

  /**
   * Takes a linear address from the stack; its host offset is then in L.Host (L.Va keeps the address). Every look-up is
   * here in full: a common function would save a quarter of the code, once, and cost a call at every access (ADR 23).
   */
  translate(access: Access, size: number, miss: OnMiss): void {
    const { w } = this;
    const right = access === 'read' ? (this.user ? 4 : 1) : this.user ? 8 : 2;
    w.set(L.Va);
    w.const(this.site());
    w.set(L.Site);
    if (size > 1) {
      w.get(L.Va);
      w.opConst(Op.And, 4095);
      w.opConst(Op.GtU, 4096 - size);
      w.brIf(this.exit);
    }
    w.get(L.Va);
    w.opConst(Op.ShrU, 10);
    w.opConst(Op.And, -4);
    w.get(L.Flat);
    w.op(Op.Add);
    w.memory(Op.Load);
    w.tee(L.Word);
    w.opConst(Op.And, right);
    w.op(Op.Eqz);
    if (miss === 'fill') {
      w.open(Op.If);
      w.get(L.Va);
      w.get(L.Site);
      w.get(L.Left);
      w.call(access === 'read' ? Import.FillRead : Import.FillWrite);
      w.tee(L.Word);
      w.op(Op.Eqz);
      w.brIf(this.exit);
      w.close();
    } else w.brIf(this.exit);
    w.get(L.Word);
    w.opConst(Op.And, -4096);
    w.get(L.Va);
    w.op(Op.Xor);
    w.set(L.Host);
  }

  /** Pushes the value at L.Host. */
  load(size: number, extend: 'zero' | 'sign'): void {
    this.w.get(L.Host);
    this.w.memory(extend === 'sign' ? LOADS_SIGNED[size] : LOADS[size]);
  }

  /** Writes the low bits of a local to L.Host. */
  store(size: number, from: number): void {
    this.w.get(L.Host);
    this.w.get(from);
    this.w.memory(STORES[size]);
  }

  // ---- operands -----------------------------------------------------------------------------------------------

  /** Destination's old value in `into`, sign-extended; a memory operand is checked for `access`. */
  takeDst(into: number, access: Access): void {
    if (this.dstIsMem) {
      this.address(access, this.width);
      this.load(this.width, 'sign');
    } else this.pushReg(this.dstRegister, this.width, 'sign');
    this.w.set(into);
  }

  /** Source in `into`, sign-extended. */
  takeSrc(into: number): void {
    const kind = (this.flags & F_SRC) >> F_SRC_SHIFT;
    const { width } = this;
    if (kind === KIND_IMM) this.w.const(signed(this.imm, width));
    else if (kind === KIND_REG) this.pushReg(this.regField, width, 'sign');
    else this.pushRm(width, 'sign');
    this.w.set(into);
  }

  /** Pushes the rm operand, register or memory. */
  pushRm(width: number, extend: 'zero' | 'sign'): void {
    if (this.isMem) {
      this.address('read', width);
      this.load(width, extend);
    } else this.pushReg(this.rmRegister, width, extend);
  }

  /**
   * Both operands of the instruction, sign-extended: the first in L.Aux, the second in L.Src, where the flags want them.
   * The memory operand comes first: it may leave, and then the flags must be as they were.
   */
  takeOperands(access: Access): void {
    if ((this.flags & F_SRC) >> F_SRC_SHIFT === KIND_RM && this.isMem) {
      this.takeSrc(L.Src);
      this.takeDst(L.Aux, access);
      return;
    }
    this.takeDst(L.Aux, access);
    this.takeSrc(L.Src);
  }

  /** Takes the result from the stack into L.Dst and the destination. */
  putResult(): void {
    if (this.width === 4 && !this.dstIsMem) {
      this.w.tee(L.Dst);
      this.w.set(L.Reg + this.dstRegister);
      return;
    }
    this.w.set(L.Dst);
    this.putDst(L.Dst);
  }

  /** Writes the destination: for memory, where takeDst or address has left L.Host. */
  putDst(from: number): void {
    if (this.dstIsMem) this.store(this.width, from);
    else this.setReg(this.dstRegister, this.width, from);
  }

  /** `into` = `from`. */
  copy(from: number, into: number): void {
    this.w.get(from);
    this.w.set(into);
  }

  /** Sign-extends what is on the stack from the operand width. */
  extend(): void {
    if (this.width === 1) this.w.op(Op.Extend8);
    else if (this.width === 2) this.w.op(Op.Extend16);
  }
}

const signed = (value: number, width: number): number =>
  width === 4 ? value : width === 2 ? (value << 16) >> 16 : (value << 24) >> 24;

/** Emits one instruction: the one that `g.begin` has named. */
export type Emit = (g: FunctionCode) => void;
