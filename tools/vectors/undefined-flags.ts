/**
 * Which EFLAGS bits an instruction leaves undefined (SDM vol. 2, "Flags Affected" of each instruction; vol. 1
 * appendix A). The vectors store what the host processor left there, with a mask made from this table; the comparison
 * skips masked bits. docs/machine.md says what this machine puts there.
 *
 *   AND OR XOR TEST        AF
 *   shifts by count & 31   0: nothing is touched. AF; OF unless 1; CF of SHL and SHR when count >= width
 *   rotates by count & 31  0: nothing is touched. OF unless 1
 *   SHLD SHRD              as shifts; above the width everything
 *   MUL IMUL               SF ZF AF PF
 *   DIV IDIV               all six
 *   BSF BSR                CF OF SF AF PF
 *   BT BTS BTR BTC         OF SF AF PF
 *   AAA AAS                OF SF ZF PF
 *   AAM AAD                OF AF CF
 *   DAA DAS                OF
 */
import { AF, ARITHMETIC, type Bits, CF, OF, PF, SF, ZF } from './draft.ts';

export const MULTIPLY_UNDEFINED = SF | ZF | AF | PF;
export const DIVIDE_UNDEFINED = ARITHMETIC;
export const BIT_SCAN_UNDEFINED = CF | OF | SF | AF | PF;
export const BIT_TEST_UNDEFINED = OF | SF | AF | PF;
export const ASCII_ADD_UNDEFINED = OF | SF | ZF | PF;
export const ASCII_MULTIPLY_UNDEFINED = OF | AF | CF;
export const DECIMAL_UNDEFINED = OF;

/** For ROL..SAR with the given operand width and unmasked count. */
export function shiftUndefined(name: string, bits: Bits, rawCount: number): number {
  const count = rawCount & 31;
  if (count === 0) return 0;
  if (name[0] === 'r') return count === 1 ? 0 : OF;
  let undefinedFlags = AF;
  if (count !== 1) undefinedFlags |= OF;
  if (name !== 'sar' && count >= bits) undefinedFlags |= CF;
  return undefinedFlags;
}

/** For SHLD and SHRD. */
export function doubleShiftUndefined(bits: 16 | 32, rawCount: number): number {
  const count = rawCount & 31;
  if (count === 0) return 0;
  if (count > bits) return ARITHMETIC;
  return count === 1 ? AF : AF | OF;
}
