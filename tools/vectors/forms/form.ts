/** A form: one opcode with one kind of operands. Forms are what the coverage index counts. */

import { memoryOperand, operand, type Place, registerOperand } from '../addressing.ts';
import { type Bits, type Draft, ECX } from '../draft.ts';
import { le } from '../random.ts';

export interface Form {
  /** As the manual writes it, with the place of the ModRM operand: `add r/m32,r32 [mem]`. */
  readonly name: string;
  /** Opcode key: hexadecimal bytes and `/digit` where ModRM.reg extends the opcode. */
  readonly opcode: string;
  /** Relative number of cases; 1 is normal. */
  readonly weight: number;
  readonly build: (d: Draft) => void;
}

export const WIDTHS: readonly Bits[] = [8, 16, 32];
export const WORDS: readonly (16 | 32)[] = [16, 32];
export const PLACES: readonly Place[] = ['reg', 'mem'];

/** Key of an opcode. */
export function opcodeKey(bytes: readonly number[], digit?: number): string {
  const hex = bytes.map((b) => b.toString(16).padStart(2, '0')).join(' ');
  return digit === undefined ? hex : `${hex} /${digit}`;
}

export const suffix = (place: Place): string => (place === 'mem' ? ' [mem]' : '');

/** Opcode byte for a width where bit 0 selects byte or word operands. */
export const sized = (opcode: number, bits: Bits): number => (bits === 8 ? opcode : opcode | 1);

export interface RegRmOptions {
  readonly name: string;
  readonly bytes: readonly number[];
  readonly bits: Bits;
  readonly place: Place;
  /** Width of the r/m operand when it differs (movzx). */
  readonly rmBits?: Bits;
  readonly operands?: string;
  readonly weight?: number;
  readonly adjust?: (d: Draft, values: { reg: number; rm: number }) => void;
  /** Given the value of the register operand, that of the r/m operand. */
  readonly rmValue?: (d: Draft, reg: number) => number;
}

/** Form with ModRM register and r/m operands. */
export function regRmForm(o: RegRmOptions): Form {
  const rmBits = o.rmBits ?? o.bits;
  return {
    name: `${o.name} ${o.operands ?? `r/m${rmBits},r${o.bits}`}${suffix(o.place)}`,
    opcode: opcodeKey(o.bytes),
    weight: o.weight ?? 1,
    build: (d) => {
      d.operandSize(o.bits).emit(...o.bytes);
      const reg = d.anyReg(o.bits);
      const regValue = d.value(o.bits);
      const rmValue = o.rmValue?.(d, regValue) ?? d.valueNear(regValue, rmBits);
      d.setReg(reg, regValue, o.bits);
      o.adjust?.(d, { reg: regValue, rm: rmValue });
      if (o.place === 'mem') memoryOperand(d, reg, le(rmValue, rmBits / 8));
      else registerOperand(d, rmBits, reg, d.anyReg(rmBits), rmValue);
    },
  };
}

export interface RmOptions {
  readonly name: string;
  readonly bytes: readonly number[];
  readonly digit: number;
  readonly bits: Bits;
  readonly place: Place;
  readonly operands?: string;
  readonly weight?: number;
  readonly value?: (d: Draft) => number;
  /** Emits what follows ModRM and sets implied registers before it is built: returns the bytes that follow. */
  readonly rest?: (d: Draft, value: number) => readonly number[];
  /** The operand is a jump target. */
  readonly use?: 'control';
}

/** Form with one r/m operand and an opcode digit. */
export function rmForm(o: RmOptions): Form {
  return {
    name: `${o.name} ${o.operands ?? `r/m${o.bits}`}${suffix(o.place)}`,
    opcode: opcodeKey(o.bytes, o.digit),
    weight: o.weight ?? 1,
    build: (d) => {
      d.operandSize(o.bits).emit(...o.bytes);
      const value = o.value?.(d) ?? d.value(o.bits);
      const rest = o.rest?.(d, value) ?? [];
      operand(d, o.place, o.bits, o.digit, value, o.use);
      d.emit(...rest);
    },
  };
}

/** Form without ModRM. */
export function plainForm(
  name: string,
  bytes: readonly number[],
  build: (d: Draft) => void,
  weight = 1,
): Form {
  return { name, opcode: opcodeKey(bytes), weight, build };
}

/** A shift count in CL or an immediate: small, around the width, or anything. */
export function shiftCount(d: Draft, bits: Bits): number {
  return d.random.pick([
    0,
    1,
    1,
    2,
    3,
    bits - 1,
    bits,
    bits + 1,
    31,
    32,
    33,
    63,
    0xff,
    d.random.below(256),
    d.random.below(32),
  ]);
}

export const setCl = (d: Draft, count: number): Draft => d.setReg(ECX, count, 8);

/** The form with a last step when everything else is decided. */
export function followedBy(form: Form, last: (d: Draft) => void): Form {
  return {
    ...form,
    build: (d) => {
      form.build(d);
      last(d);
    },
  };
}
