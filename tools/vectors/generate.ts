/** Generates the cases of a group, runs them on the host processor, and makes vectors of them. */
import type { Outcome, TestCase } from './case-layout.ts';
import { Draft, type WordBits } from './draft.ts';
import { FORM_GROUPS, type Form } from './forms/index.ts';
import { runOnHost } from './host-protocol.ts';
import { Random } from './random.ts';
import type { FormEntry, Vector } from './vector-file.ts';

/** Vectors of a form of weight 1, by size of the code segment. */
const PER_FORM: Readonly<Record<WordBits, number>> = { 32: 240, 16: 60 };
const LEAST = 8;

/** EFLAGS that the comparison knows: RF depends on how the kernel reports, TF is the harness's. */
const STORED_FLAGS = 0x00244ed7 | 0x202;
/** Instruction-fetch bit of the #PF error code: needs NX, which this machine does not have. */
const PF_FETCH = 0x10;

const TRAPS: ReadonlySet<number> = new Set([1, 3, 4]);

/**
 * What a vector keeps of an outcome. A processor may have written part of a frame or popped part of the registers
 * before a fault (POPA, PUSHA, ENTER and far CALL do so here); this machine promises that an instruction which faults
 * changed nothing, so that is what its vectors say. REP string instructions stop between elements instead.
 */
function normalise(c: TestCase, o: Outcome, isString: boolean): Outcome {
  const restored = TRAPS.has(o.trap) || isString ? o : { ...o, regs: c.regs, changes: [] };
  return {
    ...restored,
    eip: o.trap === 3 ? (o.eip - 1) >>> 0 : o.eip,
    eflags: o.eflags & STORED_FLAGS,
    error: o.trap === 14 ? o.error & ~PF_FETCH : o.error,
    cr2: o.trap === 14 ? o.cr2 : 0,
  };
}

export interface Group {
  readonly forms: readonly FormEntry[];
  readonly vectors: readonly Vector[];
}

function draftCases(form: Form, bits: WordBits, count: number, random: Random): Draft[] {
  return Array.from({ length: count }, () => {
    const draft = new Draft(random, bits);
    form.build(draft);
    return draft;
  });
}

/** All vectors of group `name`; the same ones for the same seed and processor. */
export function generateGroup(name: string, seed: number, harnessPath: string): Group {
  const forms: FormEntry[] = [];
  const vectors: Vector[] = [];
  const random = new Random(seed);
  for (const codeBits of [32, 16] as const) {
    const drafts: { entry: FormEntry; draft: Draft; case: TestCase }[] = [];
    for (const form of FORM_GROUPS[name]!()) {
      const count = Math.max(LEAST, Math.round(PER_FORM[codeBits] * form.weight));
      const entry = { name: form.name, opcode: form.opcode, codeBits, count };
      forms.push(entry);
      for (const draft of draftCases(form, codeBits, count, random))
        drafts.push({ entry, draft, case: draft.finish() });
    }
    const outcomes = runOnHost(
      harnessPath,
      drafts.map((d) => d.case),
    );
    drafts.forEach(({ entry, draft, case: before }, i) => {
      const after = normalise(before, outcomes[i]!, name === 'strings');
      vectors.push({ form: entry, before, after, undefinedFlags: draft.undefinedFlags });
    });
  }
  return { forms, vectors };
}
