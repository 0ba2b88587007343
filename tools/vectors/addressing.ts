/**
 * ModRM operands (SDM vol. 2 §2.1.5): draws an addressing form, 16- or 32-bit, and arranges base, index and
 * displacement so that the operand lies at the wanted offset of the data window.
 */
import { DATA_BASE, FLAT_DATA, ldtSelector, SegIndex } from './case-layout.ts';
import { type Bits, type Draft, EBP, EBX, EDI, ESI, ESP, type WordBits } from './draft.ts';
import { le } from './random.ts';

export type Place = 'reg' | 'mem';

/** Where an operand came to lie: register number, or offset in the data window. */
export interface Operand {
  readonly place: Place;
  readonly at: number;
}

/** Emits ModRM with register operand `rm` of width `bits` set to `value`. */
export function registerOperand(d: Draft, bits: Bits, regField: number, rm: number, value: number): Operand {
  d.setReg(rm, value, bits);
  d.emit(0xc0 | (regField << 3) | rm);
  return { place: 'reg', at: rm };
}

/**
 * Emits ModRM, SIB and displacement for a memory operand whose bytes are `bytes`; call after the opcode and after the
 * registers that matter are kept. `trailing` bytes of immediate may follow.
 */
export function memoryOperand(d: Draft, regField: number, bytes: readonly number[], at?: number): Operand {
  const offset = at ?? d.place(bytes.length);
  d.poke(offset, bytes);
  addressOf(d, regField, offset);
  return { place: 'mem', at: offset };
}

/**
 * An operand of width `bits` with `value`, in a register or in memory. Not in the read-only page, where the value would
 * be another one, if `control` flow depends on it.
 */
export function operand(
  d: Draft,
  place: Place,
  bits: Bits,
  regField: number,
  value: number,
  use?: 'control',
): Operand {
  if (place === 'reg') return registerOperand(d, bits, regField, d.anyReg(bits), value);
  const at = use === 'control' ? d.placeWritable(bits / 8) : undefined;
  return memoryOperand(d, regField, le(value, bits / 8), at);
}

/** Emits ModRM etc. so that the effective address is `offset` in the data window; draws the address size. */
export function addressOf(d: Draft, regField: number, offset: number): void {
  const addressBits: WordBits = d.random.chance(82) ? d.codeBits : d.codeBits === 32 ? 16 : 32;
  if (addressBits !== d.codeBits) d.prefixes.push(0x67);
  const base = chooseSegment(d, addressBits);
  const target = DATA_BASE + offset - base;
  if (addressBits === 32) emit32(d, regField, target);
  else emit16(d, regField, target);
}

/** Picks the segment (maybe by a prefix) and returns its base. */
function chooseSegment(d: Draft, addressBits: WordBits): number {
  if (d.hasSegment) return segmentBase(d, addressBits);
  const selector = d.codeBits === 16 || addressBits === 16 ? ldtSelector('data') : FLAT_DATA;
  if (d.codeBits === 32 && addressBits === 16) {
    d.overrideSegment(d.random.pick([SegIndex.ES, SegIndex.DS, SegIndex.FS, SegIndex.GS]), selector);
    return DATA_BASE;
  }
  if (d.random.chance(12)) {
    const seg = d.random.pick([0, 1, 2, 3, 4, 5]) as SegIndex;
    if (seg !== SegIndex.CS || d.codeBits === 32) d.overrideSegment(seg, selector);
  }
  return d.dataBase;
}

function segmentBase(d: Draft, addressBits: WordBits): number {
  return d.codeBits === 16 || addressBits === 16 ? DATA_BASE : d.dataBase;
}

/** Solves base + index × scale + disp = target for what is still free. */
function emit32(d: Draft, regField: number, target: number): void {
  const { random } = d;
  const form = random.below(10);
  const reg = regField << 3;
  if (form === 0) {
    d.emit(0x05 | reg, ...le(target, 4));
    return;
  }
  if (form === 1) {
    const index = random.pick([0, 1, 2, 3, 5, 6, 7]);
    const scale = random.below(4);
    if (!d.isKept(index)) d.setReg(index, random.pick([0, 4, 0x100, random.u32()]), 32);
    const disp = (target - Math.imul(d.regs[index]!, 1 << scale)) >>> 0;
    d.emit(0x04 | reg, (scale << 6) | (index << 3) | 5, ...le(disp, 4));
    return;
  }
  if (form <= 5) emitBase(d, reg, target);
  else emitSib(d, reg, target);
}

/** Displacement that the address needs when `sum` is what the registers give; mod bits and bytes. */
function displacement(d: Draft, disp: number): { mod: number; bytes: number[] } {
  const small = disp === ((disp << 24) >> 24) >>> 0;
  if (disp === 0 && d.random.chance(80)) return { mod: 0, bytes: [] };
  return small && d.random.chance(85) ? { mod: 1, bytes: le(disp, 1) } : { mod: 2, bytes: le(disp, 4) };
}

function emitBase(d: Draft, reg: number, target: number): void {
  const base = d.random.pick([0, 1, 2, 3, 5, 6, 7]);
  freeDisplacement(d, base, 0, target);
  let { mod, bytes } = displacement(d, (target - d.regs[base]!) >>> 0);
  if (mod === 0 && base === EBP) [mod, bytes] = [1, [0]];
  d.emit((mod << 6) | reg | base, ...bytes);
}

function emitSib(d: Draft, reg: number, target: number): void {
  const { random } = d;
  const base = random.below(8);
  const index = random.below(8);
  const scale = random.below(4);
  const hasIndex = index !== ESP;
  if (hasIndex && !d.isKept(index) && random.chance(70))
    d.setReg(index, random.pick([0, 1, 2, 0x40, -4 >>> 0]), 32);
  const scaled = (): number => (hasIndex ? Math.imul(d.regs[index]!, 1 << scale) : 0);
  if (base !== index) freeDisplacement(d, base, scaled(), target);
  const disp = (target - d.regs[base]! - scaled()) >>> 0;
  let { mod, bytes } = displacement(d, disp);
  if (mod === 0 && base === EBP) [mod, bytes] = [1, [0]];
  d.emit((mod << 6) | reg | 4, (scale << 6) | (index << 3) | base, ...bytes);
}

/** Gives `base` a value that makes the displacement short or zero, if the register is free. */
function freeDisplacement(d: Draft, base: number, rest: number, target: number): void {
  if (d.isKept(base) || base === ESP) return;
  const { random } = d;
  const disp = random.pick([0, 0, random.below(256) - 128, random.below(256) - 128, random.u32()]);
  d.setReg(base, (target - rest - disp) >>> 0, 32);
}

const PAIRS: readonly (readonly number[])[] = [
  [EBX, ESI],
  [EBX, EDI],
  [EBP, ESI],
  [EBP, EDI],
  [ESI],
  [EDI],
  [EBP],
  [EBX],
];

function emit16(d: Draft, regField: number, target: number): void {
  const { random } = d;
  const reg = regField << 3;
  const rm = random.below(9);
  if (rm === 8) {
    d.emit(0x06 | reg, ...le(target, 2));
    return;
  }
  const [first, second] = PAIRS[rm]!;
  if (second !== undefined && !d.isKept(second) && random.chance(70)) {
    d.setReg(second, random.pick([0, 2, 0x10, 0xfffe, random.below(0x10000)]), 16);
  }
  const rest = second === undefined ? 0 : d.regs[second]!;
  if (!d.isKept(first!)) {
    const disp = random.pick([0, 0, random.below(256) - 128, random.below(0x10000)]);
    d.setReg(first!, (target - rest - disp) & 0xffff, 16);
  }
  const disp = (target - rest - d.regs[first!]!) & 0xffff;
  const small = disp === (((disp << 24) >> 24) & 0xffff);
  if (disp === 0 && rm !== 6 && random.chance(80)) d.emit(reg | rm);
  else if (small && random.chance(85)) d.emit(0x40 | reg | rm, disp & 0xff);
  else d.emit(0x80 | reg | rm, ...le(disp, 2));
}
