/**
 * Random straight-line programs for lock-step runs in flat ring 0 without paging: instructions of the vector forms, each
 * with the MOVs before it that give its registers the values it wants. Nothing in it faults, jumps or looks at segments.
 */
import { FLAT_DATA } from '../vectors/case-layout.ts';
import { Draft, defaultSegments, ESP } from '../vectors/draft.ts';
import { FORM_GROUPS, type Form } from '../vectors/forms/index.ts';
import { le, type Random } from '../vectors/random.ts';

export interface Piece {
  readonly name: string;
  readonly code: readonly number[];
  /** Flags that are undefined after it. */
  readonly undefinedFlags: number;
  /** Bytes that its memory operand wants, as offset in the data window. */
  readonly pokes: readonly { readonly offset: number; readonly bytes: readonly number[] }[];
}

/**
 * Left out: what can fault, and what depends on segments, TF or the host; and what Unicorn 2 does wrong, for which the
 * vectors of the host processor are the judge: the undocumented aliases are invalid there, LOCK NEG gives the flags of
 * another value.
 */
const UNWANTED =
  /^(div|idiv|aam|bound|into|int3|push|pop|enter|leave|ret|call|j|loop|xlat|instruction|lock .* invalid)|moffs|alias|^lock neg/;
const USES_MEMORY = /\[mem\]|m8|m16|m32|m64/;
const GROUPS = ['arithmetic', 'shifts', 'multiply', 'bits', 'moves', 'strings'];

export function sequenceForms(): Form[] {
  return GROUPS.flatMap((group) => FORM_GROUPS[group]!()).filter((form) => !UNWANTED.test(form.name));
}

/** Flat segments only, and no write through CS, which Unicorn lets pass. */
const isFlat = (draft: Draft): boolean =>
  !draft.prefixes.includes(0x2e) &&
  draft.segs.every((selector, i) => selector === defaultSegments(32)[i] || selector === FLAT_DATA);

/** One instruction with its preparation; draws again until it is flat. */
export function drawPiece(random: Random, forms: readonly Form[]): Piece[] {
  for (;;) {
    const draft = new Draft(random, 32);
    draft.reserve(ESP);
    const form = random.pick(forms);
    form.build(draft);
    if (!isFlat(draft)) continue;
    const { code, pokes, eflags } = draft.finish();
    // An address may be made of any register, also of one that was not given a value.
    const usesMemory = USES_MEMORY.test(form.name);
    const moves = Array.from({ length: 8 }, (_, n) => n)
      .filter((n) => usesMemory || draft.isKept(n))
      .map((n): Piece => piece(`mov r32,imm32`, [0xb8 + n, ...le(draft.regs[n]!, 4)]));
    // DF decides the direction for which the operands were placed.
    const direction = piece('cld/std', [(eflags & 0x400) !== 0 ? 0xfd : 0xfc]);
    return [...moves, direction, { ...piece(form.name, code), undefinedFlags: draft.undefinedFlags, pokes }];
  }
}

const piece = (name: string, code: readonly number[]): Piece => ({
  name,
  code,
  undefinedFlags: 0,
  pokes: [],
});
