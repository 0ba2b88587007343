/**
 * File format of test vectors (before gzip). Little-endian; `v` is an unsigned LEB128 number.
 *
 *   'PMV1', v forms; per form: v length, name; v length, opcode key; u8 code bits (16 or 32); v vectors;
 *   then all vectors, form after form:
 *   u8   parts: STEP 1, EIP 2, SEGS 4, POKES 8, TRAP 16, SEGS_OUT 32, CHANGES 64
 *   v    code length, code
 *   u16  EIP as offset in the code pages                         if EIP, else 0x800
 *   v    EFLAGS before, packed (packFlags); v undefined flags after, packed
 *   u8   mask of registers that are not idle (idleRegs), u32 each
 *   u8   mask of segment registers that are not default, u16 each if SEGS
 *   v    pokes: v offset, v length, bytes                        if POKES
 *   v    trap, v error, u32 CR2 if trap is 14                    if TRAP, else 3 (`run`) or 1 (`step`)
 *   v    EIP after - EIP before - code length, zigzag
 *   u8   mask of registers that changed, u32 each
 *   v    EFLAGS after, packed
 *   u8   mask of segment registers that changed, u16 each        if SEGS_OUT
 *   v    changes: v offset, v length, bytes                      if CHANGES
 *
 * For a trap 3 the stored EIP is that of the INT3 itself. RF and TF are not stored.
 */
import { type Change, CODE_BASE, type Outcome, type Poke, type TestCase } from './case-layout.ts';
import { defaultSegments, idleRegisters, SNIPPET_OFFSET } from './draft.ts';

export interface FormEntry {
  readonly name: string;
  readonly opcode: string;
  readonly codeBits: 16 | 32;
  readonly count: number;
}

export interface Vector {
  readonly form: FormEntry;
  readonly before: TestCase;
  readonly after: Outcome;
  /** EFLAGS bits that need not match. */
  readonly undefinedFlags: number;
}

const MAGIC = 0x31564d50;
enum Part {
  Step = 1,
  Eip = 2,
  Segs = 4,
  Pokes = 8,
  Trap = 16,
  SegsOut = 32,
  Changes = 64,
}

/** Order of bits in packed flags; the frequent ones first. Bit 1 and IF are always set, RF and TF never. */
const PACKED = [0, 2, 4, 6, 7, 11, 10, 14, 18, 21];
const ALWAYS = 0x202;

/** EFLAGS with the bits of PACKED moved together. @throws RangeError when other bits are in play. */
export function packFlags(eflags: number): number {
  let packed = 0;
  let rest = eflags & ~ALWAYS;
  PACKED.forEach((bit, i) => {
    if (((eflags >>> bit) & 1) !== 0) packed |= 1 << i;
    rest &= ~(1 << bit);
  });
  if (rest !== 0) throw new RangeError(`unexpected EFLAGS ${eflags.toString(16)}`);
  return packed;
}

export function unpackFlags(packed: number, always = ALWAYS): number {
  let eflags = always;
  PACKED.forEach((bit, i) => {
    if ((packed & (1 << i)) !== 0) eflags |= 1 << bit;
  });
  return eflags;
}

class Writer {
  private buffer = new Uint8Array(1 << 20);
  private at = 0;

  u8(value: number): void {
    if (this.at === this.buffer.length) {
      const larger = new Uint8Array(this.at * 2);
      larger.set(this.buffer);
      this.buffer = larger;
    }
    this.buffer[this.at++] = value;
  }

  bytes(values: Iterable<number>): void {
    for (const value of values) this.u8(value);
  }

  word(value: number, size: 2 | 4): void {
    for (let i = 0; i < size; i++) this.u8((value >>> (8 * i)) & 0xff);
  }

  v(value: number): void {
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.u8((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.u8(rest);
  }

  text(value: string): void {
    this.v(value.length);
    this.bytes(new TextEncoder().encode(value));
  }

  /** Mask byte and the values that differ from `base`. */
  differing(values: readonly number[], base: readonly number[], size: 2 | 4): void {
    let mask = 0;
    values.forEach((value, i) => {
      if (value !== base[i]) mask |= 1 << i;
    });
    this.u8(mask);
    values.forEach((value, i) => {
      if (value !== base[i]) this.word(value, size);
    });
  }

  patches(
    list: readonly { readonly offset: number; readonly bytes: ArrayLike<number> & Iterable<number> }[],
  ): void {
    this.v(list.length);
    for (const item of list) {
      this.v(item.offset);
      this.v(item.bytes.length);
      this.bytes(item.bytes);
    }
  }

  finish(): Uint8Array {
    return this.buffer.slice(0, this.at);
  }
}

const same = (a: readonly number[], b: readonly number[]): boolean => a.every((value, i) => value === b[i]);
const zigzag = (n: number): number => ((n << 1) ^ (n >> 31)) >>> 0;
const unzigzag = (n: number): number => (n >>> 1) ^ -(n & 1);
const codeStart = (codeBits: number): number => (codeBits === 32 ? CODE_BASE : 0);

function writeVector(w: Writer, vector: Vector): void {
  const { before, after, form } = vector;
  const eip = before.eip - codeStart(form.codeBits);
  const defaults = defaultSegments(form.codeBits);
  const normalTrap = before.mode === 'step' ? 1 : 3;
  let parts = before.mode === 'step' ? Part.Step : 0;
  if (eip !== SNIPPET_OFFSET) parts |= Part.Eip;
  if (!same(before.segs, defaults)) parts |= Part.Segs;
  if (before.pokes.length > 0) parts |= Part.Pokes;
  if (after.trap !== normalTrap) parts |= Part.Trap;
  if (!same(after.segs, before.segs)) parts |= Part.SegsOut;
  if (after.changes.length > 0) parts |= Part.Changes;
  w.u8(parts);
  w.v(before.code.length);
  w.bytes(before.code);
  if (parts & Part.Eip) w.word(eip, 2);
  w.v(packFlags(before.eflags));
  w.v(packFlags(vector.undefinedFlags | ALWAYS));
  w.differing(before.regs, idleRegisters(form.codeBits), 4);
  if (parts & Part.Segs) w.differing(before.segs, defaults, 2);
  if (parts & Part.Pokes) w.patches(before.pokes);
  if (parts & Part.Trap) {
    w.v(after.trap);
    w.v(after.error);
    if (after.trap === 14) w.word(after.cr2, 4);
  }
  w.v(zigzag((after.eip - before.eip - before.code.length) | 0));
  w.differing(after.regs, before.regs, 4);
  w.v(packFlags(after.eflags));
  if (parts & Part.SegsOut) w.differing(after.segs, before.segs, 2);
  if (parts & Part.Changes) w.patches(after.changes);
}

/** Encodes vectors, which must be grouped by form. */
export function writeVectors(forms: readonly FormEntry[], vectors: readonly Vector[]): Uint8Array {
  const w = new Writer();
  w.word(MAGIC, 4);
  w.v(forms.length);
  for (const form of forms) {
    w.text(form.name);
    w.text(form.opcode);
    w.u8(form.codeBits);
    w.v(form.count);
  }
  for (const vector of vectors) writeVector(w, vector);
  return w.finish();
}

class Reader {
  at = 0;
  constructor(private readonly data: Uint8Array) {}

  u8(): number {
    if (this.at >= this.data.length) throw new RangeError('vector file ends early');
    return this.data[this.at++]!;
  }

  bytes(n: number): Uint8Array {
    this.at += n;
    return this.data.subarray(this.at - n, this.at);
  }

  word(size: 2 | 4): number {
    let value = 0;
    for (let i = 0; i < size; i++) value |= this.u8() << (8 * i);
    return value >>> 0;
  }

  v(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.u8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  }

  text(): string {
    return new TextDecoder().decode(this.bytes(this.v()));
  }

  differing(base: readonly number[], size: 2 | 4): number[] {
    const mask = this.u8();
    return base.map((value, i) => ((mask & (1 << i)) !== 0 ? this.word(size) : value));
  }

  patches(): { offset: number; bytes: Uint8Array }[] {
    return Array.from({ length: this.v() }, () => {
      const offset = this.v();
      return { offset, bytes: this.bytes(this.v()) };
    });
  }
}

function readVector(r: Reader, form: FormEntry): Vector {
  const parts = r.u8();
  const code = [...r.bytes(r.v())];
  const offset = parts & Part.Eip ? r.word(2) : SNIPPET_OFFSET;
  const eip = codeStart(form.codeBits) + offset;
  const eflags = unpackFlags(r.v());
  const undefinedFlags = unpackFlags(r.v(), 0);
  const regs = r.differing(idleRegisters(form.codeBits), 4);
  const defaults = defaultSegments(form.codeBits);
  const segs = parts & Part.Segs ? r.differing(defaults, 2) : defaults;
  const pokes: Poke[] = parts & Part.Pokes ? r.patches().map((p) => ({ ...p, bytes: [...p.bytes] })) : [];
  const mode = parts & Part.Step ? 'step' : 'run';
  const before: TestCase = { regs, eip, eflags, segs, mode, code, pokes };
  const trap = parts & Part.Trap ? r.v() : mode === 'step' ? 1 : 3;
  const error = parts & Part.Trap ? r.v() : 0;
  const cr2 = trap === 14 ? r.word(4) : 0;
  const eipAfter = (eip + code.length + unzigzag(r.v())) >>> 0;
  const regsAfter = r.differing(regs, 4);
  const eflagsAfter = unpackFlags(r.v());
  const segsAfter = parts & Part.SegsOut ? r.differing(segs, 2) : segs;
  const changes: Change[] = parts & Part.Changes ? r.patches() : [];
  const registers = { regs: regsAfter, eip: eipAfter, eflags: eflagsAfter, segs: segsAfter };
  return { form, before, after: { ...registers, trap, error, cr2, changes }, undefinedFlags };
}

/** The forms of a file. @throws RangeError for a file that is not of this format. */
export function readForms(data: Uint8Array): FormEntry[] {
  return formsOf(new Reader(data));
}

function formsOf(r: Reader): FormEntry[] {
  if (r.word(4) !== MAGIC) throw new RangeError('not a vector file');
  return Array.from({ length: r.v() }, () => ({
    name: r.text(),
    opcode: r.text(),
    codeBits: r.u8() === 16 ? 16 : 32,
    count: r.v(),
  }));
}

/** All vectors of a file in order. `code` and registers are fresh arrays; `changes` point into `data`. */
export function* readVectors(data: Uint8Array): Generator<Vector> {
  const r = new Reader(data);
  for (const form of formsOf(r)) {
    for (let i = 0; i < form.count; i++) yield readVector(r, form);
  }
}
