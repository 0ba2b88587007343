/** Table lines: arithmetic, logic, shifts, bits (SDM vol. 2 app. A). */
import * as alu from '../exec/alu.ts';
import * as bits from '../exec/bits.ts';
import * as mul from '../exec/multiply.ts';
import * as shift from '../exec/shift.ts';
import { type Definition, define, type Handler } from './definition.ts';

const ALU: readonly [string, Handler][] = [
  ['add', alu.add],
  ['or', alu.or],
  ['adc', alu.adc],
  ['sbb', alu.sbb],
  ['and', alu.and],
  ['sub', alu.sub],
  ['xor', alu.xor],
  ['cmp', alu.cmp],
];

/** The six classic forms at `n * 8`, and group 1. CMP writes nothing, so it takes no LOCK. */
const aluLines = ALU.flatMap(([name, exec], n): Definition[] => {
  const op = n * 8;
  const lock = name === 'cmp' ? {} : ({ lock: true } as const);
  return [
    define(op, name, 'Eb,Gb', exec, lock),
    define(op + 1, name, 'Ev,Gv', exec, lock),
    define(op + 2, name, 'Gb,Eb', exec),
    define(op + 3, name, 'Gv,Ev', exec),
    define(op + 4, name, 'AL,Ib', exec),
    define(op + 5, name, 'eAX,Iv', exec),
    define(0x80, name, 'Eb,Ib', exec, { ext: n, ...lock }),
    define(0x81, name, 'Ev,Iv', exec, { ext: n, ...lock }),
    define(0x82, name, 'Eb,Ib', exec, { ext: n, ...lock }),
    define(0x83, name, 'Ev,Ibs', exec, { ext: n, ...lock }),
  ];
});

const SHIFTS: readonly [number, string, Handler][] = [
  [0, 'rol', shift.rol],
  [1, 'ror', shift.ror],
  [2, 'rcl', shift.rcl],
  [3, 'rcr', shift.rcr],
  [4, 'shl', shift.shl],
  [5, 'shr', shift.shr],
  [6, 'shl', shift.shl],
  [7, 'sar', shift.sar],
];

const shiftLines = SHIFTS.flatMap(([ext, name, exec]): Definition[] => [
  define(0xc0, name, 'Eb,Ib', exec, { ext }),
  define(0xc1, name, 'Ev,Ib', exec, { ext }),
  define(0xd0, name, 'Eb,1', exec, { ext }),
  define(0xd1, name, 'Ev,1', exec, { ext }),
  define(0xd2, name, 'Eb,CL', exec, { ext }),
  define(0xd3, name, 'Ev,CL', exec, { ext }),
]);

const unaryLines = [
  { suffix: 'b', low: 0 },
  { suffix: 'v', low: 1 },
].flatMap(({ suffix, low }): Definition[] => [
  define(0xf6 + low, 'test', `E${suffix},I${suffix}`, alu.test, { ext: 0 }),
  define(0xf6 + low, 'test', `E${suffix},I${suffix}`, alu.test, { ext: 1 }),
  define(0xf6 + low, 'not', `E${suffix}`, alu.not, { ext: 2, lock: true }),
  define(0xf6 + low, 'neg', `E${suffix}`, alu.neg, { ext: 3, lock: true }),
  define(0xf6 + low, 'mul', `E${suffix}`, mul.mul, { ext: 4 }),
  define(0xf6 + low, 'imul', `E${suffix}`, mul.imulOne, { ext: 5 }),
  define(0xf6 + low, 'div', `E${suffix}`, mul.div, { ext: 6 }),
  define(0xf6 + low, 'idiv', `E${suffix}`, mul.idiv, { ext: 7 }),
  define(0xfe + low, 'inc', `E${suffix}`, alu.inc, { ext: 0, lock: true }),
  define(0xfe + low, 'dec', `E${suffix}`, alu.dec, { ext: 1, lock: true }),
]);

const registerLines = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((n): Definition[] => [
  define(0x40 + n, 'inc', 'Zv', alu.inc),
  define(0x48 + n, 'dec', 'Zv', alu.dec),
  define(0x0fc8 + n, 'bswap', 'Zv', bits.bswap),
]);

export const ARITHMETIC: readonly Definition[] = [
  ...aluLines,
  ...shiftLines,
  ...unaryLines,
  ...registerLines,
  define(0x84, 'test', 'Eb,Gb', alu.test),
  define(0x85, 'test', 'Ev,Gv', alu.test),
  define(0xa8, 'test', 'AL,Ib', alu.test),
  define(0xa9, 'test', 'eAX,Iv', alu.test),
  define(0x69, 'imul', 'Gv,Ev,Iv', mul.imulThree),
  define(0x6b, 'imul', 'Gv,Ev,Ibs', mul.imulThree),
  define(0x0faf, 'imul', 'Gv,Ev', mul.imulTwo),
  define(0x27, 'daa', '', mul.daa),
  define(0x2f, 'das', '', mul.das),
  define(0x37, 'aaa', '', mul.aaa),
  define(0x3f, 'aas', '', mul.aas),
  define(0xd4, 'aam', 'Ib', mul.aam),
  define(0xd5, 'aad', 'Ib', mul.aad),
  define(0xd6, 'salc', '', shift.salc),
  define(0x0fa4, 'shld', 'Ev,Gv,Ib', shift.shldByImm),
  define(0x0fa5, 'shld', 'Ev,Gv,CL', shift.shldByCl),
  define(0x0fac, 'shrd', 'Ev,Gv,Ib', shift.shrdByImm),
  define(0x0fad, 'shrd', 'Ev,Gv,CL', shift.shrdByCl),
  define(0x0fa3, 'bt', 'Ev,Gv', bits.bt),
  define(0x0fab, 'bts', 'Ev,Gv', bits.bts, { lock: true }),
  define(0x0fb3, 'btr', 'Ev,Gv', bits.btr, { lock: true }),
  define(0x0fbb, 'btc', 'Ev,Gv', bits.btc, { lock: true }),
  define(0x0fba, 'bt', 'Ev,Ib', bits.btImm, { ext: 4 }),
  define(0x0fba, 'bts', 'Ev,Ib', bits.btsImm, { ext: 5, lock: true }),
  define(0x0fba, 'btr', 'Ev,Ib', bits.btrImm, { ext: 6, lock: true }),
  define(0x0fba, 'btc', 'Ev,Ib', bits.btcImm, { ext: 7, lock: true }),
  define(0x0fbc, 'bsf', 'Gv,Ev', bits.bsf),
  define(0x0fbd, 'bsr', 'Gv,Ev', bits.bsr),
  define(0x0fb0, 'cmpxchg', 'Eb,Gb', alu.cmpxchg, { lock: true }),
  define(0x0fb1, 'cmpxchg', 'Ev,Gv', alu.cmpxchg, { lock: true }),
  define(0x0fc0, 'xadd', 'Eb,Gb', alu.xadd, { lock: true }),
  define(0x0fc1, 'xadd', 'Ev,Gv', alu.xadd, { lock: true }),
];
