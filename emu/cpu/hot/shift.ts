/** Hot forms of SHL, SHR, SAR by an immediate (1..31, forms.ts sees to it) or by CL. Semantics: exec/shift.ts. */
import { form, type HotForm, resultFlags } from './hot-form.ts';

const SHIFTS = [
  { stem: 'Shl', value: 'a << n', out: '(a >>> (32 - n)) & 1', overflow: '(v >>> 31 !== out ? 2048 : 0)' },
  {
    stem: 'Shr',
    value: '(a >>> n) | 0',
    out: '(a >>> (n - 1)) & 1',
    overflow: '((v ^ (v << 1)) < 0 ? 2048 : 0)',
  },
  { stem: 'Sar', value: 'a >> n', out: '(a >> (n - 1)) & 1', overflow: '0' },
];

export const SHIFT_FORMS: readonly HotForm[] = SHIFTS.flatMap(({ stem, value, out, overflow }): HotForm[] => {
  const work = [
    'const a = r[d];',
    `const v = ${value};`,
    `const out = ${out};`,
    'r[d] = v;',
    ...resultFlags(`16 | out | ${overflow}`),
  ];
  return [
    form(`${stem}RI`, 'const d = ops[i + W.LINK];', 'const n = ops[i + W.IMM];', ...work),
    form(
      `${stem}RC`,
      'const n = r[K.ECX] & 31;',
      'if (n !== 0) {',
      'const d = ops[i + W.LINK] & 255;',
      ...work,
      '}',
    ),
  ];
});
