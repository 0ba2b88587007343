/**
 * Hot forms as text: the statements that the inner loop runs for one shape of one instruction, written by
 * tools/build-loop.ts into loop.generated.ts. They are text because they must stand in one function: V8 inlines at most
 * 920 bytes of bytecode into a caller (`node --v8-options`: --max-inlined-bytecode-size-cumulative), and the loop with all
 * forms has thirty times that (`--print-bytecode --print-bytecode-filter=execute`). Up to 60 KiB it is optimised.
 *
 * Names that the statements may use:
 *   r  b8        core block as words, as bytes        i  ops     the record, the arena (record.ts)
 *   flat  view  u8                                    flat data table, host memory
 *   readMask  writeMask                               bit of a flat word that allows the access
 *   W.*  K.*  Cc.*                                    words of a record, of the core block, kinds of flags (flags.ts)
 *   dataMiss                                          asks the MMU where the flat data table does not know (data-miss.ts)
 *   left  target  from  codeBase                      see execute() in loop-frame.ts
 *
 * `break` leaves for the table's semantics with nothing changed: every check stands before the first write. The result
 * must equal what the table gives, flags included (test/engines/cpu/hot-forms.test.ts).
 */
export interface HotForm {
  /** Mnemonic and shape, as forms.ts puts them together: AddRM. */
  readonly name: string;
  readonly body: readonly string[];
}

/** Statements behind the work of a form that goes on with the next record. */
const NEXT = ['i += 8;', 'left--;', 'continue;'];

/** A form that goes on behind itself. */
export const form = (name: string, ...body: readonly string[]): HotForm => ({
  name,
  body: [...body, ...NEXT],
});

/** A form that sets `target` and ends the straight run; `target` is looked up. */
export const transfer = (name: string, ...body: readonly string[]): HotForm => ({
  name,
  body: [...body, 'left--;', 'from = 0;', 'break straight;'],
});

/** Word flags: RESULT with the CF, AF and OF bits in `bits`. */
export const resultFlags = (bits: string): string[] => [
  'r[K.CC_OP] = Cc.RESULT;',
  'r[K.CC_DST] = v;',
  `r[K.CC_SRC] = ${bits};`,
];

/** Flags of `v = a + b` or `v = a - b`. */
export const sumFlags = (kind: 'ADD' | 'SUB'): string[] => [
  `r[K.CC_OP] = Cc.${kind};`,
  'r[K.CC_DST] = v;',
  'r[K.CC_SRC] = b;',
  'r[K.CC_AUX] = a;',
];
