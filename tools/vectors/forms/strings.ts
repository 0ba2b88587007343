/** MOVS CMPS STOS LODS SCAS with REP, REPE, REPNE, both directions, both address sizes, and faults in the middle. */
import { DATA_BASE, DATA_BYTES, FLAT_DATA, ldtSelector, SegIndex } from '../case-layout.ts';
import { type Bits, DF, type Draft, EAX, ECX, EDI, ESI, type WordBits } from '../draft.ts';
import { le } from '../random.ts';
import { type Form, plainForm, sized, WIDTHS } from './form.ts';

type Repeat = 'none' | 'rep' | 'repne';
const PREFIX = { none: [], rep: [0xf3], repne: [0xf2] } as const;

interface StringOp {
  readonly name: string;
  readonly opcode: number;
  readonly source: boolean;
  readonly destination: boolean;
  readonly compares: boolean;
}

const OPS: readonly StringOp[] = [
  { name: 'movs', opcode: 0xa4, source: true, destination: true, compares: false },
  { name: 'cmps', opcode: 0xa6, source: true, destination: true, compares: true },
  { name: 'stos', opcode: 0xaa, source: false, destination: true, compares: false },
  { name: 'lods', opcode: 0xac, source: true, destination: false, compares: false },
  { name: 'scas', opcode: 0xae, source: false, destination: true, compares: true },
];

/** Start of a run of `count` elements at a random place; a few runs leave the window, so that they fault half-way. */
function placeRun(d: Draft, size: number, count: number): number {
  const { random } = d;
  const span = size * count;
  const down = (d.eflags & DF) !== 0;
  let low = 0x1100 + random.below(0x1e00 - 0x100 - span);
  if (random.chance(8)) low = down ? 0x1000 - random.below(span + 1) : DATA_BYTES - random.below(span + 1);
  return down ? low + span - size : low;
}

/** Sets index register `n` so that it points at `offset`. */
function point(d: Draft, n: number, offset: number, addressBits: WordBits, base: number): void {
  const value = (DATA_BASE + offset - base) >>> 0;
  d.setReg(n, addressBits === 16 ? (d.random.u32() & 0xffff0000) | (value & 0xffff) : value, 32);
}

function equalRuns(d: Draft, op: StringOp, from: number, to: number, bits: Bits): void {
  const size = bits / 8;
  const element = le(d.value(bits), size);
  if (!op.source) d.setReg(EAX, d.value(bits), bits);
  const step = (d.eflags & DF) !== 0 ? -size : size;
  for (let i = 0; i < 2; i++) {
    if (d.random.chance(70)) d.poke(from + i * step, element);
    if (d.random.chance(70)) d.poke(to + i * step, element);
  }
  if (op.name === 'scas' && d.random.chance(50))
    d.setReg(EAX, element.reduce((v, b, i) => v | (b << (8 * i)), 0) >>> 0, bits);
}

function build(d: Draft, op: StringOp, bits: Bits, repeat: Repeat): void {
  const { random } = d;
  d.operandSize(bits);
  d.prefixes.push(...PREFIX[repeat]);
  if (random.chance(40)) d.eflags ^= DF;
  const addressBits: WordBits = random.chance(80) ? d.codeBits : d.codeBits === 16 ? 32 : 16;
  if (addressBits !== d.codeBits) d.prefixes.push(0x67);
  let base = d.dataBase;
  if (d.codeBits === 32 && addressBits === 16) {
    base = DATA_BASE;
    d.segs[SegIndex.DS] = d.segs[SegIndex.ES] = ldtSelector('data');
  } else if (op.source && random.chance(10)) {
    d.overrideSegment(
      random.pick([SegIndex.FS, SegIndex.GS]),
      d.codeBits === 32 ? FLAT_DATA : ldtSelector('data'),
    );
  }
  const count = repeat === 'none' ? 1 : random.pick([0, 1, 2, 3, 7, 16, random.below(40)]);
  if (repeat !== 'none') d.setReg(ECX, addressBits === 16 ? (random.u32() & 0xffff0000) | count : count, 32);
  const from = placeRun(d, bits / 8, Math.max(count, 1));
  const to = random.chance(15) ? from + random.below(16) - 8 : placeRun(d, bits / 8, Math.max(count, 1));
  if (op.source) point(d, ESI, from, addressBits, base);
  if (op.destination) point(d, EDI, to, addressBits, base);
  if (op.name === 'stos') d.setReg(EAX, random.u32(), 32);
  equalRuns(d, op, from, to, bits);
  d.emit(sized(op.opcode, bits));
}

export function stringForms(): Form[] {
  return OPS.flatMap((op) =>
    WIDTHS.flatMap((bits) =>
      (['none', 'rep', 'repne'] as const).map((repeat) => {
        const name = repeat === 'none' ? '' : op.compares && repeat === 'rep' ? 'repe ' : `${repeat} `;
        return plainForm(
          `${name}${op.name} m${bits}`,
          [sized(op.opcode, bits)],
          (d) => build(d, op, bits, repeat),
          repeat === 'none' ? 1 : 1.5,
        );
      }),
    ),
  );
}
