/**
 * Segmentation from ring 3: loads of segment registers with every kind of descriptor, far pointers and transfers at
 * one privilege level, LAR LSL VERR VERW ARPL, limits and types of data segments. (SDM vol. 3 ch. 5.)
 */
import { memoryOperand, operand, type Place, registerOperand } from '../addressing.ts';
import {
  CODE_BASE,
  CODE_BYTES,
  DATA_BASE,
  FLAT_CODE,
  FLAT_DATA,
  KERNEL_DATA,
  LDT,
  ldtSelector,
  SegIndex,
} from '../case-layout.ts';
import { type Bits, type Draft, EAX, EBX, ESP, type WordBits } from '../draft.ts';
import { le } from '../random.ts';
import { type Form, opcodeKey, PLACES, plainForm, regRmForm, suffix, WIDTHS, WORDS } from './form.ts';
import { placeOnStack, placeStack } from './stack.ts';

const SEGMENT_NAMES = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'];
/** TSS of the kernel (privileged), an empty GDT slot, beyond the GDT, beyond the LDT. */
const ODD_SELECTORS = [0x40, 0x60, 0x8000, 0xfff8, 0x00a4, 0xfffc];

/** A selector of any quality. 64-bit descriptors of the host's GDT are left out. */
function anySelector(d: Draft): number {
  const { random } = d;
  const dice = random.below(10);
  if (dice === 0) return random.below(4);
  if (dice === 1) return random.pick(ODD_SELECTORS) | random.below(4);
  if (dice === 2)
    return random.pick([FLAT_CODE, FLAT_DATA, KERNEL_DATA]) ^ (random.chance(30) ? random.below(4) : 0);
  const selector = (random.below(LDT.length) << 3) | 7;
  return random.chance(80) ? selector : (selector & ~3) | random.below(4);
}

/** MOV from a segment register to a register of operand size, or to a 16-bit memory word. */
function storeForms(): Form[] {
  return [0, 1, 2, 3, 4, 5].flatMap((seg) => [
    ...WORDS.map((bits) =>
      plainForm(
        `mov r${bits},${SEGMENT_NAMES[seg]}`,
        [0x8c],
        (d) => {
          chooseSegments(d, seg);
          d.operandSize(bits).emit(0x8c);
          registerOperand(d, bits, seg, d.anyReg(bits), d.value(bits));
        },
        0.3,
      ),
    ),
    plainForm(
      `mov m16,${SEGMENT_NAMES[seg]}`,
      [0x8c],
      (d) => {
        d.emit(0x8c);
        memoryOperand(d, seg, le(d.value(16), 2));
      },
      0.3,
    ),
  ]);
}

/** Gives ES, FS or GS a telling selector before it is read. */
function chooseSegments(d: Draft, seg: number): void {
  if (seg === 0 || seg >= 4)
    d.segs[seg] = d.random.pick([0, FLAT_DATA, ldtSelector('data'), ldtSelector('readOnly')]);
}

function loadForms(): Form[] {
  return [0, 2, 3, 4, 5].flatMap((seg) =>
    PLACES.map((place) => ({
      name: `mov ${SEGMENT_NAMES[seg]},r/m16${suffix(place)}`,
      opcode: opcodeKey([0x8e]),
      weight: 1.5,
      build: (d: Draft) => {
        if (d.random.chance(10)) d.operandSize(d.codeBits === 32 ? 16 : 32);
        d.emit(0x8e);
        operand(d, place, 16, seg, anySelector(d), 'control');
      },
    })),
  );
}

function pushPopForms(bits: WordBits): Form[] {
  const pushes: readonly (readonly [number, number[]])[] = [
    [0, [0x06]],
    [1, [0x0e]],
    [2, [0x16]],
    [3, [0x1e]],
    [4, [0x0f, 0xa0]],
    [5, [0x0f, 0xa8]],
  ];
  const pops: readonly (readonly [number, number[]])[] = [
    [0, [0x07]],
    [2, [0x17]],
    [3, [0x1f]],
    [4, [0x0f, 0xa1]],
    [5, [0x0f, 0xa9]],
  ];
  return [
    ...pushes.map(([seg, bytes]) =>
      plainForm(
        `push ${SEGMENT_NAMES[seg]} (${bits})`,
        bytes,
        (d) => {
          chooseSegments(d, seg);
          placeStack(d, 0);
          d.operandSize(bits).emit(...bytes);
        },
        0.3,
      ),
    ),
    ...pops.map(([seg, bytes]) =>
      plainForm(`pop ${SEGMENT_NAMES[seg]} (${bits})`, bytes, (d) => {
        placeOnStack(d, [anySelector(d) | (bits === 32 && d.random.chance(50) ? 0xabcd0000 : 0)], bits);
        d.operandSize(bits).emit(...bytes);
      }),
    ),
  ];
}

function farPointerForms(bits: WordBits): Form[] {
  const loads: readonly (readonly [string, number[]])[] = [
    ['les', [0xc4]],
    ['lds', [0xc5]],
    ['lss', [0x0f, 0xb2]],
    ['lfs', [0x0f, 0xb4]],
    ['lgs', [0x0f, 0xb5]],
  ];
  return loads.map(([name, bytes]) => ({
    name: `${name} r${bits},m16:${bits} [mem]`,
    opcode: opcodeKey(bytes),
    weight: 1.5,
    build: (d: Draft) => {
      d.operandSize(bits).emit(...bytes);
      const pointer = [...le(d.value(bits), bits / 8), ...le(anySelector(d), 2)];
      memoryOperand(d, d.random.pick([0, 1, 2, 3, 5, 6, 7]), pointer, d.placeWritable(pointer.length));
    },
  }));
}

const CODE_SEGMENTS = ['code', 'executeOnly', 'code16', 'conforming', 'tightCode'];

/** A far target: selector and offset; the offset is right for good selectors unless it must break the limit. */
function farTarget(d: Draft): { selector: number; offset: number } {
  const { random } = d;
  const offset = random.pick([
    0x20,
    0x600,
    0x1000,
    0x1180 + random.below(0x7f),
    0x1200,
    random.below(CODE_BYTES),
  ]);
  if (random.chance(35)) return { selector: anyCodeSelector(d), offset: CODE_BASE + offset };
  if (random.chance(30)) return { selector: FLAT_CODE, offset: CODE_BASE + offset };
  const name = random.pick(CODE_SEGMENTS);
  const based = name === 'code16' || name === 'tightCode';
  return { selector: ldtSelector(name), offset: based ? offset : CODE_BASE + offset };
}

/** Like anySelector, for CS. */
function anyCodeSelector(d: Draft): number {
  const selector = anySelector(d);
  return (selector & ~3) === 0x40 ? FLAT_CODE & ~3 : selector;
}

/** 16-bit offsets reach only the segments that have a base; elsewhere the case ends in a fault after one step. */
function farTargetFor(d: Draft, bits: WordBits): { selector: number; offset: number } {
  const target = farTarget(d);
  if (bits === 32) return target;
  d.mode = 'step';
  return { selector: target.selector, offset: target.offset & 0xffff };
}

/**
 * Stack of a far call. Which of two faults comes first, the stack's or the target's, is up to the processor: the stack
 * may fault only where the target is good.
 */
function placeCallStack(d: Draft, selector: number): void {
  if (selector === FLAT_CODE) placeStack(d, 0);
  else d.reserve(ESP).setReg(ESP, 0x2600 + 4 * d.random.below(0x80) + DATA_BASE - d.dataBase, 32);
}

function farForms(bits: WordBits): Form[] {
  const immediate = (name: string, opcode: number): Form =>
    plainForm(
      `${name} ptr16:${bits}`,
      [opcode],
      (d) => {
        const { selector, offset } = farTargetFor(d, bits);
        placeCallStack(d, selector);
        d.operandSize(bits).emit(opcode).imm(offset, bits).imm(selector, 16);
      },
      2,
    );
  const indirect = (name: string, digit: number): Form => ({
    name: `${name} m16:${bits} [mem]`,
    opcode: opcodeKey([0xff], digit),
    weight: 2,
    build: (d) => {
      const { selector, offset } = farTargetFor(d, bits);
      placeCallStack(d, selector);
      d.operandSize(bits).emit(0xff);
      memoryOperand(d, digit, [...le(offset, bits / 8), ...le(selector, 2)], d.placeWritable(bits / 8 + 2));
    },
  });
  return [
    immediate('call', 0x9a),
    immediate('jmp', 0xea),
    indirect('call', 3),
    indirect('jmp', 5),
    ...returnForms(bits),
  ];
}

function returnForms(bits: WordBits): Form[] {
  const selectorWord = (d: Draft, selector: number): number =>
    bits === 32 && d.random.chance(30) ? (selector | 0x12340000) >>> 0 : selector;
  return [
    ...[0xcb, 0xca].map((opcode) =>
      plainForm(
        `retf${opcode === 0xca ? ' imm16' : ''} (${bits})`,
        [opcode],
        (d) => {
          const { selector, offset } = farTargetFor(d, bits);
          placeOnStack(d, [offset, selectorWord(d, selector)], bits);
          d.operandSize(bits).emit(opcode);
          if (opcode === 0xca) d.emit(...le(d.random.pick([0, 4, 8, 0x100]), 2));
        },
        2,
      ),
    ),
    plainForm(
      `iret (${bits})`,
      [0xcf],
      (d) => {
        const { selector, offset } = farTargetFor(d, bits);
        const flags = d.random.u32() & 0xfffdfeff;
        placeOnStack(d, [offset, selectorWord(d, selector), flags >>> 0], bits);
        d.operandSize(bits).emit(0xcf);
      },
      2,
    ),
  ];
}

function inspectForms(): Form[] {
  const forms: Form[] = [];
  for (const [name, opcode] of [
    ['lar', 2],
    ['lsl', 3],
  ] as const) {
    for (const bits of WORDS) {
      for (const place of PLACES) {
        forms.push(
          regRmForm({
            ...{ name, bytes: [0x0f, opcode], bits, place, operands: `r${bits},r/m16`, weight: 1.5 },
            rmBits: place === 'reg' ? bits : 16,
            rmValue: (d) => anySelector(d),
          }),
        );
      }
    }
  }
  for (const digit of [4, 5]) {
    for (const place of PLACES) forms.push(verifyForm(digit, place));
  }
  for (const place of PLACES) {
    forms.push(regRmForm({ name: 'arpl', bytes: [0x63], bits: 16, place }));
  }
  return forms.map((form) => (form.name.startsWith('arpl') ? withoutOperandSize(form) : form));
}

/** ARPL has no operand size: a prefix is legal and without effect, and its absence is the normal encoding. */
function withoutOperandSize(form: Form): Form {
  return {
    ...form,
    build: (d) => {
      form.build(d);
      if (d.random.chance(80))
        d.prefixes.splice(0, d.prefixes.length, ...d.prefixes.filter((p) => p !== 0x66));
    },
  };
}

function verifyForm(digit: number, place: Place): Form {
  return {
    name: `${digit === 4 ? 'verr' : 'verw'} r/m16${suffix(place)}`,
    opcode: opcodeKey([0x0f, 0x00], digit),
    weight: 1.5,
    build: (d) => {
      d.emit(0x0f, 0x00);
      operand(d, place, 16, digit, anySelector(d));
    },
  };
}

const DATA_SEGMENTS = ['data', 'readOnly', 'expandDown', 'expandDown16', 'tightData', 'code', 'flatAvl'];
/** Offset that is mapped neither here nor in the harness, from base 0 and from the data window. */
const NOWHERE = 0xb4000000;
const EDGES = [
  0, 1, 0xffc, 0xffd, 0xfff, 0x1000, 0x1100, 0x1101, 0x1103, 0x1104, 0x1ffe, 0x1fff, 0x2000, 0x2001, 0x2ffd,
  0x2fff, 0x3000,
];

/** A load, store or read-modify-write at the edges of a segment of every type, also a null one. */
function limitForms(bits: Bits): Form[] {
  const one = (name: string, opcode: number): Form =>
    plainForm(
      `${name} at segment limit (${bits})`,
      [opcode],
      (d) => {
        const seg = d.random.pick([SegIndex.ES, SegIndex.DS, SegIndex.FS, SegIndex.GS]);
        const segment = d.random.pick(DATA_SEGMENTS);
        d.overrideSegment(seg, d.random.chance(5) && d.codeBits === 32 ? 0 : ldtSelector(segment));
        const flat = LDT.find((entry) => entry.name === segment)!.base === 0;
        const reach = segment === 'expandDown16' ? 0xd000 : 0;
        const at = d.random.chance(90) ? d.random.pick(EDGES) : NOWHERE + d.random.below(1 << 24);
        d.setReg(EBX, ((flat ? DATA_BASE : reach) + at - d.random.below(4)) >>> 0, 32);
        if (d.codeBits === 16) d.prefixes.push(0x67);
        d.operandSize(bits).setReg(EAX, d.value(bits), bits);
        d.emit(opcode, 0x03);
      },
      2,
    );
  const low = bits === 8 ? 0 : 1;
  return [one('mov load', 0x8a + low), one('mov store', 0x88 + low), one('add store', 0x00 + low)];
}

/** Pushes and pops at the limit of the stack segment: #SS(0); with a 16-bit stack pointer, wrap-around. */
function stackLimitForms(bits: WordBits): Form[] {
  const one = (name: string, opcode: number): Form =>
    plainForm(`${name} at stack limit (${bits})`, [opcode], (d) => {
      const segment = d.random.pick(['tightData', 'data', 'data16', 'expandDown', 'expandDown16']);
      d.segs[SegIndex.SS] = ldtSelector(segment);
      const edge =
        d.random.pick([0x1100, 0x1104, 0x1108, 0x2000, 0x2004, 0x2fff, 0x3000, 0x2800]) - d.random.below(5);
      const reach = segment === 'expandDown16' ? 0xd000 : 0;
      const high = d.random.chance(50) ? 0 : d.random.u32() & 0xffff0000;
      d.setReg(ESP, (reach + edge + (segment.endsWith('16') ? high : 0)) >>> 0, 32);
      d.operandSize(bits).emit(opcode);
    });
  return [one('push', 0x50), one('pop', 0x58), one('pusha', 0x60), one('popa', 0x61), one('pushf', 0x9c)];
}

export function segmentForms(): Form[] {
  return [
    ...storeForms(),
    ...loadForms(),
    ...WORDS.flatMap((bits) => [...pushPopForms(bits), ...farPointerForms(bits), ...farForms(bits)]),
    ...inspectForms(),
    ...WIDTHS.flatMap(limitForms),
    ...WORDS.flatMap(stackLimitForms),
  ];
}
