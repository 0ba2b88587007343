/**
 * Text of loop.generated.ts: the frame, the cases of all hot forms, and the enums with their numbers from the files
 * that own them. Pure; tools/build-loop.ts writes it. Nothing here is loaded when the machine runs.
 */
import { R } from '../../arch/core-layout.ts';
import { CURRENT_EIP, PEND, PEND_FAULT, PEND_JUMP } from '../../mem/memory-layout.ts';
import { CC_ADD, CC_RESULT, CC_SUB } from '../flags.ts';
import { F_LINKABLE, I_DISP, I_ENTRY, I_FLAGS, I_IMM, I_LINK, I_POS, I_REGS } from '../record.ts';
import { ARITHMETIC_FORMS } from './arithmetic.ts';
import { BRANCH_FORMS } from './branch.ts';
import type { HotForm } from './hot-form.ts';
import { loopFile } from './loop-frame.ts';
import { MOVE_FORMS } from './move.ts';
import { SHIFT_FORMS } from './shift.ts';

export const HOT_FORMS: readonly HotForm[] = [
  ...ARITHMETIC_FORMS,
  ...SHIFT_FORMS,
  ...MOVE_FORMS,
  ...BRANCH_FORMS,
];

/** Records that are no instructions (code-cache.ts), and General: run the table entry. They come first. */
const PSEUDO_FORMS = ['General', 'End', 'Goto', 'Lookup', 'Crossing'];

const FORM_COMMENT = `/**
 * Dispatch numbers of records. General runs the table entry, End goes to the next page, Goto to the record LINK, Lookup
 * finds the record by EIP, Crossing is an instruction that continues in the next page; the others are hot forms. A
 * negative number is a mark (CodeCache.mark).
 */
export `;

function enumText(comment: string, name: string, members: readonly (readonly [string, number])[]): string {
  const lines = members.map(([member, value]) => `  ${member} = ${value},`);
  return `${comment}enum ${name} {\n${lines.join('\n')}\n}\n`;
}

function enums(): string {
  const names = [...PSEUDO_FORMS, ...HOT_FORMS.map((f) => f.name)];
  const registers = [
    'EAX',
    'ECX',
    'EDX',
    'ESP',
    'EBP',
    'EIP',
    'EFLAGS',
    'CC_OP',
    'CC_DST',
    'CC_SRC',
    'CC_AUX',
    'CR0',
    'CPL',
  ];
  return [
    enumText(
      FORM_COMMENT,
      'Form',
      names.map((name, n) => [name, n]),
    ),
    enumText('/** Words of a record, and a bit of FLAGS (record.ts). */\n', 'W', [
      ['POS', I_POS],
      ['FLAGS', I_FLAGS],
      ['REGS', I_REGS],
      ['DISP', I_DISP],
      ['IMM', I_IMM],
      ['LINK', I_LINK],
      ['ENTRY', I_ENTRY],
      ['LINKABLE', F_LINKABLE],
    ]),
    enumText('/** Words of the core block. */\n', 'K', [
      ...registers.map((name) => [name, R[name as keyof typeof R]] as const),
      ['PEND', PEND],
      ['CURRENT_EIP', CURRENT_EIP],
    ]),
    enumText('/** Kinds of flags (flags.ts). */\n', 'Cc', [
      ['ADD', CC_ADD],
      ['SUB', CC_SUB],
      ['RESULT', CC_RESULT],
    ]),
    enumText('/** Bits of r[PEND] (memory-layout.ts). */\n', 'Pend', [
      ['FAULT', PEND_FAULT],
      ['JUMP', PEND_JUMP],
    ]),
  ].join('\n');
}

/** Lines at the depth of their braces, from `depth` on. */
function indented(lines: readonly string[], depth: number): string[] {
  let level = depth;
  return lines.map((line) => {
    if (line.startsWith('}')) level--;
    const text = '  '.repeat(level) + line;
    if (line.endsWith('{')) level++;
    return text;
  });
}

const caseLines = (f: HotForm): string[] => [`case Form.${f.name}: {`, ...f.body, '}'];

export const loopSource = (): string =>
  loopFile(enums(), indented(HOT_FORMS.flatMap(caseLines), 4).join('\n'));
