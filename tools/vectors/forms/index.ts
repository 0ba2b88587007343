/** All forms, grouped as the vector files are. */
import { alignmentForms } from './alignment.ts';
import { arithmeticForms } from './arithmetic.ts';
import { bitAndConditionForms } from './bits.ts';
import { branchAndFlagForms } from './branches.ts';
import { faultForms } from './faults.ts';
import type { Form } from './form.ts';
import { moveForms } from './moves.ts';
import { multiplyForms } from './multiply.ts';
import { programForms } from './programs.ts';
import { segmentForms } from './segments.ts';
import { shiftAndRotateForms } from './shifts.ts';
import { stackForms } from './stack.ts';
import { stringForms } from './strings.ts';

export type { Form } from './form.ts';

export const FORM_GROUPS: Readonly<Record<string, () => Form[]>> = {
  arithmetic: arithmeticForms,
  shifts: shiftAndRotateForms,
  multiply: multiplyForms,
  bits: bitAndConditionForms,
  moves: moveForms,
  stack: stackForms,
  strings: stringForms,
  branches: branchAndFlagForms,
  segments: segmentForms,
  faults: faultForms,
  alignment: alignmentForms,
  programs: programForms,
};
