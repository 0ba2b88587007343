/** What the record of the instruction being translated says (record.ts): operands, width, immediate. */
import {
  F_DST,
  F_DST_SHIFT,
  F_MEM,
  F_SRC,
  F_SRC_SHIFT,
  F_WIDTH,
  I_FLAGS,
  I_IMM,
  I_REGS,
  KIND_IMM,
  KIND_REG,
} from '../record.ts';

export class RecordFields {
  /** Its arena position. */
  i = 0;

  constructor(readonly ops: Int32Array) {}

  get flags(): number {
    return this.ops[this.i + I_FLAGS];
  }

  get width(): number {
    return this.flags & F_WIDTH;
  }

  get imm(): number {
    return this.ops[this.i + I_IMM];
  }

  get regField(): number {
    return this.ops[this.i + I_REGS] & 15;
  }

  get rmRegister(): number {
    return (this.ops[this.i + I_REGS] >> 4) & 15;
  }

  get isMem(): boolean {
    return (this.flags & F_MEM) !== 0;
  }

  get dstIsMem(): boolean {
    return (this.flags & F_DST) >> F_DST_SHIFT !== KIND_REG && this.isMem;
  }

  get srcIsImmediate(): boolean {
    return (this.flags & F_SRC) >> F_SRC_SHIFT === KIND_IMM;
  }

  get dstRegister(): number {
    return (this.flags & F_DST) >> F_DST_SHIFT === KIND_REG ? this.regField : this.rmRegister;
  }
}
