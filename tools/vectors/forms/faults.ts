/** Instructions that always fault in ring 3: privileged ones, invalid encodings, breakpoints, overlong and cut code. */
import { addressOf, memoryOperand, operand, registerOperand } from '../addressing.ts';
import { CODE_BYTES } from '../case-layout.ts';
import { type Draft, EAX, ECX } from '../draft.ts';
import { le } from '../random.ts';
import { MULTIPLY_UNDEFINED } from '../undefined-flags.ts';
import { type Form, opcodeKey, PLACES, plainForm, suffix } from './form.ts';

const PRIVILEGED: readonly (readonly [string, number[]])[] = [
  ['hlt', [0xf4]],
  ['cli', [0xfa]],
  ['sti', [0xfb]],
  ['clts', [0x0f, 0x06]],
  ['invd', [0x0f, 0x08]],
  ['wbinvd', [0x0f, 0x09]],
  ['wrmsr', [0x0f, 0x30]],
  ['rdmsr', [0x0f, 0x32]],
  ['in al,dx', [0xec]],
  ['in acc,dx', [0xed]],
  ['out dx,al', [0xee]],
  ['out dx,acc', [0xef]],
  ['insb', [0x6c]],
  ['ins', [0x6d]],
  ['outsb', [0x6e]],
  ['outs', [0x6f]],
];

function privilegedForms(): Form[] {
  const simple = PRIVILEGED.map(([name, bytes]) =>
    plainForm(name, bytes, (d) => void d.setReg(ECX, d.value(32), 32).emit(...bytes), 0.2),
  );
  const ports = [0xe4, 0xe5, 0xe6, 0xe7].map((opcode) =>
    plainForm(
      `in/out imm8 (${opcode.toString(16)})`,
      [opcode],
      (d) => void d.emit(opcode, d.random.below(256)),
      0.2,
    ),
  );
  const control = [0x20, 0x22, 0x21, 0x23].flatMap((opcode) =>
    [0, 2, 3, 4].map((n) =>
      plainForm(
        `mov ${opcode & 1 ? 'dr' : 'cr'}${n} (${opcode.toString(16)})`,
        [0x0f, opcode],
        (d) => void d.emit(0x0f, opcode, 0xc0 | (n << 3) | d.random.below(8)),
        0.1,
      ),
    ),
  );
  return [...simple, ...ports, ...control, ...systemTableForms()];
}

function systemTableForms(): Form[] {
  const one = (name: string, second: number, digit: number, place: 'reg' | 'mem'): Form => ({
    name: `${name}${suffix(place)}`,
    opcode: opcodeKey([0x0f, second], digit),
    weight: 0.2,
    build: (d) => {
      d.emit(0x0f, second);
      if (place === 'reg') registerOperand(d, 16, digit, d.anyReg(16), d.value(16));
      else memoryOperand(d, digit, [0xff, 0xff, 0, 0, 0, 0], d.safePlace());
    },
  });
  return [
    ...PLACES.flatMap((place) => [
      one('lldt r/m16', 0, 2, place),
      one('ltr r/m16', 0, 3, place),
      one('lmsw r/m16', 1, 6, place),
    ]),
    one('lgdt m', 1, 2, 'mem'),
    one('lidt m', 1, 3, 'mem'),
    one('invlpg m', 1, 7, 'mem'),
  ];
}

/** Encodings that are #UD on every processor: [bytes, digit or undefined for any ModRM, operand place]. */
const INVALID: readonly (readonly [readonly number[], number | undefined, 'reg' | 'mem' | 'none'])[] = [
  [[0x0f, 0x0b], undefined, 'none'],
  [[0x0f, 0xb9], 0, 'reg'],
  [[0x0f, 0xff], 0, 'reg'],
  [[0x0f, 0x04], undefined, 'none'],
  [[0x0f, 0x0a], undefined, 'none'],
  [[0x0f, 0x0c], undefined, 'none'],
  [[0x0f, 0x24], 0, 'reg'],
  [[0x0f, 0x25], 0, 'reg'],
  [[0x0f, 0x26], 0, 'reg'],
  [[0x0f, 0x27], 0, 'reg'],
  [[0x0f, 0x36], undefined, 'none'],
  [[0x0f, 0x39], undefined, 'none'],
  [[0x0f, 0x3b], undefined, 'none'],
  [[0x0f, 0x3c], undefined, 'none'],
  [[0x0f, 0x3d], undefined, 'none'],
  [[0x0f, 0x3e], undefined, 'none'],
  [[0x0f, 0x3f], undefined, 'none'],
  [[0x0f, 0xa6], undefined, 'none'],
  [[0x0f, 0xa7], undefined, 'none'],
  [[0x0f, 0x00], 6, 'reg'],
  [[0x0f, 0x00], 7, 'mem'],
  [[0x0f, 0xba], 0, 'reg'],
  [[0x0f, 0xba], 1, 'mem'],
  [[0x0f, 0xba], 2, 'reg'],
  [[0x0f, 0xba], 3, 'mem'],
  [[0x0f, 0xc7], 1, 'reg'],
  [[0x0f, 0xc7], 0, 'mem'],
  [[0x0f, 0xc7], 2, 'mem'],
  [[0x0f, 0xb2], 0, 'reg'],
  [[0x0f, 0xb4], 1, 'reg'],
  [[0x0f, 0xb5], 2, 'reg'],
  [[0x8d], 3, 'reg'],
  [[0x8c], 6, 'mem'],
  [[0x8c], 7, 'reg'],
  [[0x8e], 1, 'reg'],
  [[0x8e], 6, 'mem'],
  [[0x8e], 7, 'reg'],
  [[0xc6], 1, 'mem'],
  [[0xc7], 2, 'mem'],
  [[0xfe], 2, 'reg'],
  [[0xfe], 4, 'mem'],
  [[0xfe], 7, 'reg'],
  [[0xff], 7, 'reg'],
  [[0xff], 7, 'mem'],
  [[0xff], 3, 'reg'],
  [[0xff], 5, 'reg'],
];

function invalidForms(): Form[] {
  return INVALID.map(([bytes, digit, place]) => ({
    name: `invalid ${opcodeKey(bytes, digit)}${place === 'none' ? '' : suffix(place)}`,
    opcode: `ud ${opcodeKey(bytes, digit)}`,
    weight: 0.1,
    build: (d: Draft) => {
      d.emit(...bytes);
      if (place === 'none') return;
      operand(d, place, 32, digit ?? 0, d.value(32));
      d.emit(0, 0, 0, 0);
    },
  }));
}

/** LOCK before what cannot be locked: register destinations, loads, plain instructions. */
function badLockForms(): Form[] {
  const bodies: readonly (readonly [string, number[]])[] = [
    ['add register', [0x01, 0xc1]],
    ['mov store', [0x89, 0x05, 0, 0x11, 0x30, 0]],
    ['add load', [0x03, 0x05, 0, 0x11, 0x30, 0]],
    ['cmp', [0x39, 0x05, 0, 0x11, 0x30, 0]],
    ['cmp imm', [0x83, 0x3d, 0, 0x11, 0x30, 0, 1]],
    ['bt', [0x0f, 0xa3, 0x05, 0, 0x11, 0x30, 0]],
    ['bt imm', [0x0f, 0xba, 0x25, 0, 0x11, 0x30, 0, 1]],
    ['test', [0x85, 0x05, 0, 0x11, 0x30, 0]],
    ['mul', [0xf7, 0x25, 0, 0x11, 0x30, 0]],
    ['shl', [0xd1, 0x25, 0, 0x11, 0x30, 0]],
    ['push', [0x50]],
    ['nop', [0x90]],
    ['jmp', [0xeb, 0x20]],
    ['movs', [0xa5]],
    ['xchg acc', [0x91]],
    ['lea', [0x8d, 0x00]],
    ['hlt', [0xf4]],
  ];
  return bodies.map(([name, bytes]) => ({
    name: `lock ${name} is invalid`,
    opcode: 'f0',
    weight: 0.1,
    build: (d: Draft) => {
      d.prefixes.push(0xf0);
      if (d.random.chance(30)) d.prefixes.push(d.random.pick([0x3e, 0x26]));
      d.emit(...bytes);
    },
  }));
}

const immediate = (d: Draft): number[] => le(d.value(d.codeBits), d.codeBits / 8);

/** More than 15 bytes: #GP(0); exactly 15 is fine. */
function lengthForm(): Form {
  return plainForm('instruction of 10 to 17 bytes', [0x3e], (d) => {
    const body = d.random.pick([
      [0x90],
      [0x05, ...immediate(d)],
      [0x01, 0xc8],
      [0x81, 0xc1, ...immediate(d)],
    ]);
    const total = d.random.pick([10, 14, 15, 16, 17]);
    for (let i = body.length; i < total; i++) d.emit(d.random.pick([0x3e, 0x26, 0x64, 0x2e]));
    d.emit(...body);
  });
}

/** The instruction runs into the page that is not present: #PF with CR2 at its first byte. */
function cutForm(): Form {
  return plainForm('instruction across the end of the code', [0x05], (d) => {
    const body = d.random.pick([
      [0x05, ...immediate(d)],
      [0x81, 0xc1, ...immediate(d)],
      [0xc7, ...(d.codeBits === 32 ? [0x05, 0, 0x11, 0x30, 0] : [0x06, 0, 0x11]), ...immediate(d)],
      [0x0f, 0xaf, 0xc1],
    ]);
    d.eipOffset = CODE_BYTES - d.random.below(body.length + 1);
    d.emit(...body).undef(MULTIPLY_UNDEFINED);
    if (d.eipOffset + body.length === CODE_BYTES) d.mode = 'step';
  });
}

/** Repeated and meaningless prefixes change nothing. */
function prefixForms(): Form[] {
  const body = (d: Draft): void => {
    d.setReg(EAX, d.value(32), 32).setReg(ECX, d.value(32), 32).emit(0x01, 0xc8);
  };
  return [0xf2, 0xf3, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65, 0x66, 0x67].map((prefix) =>
    plainForm(
      `prefix ${prefix.toString(16)} on add r/m32,r32`,
      [prefix],
      (d) => {
        for (let n = d.random.below(4); n >= 0; n--) d.prefixes.push(prefix);
        if (d.random.chance(50)) d.prefixes.push(d.random.pick([0x66, 0x67, 0x2e, 0x64]));
        body(d);
      },
      0.3,
    ),
  );
}

function breakpointForms(): Form[] {
  return [
    plainForm('int3', [0xcc], (d) => void d.emit(0xcc), 0.2),
    plainForm('into', [0xce], (d) => void d.emit(0xce), 0.5),
    plainForm(
      'jmp into nowhere',
      [0xe9],
      (d) => {
        d.mode = 'run';
        d.emit(0xe9, ...le(0x01000000 + d.random.below(0x10000), 4));
      },
      0.3,
    ),
    {
      name: 'lea is not an access',
      opcode: '8d',
      weight: 0.2,
      build: (d) => {
        d.emit(0x8d);
        addressOf(d, 2, 0x10000 + d.random.below(0x1000));
      },
    },
  ];
}

export function faultForms(): Form[] {
  return [
    ...privilegedForms(),
    ...invalidForms(),
    ...badLockForms(),
    lengthForm(),
    cutForm(),
    ...prefixForms(),
    ...breakpointForms(),
  ];
}
