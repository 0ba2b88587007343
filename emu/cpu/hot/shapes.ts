/**
 * Where the operands of a hot form are. Register shapes find word indices (byte forms: byte indices) in LINK, which
 * forms.ts fills; memory shapes have the address in REGS and DISP. A memory access that is no plain hit inside one page
 * leaves the loop before anything is changed.
 *
 * Names: R register, M memory, I immediate, destination first; B byte, W word operands (before the letters).
 */

/** `variable`: linear address of the memory operand; `x` is left as REGS. */
export const address = (variable = 'ea'): string[] => [
  'const x = ops[i + W.REGS];',
  `const ${variable} = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;`,
];

/** Flat word of address `ea` in `t`; leaves unless `size` bytes there may be accessed. */
export const hit = (mask: 'readMask' | 'writeMask', size: 1 | 2 | 4, ea = 'ea', t = 't'): string[] => {
  const crosses = size === 1 ? '' : ` || (${ea} & 4095) > ${4096 - size}`;
  return [`const ${t} = flat[${ea} >>> 12];`, `if ((${t} & ${mask}) === 0${crosses}) break;`];
};

/**
 * As `hit` for a double word that is read, but asks the MMU when the flat table does not know; then the record is begun
 * anew, so that nothing of the usual case waits for the call (else 7 % of a copying loop).
 */
export const hitOrFill = (): string[] => [
  'const t = flat[ea >>> 12];',
  'if ((t & readMask) === 0) {',
  'if ((dataMiss(c, i, ea, left - 1) & readMask) === 0) break;',
  'continue;',
  '}',
  'if ((ea & 4095) > 4092) break;',
];

/** Host offset of a checked address. */
export const host = (ea = 'ea', t = 't'): string => `((${t} & ~4095) ^ ${ea}) >>> 0`;
/** Signed double word at a checked address. */
export const load = (ea = 'ea', t = 't'): string => `view.getInt32(${host(ea, t)}, true)`;
export const store = (value: string, ea = 'ea', t = 't'): string =>
  `view.setInt32(${host(ea, t)}, ${value}, true);`;

const signedByte = (value: string): string => `(${value} << 24) >> 24`;

/** Operands `a` (destination) and `b` as signed numbers of 32 bits, and where the result `v` goes. */
export interface Shape {
  readonly suffix: string;
  readonly bytes: 1 | 4;
  /** `access`: what the destination, if it is memory, must allow. */
  take(access: 'readMask' | 'writeMask'): string[];
  readonly put: string;
}

/** A memory destination is used twice: its host offset is kept in `at`. */
const destination = (access: 'readMask' | 'writeMask', size: 1 | 4): string[] => [
  ...address(),
  ...hit(access, size),
  `const at = ${host()};`,
];

export const WORD_SHAPES: readonly Shape[] = [
  {
    suffix: 'RR',
    bytes: 4,
    take: () => ['const x = ops[i + W.LINK];', 'const a = r[x & 255];', 'const b = r[x >> 8];'],
    put: 'r[x & 255] = v;',
  },
  {
    suffix: 'RI',
    bytes: 4,
    take: () => ['const d = ops[i + W.LINK];', 'const a = r[d];', 'const b = ops[i + W.IMM];'],
    put: 'r[d] = v;',
  },
  {
    suffix: 'RM',
    bytes: 4,
    take: () => [...address(), ...hit('readMask', 4), 'const a = r[x & 15];', `const b = ${load()};`],
    put: 'r[x & 15] = v;',
  },
  {
    suffix: 'MR',
    bytes: 4,
    take: (access) => [
      ...destination(access, 4),
      'const a = view.getInt32(at, true);',
      'const b = r[x & 15];',
    ],
    put: 'view.setInt32(at, v, true);',
  },
  {
    suffix: 'MI',
    bytes: 4,
    take: (access) => [
      ...destination(access, 4),
      'const a = view.getInt32(at, true);',
      'const b = ops[i + W.IMM];',
    ],
    put: 'view.setInt32(at, v, true);',
  },
];

export const BYTE_SHAPES: readonly Shape[] = [
  {
    suffix: 'BRR',
    bytes: 1,
    take: () => [
      'const x = ops[i + W.LINK];',
      `const a = ${signedByte('b8[x & 255]')};`,
      `const b = ${signedByte('b8[x >> 8]')};`,
    ],
    put: 'b8[x & 255] = v;',
  },
  {
    suffix: 'BRI',
    bytes: 1,
    take: () => [
      'const d = ops[i + W.LINK];',
      `const a = ${signedByte('b8[d]')};`,
      `const b = ${signedByte('ops[i + W.IMM]')};`,
    ],
    put: 'b8[d] = v;',
  },
  {
    suffix: 'BRM',
    bytes: 1,
    take: () => [
      ...address(),
      ...hit('readMask', 1),
      'const d = ops[i + W.LINK];',
      `const a = ${signedByte('b8[d]')};`,
      `const b = ${signedByte(`u8[${host()}]`)};`,
    ],
    put: 'b8[d] = v;',
  },
  {
    suffix: 'BMR',
    bytes: 1,
    take: (access) => [
      ...destination(access, 1),
      `const a = ${signedByte('u8[at]')};`,
      `const b = ${signedByte('b8[ops[i + W.LINK]]')};`,
    ],
    put: 'u8[at] = v;',
  },
  {
    suffix: 'BMI',
    bytes: 1,
    take: (access) => [
      ...destination(access, 1),
      `const a = ${signedByte('u8[at]')};`,
      `const b = ${signedByte('ops[i + W.IMM]')};`,
    ],
    put: 'u8[at] = v;',
  },
];
