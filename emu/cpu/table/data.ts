/** Table lines: moves, stack, strings, ports (SDM vol. 2 app. A). */
import { Seg } from '../../arch/core-layout.ts';
import { cmovcc, setcc } from '../exec/bits.ts';
import * as move from '../exec/move.ts';
import * as ports from '../exec/ports.ts';
import * as sel from '../exec/selectors.ts';
import * as str from '../exec/string.ts';
import { CONDITIONS } from './conditions.ts';
import { type Definition, define } from './definition.ts';

const registerLines = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((n): Definition[] => [
  define(0x50 + n, 'push', 'Zv', move.push),
  define(0x58 + n, 'pop', 'Zv', move.popReg),
  define(0xb0 + n, 'mov', 'Zb,Ib', move.mov),
  define(0xb8 + n, 'mov', 'Zv,Iv', move.mov),
  ...(n === 0 ? [] : [define(0x90 + n, 'xchg', 'eAX,Zv', move.xchgAccumulator)]),
]);

const conditionLines = CONDITIONS.flatMap((name, code): Definition[] => [
  define(0x0f90 + code, `set${name}`, 'Eb', setcc(code)),
  define(0x0f40 + code, `cmov${name}`, 'Gv,Ev', cmovcc(code)),
]);

const stringLines = [
  { suffix: 'b', letter: 'b', low: 0 },
  { suffix: 'v', letter: 'w|d', low: 1 },
].flatMap(({ suffix, letter, low }): Definition[] => {
  const name = (stem: string): string =>
    letter
      .split('|')
      .map((l) => stem + l)
      .join('|');
  return [
    define(0x6c + low, name('ins'), `Y${suffix},DX`, str.ins, { rep: 'rep' }),
    define(0x6e + low, name('outs'), `DX,X${suffix}`, str.outs, { rep: 'rep' }),
    define(0xa4 + low, name('movs'), `Y${suffix},X${suffix}`, str.movs, { rep: 'rep' }),
    define(0xa6 + low, name('cmps'), `X${suffix},Y${suffix}`, str.cmps, { rep: 'repe' }),
    define(0xaa + low, name('stos'), `Y${suffix}`, str.stos, { rep: 'rep' }),
    define(0xac + low, name('lods'), `X${suffix}`, str.lods, { rep: 'rep' }),
    define(0xae + low, name('scas'), `Y${suffix}`, str.scas, { rep: 'repe' }),
  ];
});

/** ES, CS, SS, DS, FS, GS. */
const SEGMENTS = 0x3f;

export const DATA: readonly Definition[] = [
  ...registerLines,
  ...conditionLines,
  ...stringLines,
  define(0x86, 'xchg', 'Eb,Gb', move.xchg, { lock: true }),
  define(0x87, 'xchg', 'Ev,Gv', move.xchg, { lock: true }),
  define(0x88, 'mov', 'Eb,Gb', move.mov),
  define(0x89, 'mov', 'Ev,Gv', move.mov),
  define(0x8a, 'mov', 'Gb,Eb', move.mov),
  define(0x8b, 'mov', 'Gv,Ev', move.mov),
  define(0x8c, 'mov', 'Ek,Sw', sel.movFromSeg, { regs: SEGMENTS }),
  define(0x8d, 'lea', 'Gv,M', move.lea, { mod: 'mem' }),
  define(0x8e, 'mov', 'Sw,Ek', sel.movToSeg, { regs: SEGMENTS & ~(1 << Seg.CS) }),
  define(0x8f, 'pop', 'Ev', move.popRm, { ext: 0 }),
  define(0x98, 'cbw|cwde', '', move.convertAccumulator, { size: 'v' }),
  define(0x99, 'cwd|cdq', '', move.extendAccumulator, { size: 'v' }),
  define(0xa0, 'mov', 'AL,Ob', move.movFromOffset),
  define(0xa1, 'mov', 'eAX,Ov', move.movFromOffset),
  define(0xa2, 'mov', 'Ob,AL', move.movToOffset),
  define(0xa3, 'mov', 'Ov,eAX', move.movToOffset),
  define(0xc6, 'mov', 'Eb,Ib', move.mov, { ext: 0 }),
  define(0xc7, 'mov', 'Ev,Iv', move.mov, { ext: 0 }),
  define(0xd7, 'xlatb', '', move.xlat, { size: 'b' }),
  define(0x0fb6, 'movzx', 'Gv,Eb', move.movzxByte),
  define(0x0fb7, 'movzx', 'Gv,Ew', move.movzxWord),
  define(0x0fbe, 'movsx', 'Gv,Eb', move.movsxByte),
  define(0x0fbf, 'movsx', 'Gv,Ew', move.movsxWord),
  define(0x60, 'pushaw|pushad', '', move.pusha, { size: 'v' }),
  define(0x61, 'popaw|popad', '', move.popa, { size: 'v' }),
  define(0x62, 'bound', 'Gv,Ma', move.bound, { mod: 'mem' }),
  define(0x68, 'push', 'Iv', move.pushImm),
  define(0x6a, 'push', 'Ibs', move.pushImm),
  define(0xff, 'push', 'Ev', move.push, { ext: 6 }),
  define(0xc8, 'enter', 'Iw,Ib', move.enter, { size: 'v' }),
  define(0xc9, 'leave', '', move.leave, { size: 'v' }),
  define(0x0fc7, 'cmpxchg8b', 'Mq', move.cmpxchg8b, { ext: 1, mod: 'mem', lock: true }),
  define(0x06, 'push', 'ES', sel.pushSeg(Seg.ES), { size: 'v' }),
  define(0x0e, 'push', 'CS', sel.pushSeg(Seg.CS), { size: 'v' }),
  define(0x16, 'push', 'SS', sel.pushSeg(Seg.SS), { size: 'v' }),
  define(0x1e, 'push', 'DS', sel.pushSeg(Seg.DS), { size: 'v' }),
  define(0x0fa0, 'push', 'FS', sel.pushSeg(Seg.FS), { size: 'v' }),
  define(0x0fa8, 'push', 'GS', sel.pushSeg(Seg.GS), { size: 'v' }),
  define(0x07, 'pop', 'ES', sel.popSeg(Seg.ES), { size: 'v' }),
  define(0x17, 'pop', 'SS', sel.popSeg(Seg.SS), { size: 'v' }),
  define(0x1f, 'pop', 'DS', sel.popSeg(Seg.DS), { size: 'v' }),
  define(0x0fa1, 'pop', 'FS', sel.popSeg(Seg.FS), { size: 'v' }),
  define(0x0fa9, 'pop', 'GS', sel.popSeg(Seg.GS), { size: 'v' }),
  define(0xc4, 'les', 'Gv,Mp', sel.loadFarPointer(Seg.ES), { mod: 'mem' }),
  define(0xc5, 'lds', 'Gv,Mp', sel.loadFarPointer(Seg.DS), { mod: 'mem' }),
  define(0x0fb2, 'lss', 'Gv,Mp', sel.loadFarPointer(Seg.SS), { mod: 'mem' }),
  define(0x0fb4, 'lfs', 'Gv,Mp', sel.loadFarPointer(Seg.FS), { mod: 'mem' }),
  define(0x0fb5, 'lgs', 'Gv,Mp', sel.loadFarPointer(Seg.GS), { mod: 'mem' }),
  define(0xe4, 'in', 'AL,Ib', ports.inImm),
  define(0xe5, 'in', 'eAX,Ib', ports.inImm),
  define(0xe6, 'out', 'Ib,AL', ports.outImm),
  define(0xe7, 'out', 'Ib,eAX', ports.outImm),
  define(0xec, 'in', 'AL,DX', ports.inDx),
  define(0xed, 'in', 'eAX,DX', ports.inDx),
  define(0xee, 'out', 'DX,AL', ports.outDx),
  define(0xef, 'out', 'DX,eAX', ports.outDx),
];
