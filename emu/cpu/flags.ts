/**
 * Arithmetic flags, computed when somebody asks. An instruction stores its operands and result, all sign-extended to
 * 32 bits (an order-preserving map for unsigned comparison too, so that no rule depends on the width):
 *
 *   CC_OP        CC_DST   CC_SRC           CC_AUX
 *   CC_FLAGS     -        -                -             all flags are in R.EFLAGS
 *   CC_ADD       result   second operand   first operand
 *   CC_SUB       result   second operand   first operand
 *   CC_RESULT    result   CF|AF|OF bits    -             ZF, SF, PF from the result
 *
 * Most flags are overwritten before anybody reads them: storing what they come from is all that is done for those.
 *
 * Flags that the SDM leaves undefined, as chosen here. The reference is the AMD EPYC that the snippets of
 * test/engines/cpu run on; lines marked * differ from it, where it is irregular:
 *   AND OR XOR TEST          AF = 0
 *   SHL SHR SAR SHLD SHRD    AF = 1; OF for counts other than 1 by the same formula as for 1
 *   SHLD SHRD of 16 bits *   counts above 16 shift in the destination again
 *   ROL ROR RCL RCR          OF for counts other than 1 by the same formula as for 1
 *   MUL IMUL               * SF ZF PF from the low half of the result, AF = 0
 *   DIV IDIV               * all unchanged
 *   BSF BSR                * only ZF is written; with source 0 the destination is unchanged
 *   BT BTS BTR BTC           OF SF AF PF unchanged
 *   AAA AAS                * SF ZF PF OF: ZF PF SF from AL, OF = 0;  DAA DAS *: OF = 0
 *   AAM AAD                * CF OF AF = 0
 */
import { Flag, R } from '../arch/core-layout.ts';

export const CC_FLAGS = 0;
export const CC_ADD = 1;
export const CC_SUB = 2;
export const CC_RESULT = 3;

const CF = 1;
const PF = 4;
const AF = 16;
const ZF = 64;
const SF = 128;
const OF = 2048;
/** CF PF AF ZF SF OF. */
export const ARITH_FLAGS = CF | PF | AF | ZF | SF | OF;

const CC_OP = R.CC_OP as number;
const CC_DST = R.CC_DST as number;
const CC_SRC = R.CC_SRC as number;
const CC_AUX = R.CC_AUX as number;
const EFLAGS = R.EFLAGS as number;

/** PF as a bit in place, for each low byte. */
export const PARITY = new Uint8Array(256);
for (let i = 0; i < 256; i++) {
  let bits = i ^ (i >> 4);
  bits ^= bits >> 2;
  PARITY[i] = ((bits ^ (bits >> 1)) & 1) === 0 ? PF : 0;
}

export function carry(r: Int32Array): number {
  switch (r[CC_OP]) {
    case CC_ADD:
      return r[CC_DST] >>> 0 < r[CC_SRC] >>> 0 ? 1 : 0;
    case CC_SUB:
      return r[CC_AUX] >>> 0 < r[CC_SRC] >>> 0 ? 1 : 0;
    case CC_RESULT:
      return r[CC_SRC] & 1;
    default:
      return r[EFLAGS] & 1;
  }
}

export function zero(r: Int32Array): boolean {
  return r[CC_OP] === CC_FLAGS ? (r[EFLAGS] & ZF) !== 0 : r[CC_DST] === 0;
}

export function sign(r: Int32Array): boolean {
  return r[CC_OP] === CC_FLAGS ? (r[EFLAGS] & SF) !== 0 : r[CC_DST] < 0;
}

export function parity(r: Int32Array): boolean {
  return r[CC_OP] === CC_FLAGS ? (r[EFLAGS] & PF) !== 0 : PARITY[r[CC_DST] & 255] !== 0;
}

export function overflow(r: Int32Array): boolean {
  switch (r[CC_OP]) {
    case CC_ADD:
      return ((r[CC_AUX] ^ r[CC_DST]) & (r[CC_SRC] ^ r[CC_DST])) < 0;
    case CC_SUB:
      return ((r[CC_AUX] ^ r[CC_SRC]) & (r[CC_AUX] ^ r[CC_DST])) < 0;
    case CC_RESULT:
      return (r[CC_SRC] & OF) !== 0;
    default:
      return (r[EFLAGS] & OF) !== 0;
  }
}

/** The six arithmetic flags as EFLAGS bits. */
export function arithFlags(r: Int32Array): number {
  const op = r[CC_OP];
  if (op === CC_FLAGS) return r[EFLAGS] & ARITH_FLAGS;
  const result = r[CC_DST];
  let bits = PARITY[result & 255] | (result === 0 ? ZF : 0) | (result < 0 ? SF : 0);
  if (op === CC_RESULT) return bits | (r[CC_SRC] & (CF | AF | OF));
  bits |= carry(r) | ((r[CC_AUX] ^ r[CC_SRC] ^ result) & AF);
  return overflow(r) ? bits | OF : bits;
}

/** Makes EFLAGS complete; CC_OP becomes CC_FLAGS. Returns EFLAGS. */
export function materialise(r: Int32Array): number {
  if (r[CC_OP] !== CC_FLAGS) {
    r[EFLAGS] = (r[EFLAGS] & ~ARITH_FLAGS) | arithFlags(r);
    r[CC_OP] = CC_FLAGS;
    r[CC_DST] = 0;
    r[CC_SRC] = 0;
    r[CC_AUX] = 0;
  }
  return r[EFLAGS];
}

/** As materialise, for a caller that writes all arithmetic flags: they are anything then. */
export function forgetArith(r: Int32Array): void {
  r[CC_OP] = CC_FLAGS;
  r[CC_DST] = 0;
  r[CC_SRC] = 0;
  r[CC_AUX] = 0;
}

/** Sets the arithmetic flags in `mask` to those in `bits`; the others keep their value. */
export function setArith(r: Int32Array, mask: number, bits: number): void {
  r[EFLAGS] = (materialise(r) & ~mask) | (bits & mask);
}

/** Condition `code` of Jcc, SETcc and CMOVcc (SDM vol. 1 app. B). */
export function condition(r: Int32Array, code: number): boolean {
  let holds: boolean;
  switch (code >> 1) {
    case 0:
      holds = overflow(r);
      break;
    case 1:
      holds = carry(r) !== 0;
      break;
    case 2:
      holds = zero(r);
      break;
    case 3:
      holds = zero(r) || carry(r) !== 0;
      break;
    case 4:
      holds = sign(r);
      break;
    case 5:
      holds = parity(r);
      break;
    case 6:
      holds = sign(r) !== overflow(r);
      break;
    default:
      holds = zero(r) || sign(r) !== overflow(r);
  }
  return holds !== ((code & 1) !== 0);
}

/** Result flags with explicit CF, AF and OF bits. */
export function setResult(r: Int32Array, result: number, bits: number): void {
  r[CC_OP] = CC_RESULT;
  r[CC_DST] = result;
  r[CC_SRC] = bits;
}

export function setAdd(r: Int32Array, a: number, b: number, result: number): void {
  r[CC_OP] = CC_ADD;
  r[CC_DST] = result;
  r[CC_SRC] = b;
  r[CC_AUX] = a;
}

export function setSub(r: Int32Array, a: number, b: number, result: number): void {
  r[CC_OP] = CC_SUB;
  r[CC_DST] = result;
  r[CC_SRC] = b;
  r[CC_AUX] = a;
}

/** EFLAGS bits that POPF and IRET may write at all; VM, RF, VIF and VIP are handled by the instructions. */
export const POPF_BITS = ARITH_FLAGS | Flag.TF | Flag.IF | Flag.DF | Flag.IOPL | Flag.NT | Flag.AC | Flag.ID;
