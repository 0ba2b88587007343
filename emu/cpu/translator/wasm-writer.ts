/**
 * Bytes of a WebAssembly module: LEB128 numbers, instructions with structured labels, sections (WebAssembly core
 * specification 1.0, chapter 5). Knows nothing of x86; only what the translator emits is here.
 */
import { Op } from './wasm-op.ts';

/** Bytes that CodeWriter.reserve makes room for. */
const RESERVE_BYTES = 4096;

/** A growing byte buffer. */
export class ByteWriter {
  protected bytes: Uint8Array;
  length = 0;

  /** `bytes`: a buffer to begin with, which the writer may use as long as it lives. */
  constructor(bytes: Uint8Array = new Uint8Array(1024)) {
    this.bytes = bytes;
  }

  u8(value: number): void {
    if (this.length === this.bytes.length) this.grow(this.length + 1);
    this.bytes[this.length++] = value;
  }

  protected grow(least: number): void {
    const larger = new Uint8Array(Math.max(least, this.bytes.length * 2));
    larger.set(this.bytes);
    this.bytes = larger;
  }

  /** Unsigned LEB128 of a number below 2^32. */
  u32(value: number): void {
    let rest = value >>> 0;
    while (rest > 127) {
      this.u8((rest & 127) | 128);
      rest >>>= 7;
    }
    this.u8(rest);
  }

  /** Signed LEB128 of a signed 32-bit number. */
  s32(value: number): void {
    let rest = value | 0;
    for (;;) {
      const low = rest & 127;
      rest >>= 7;
      if ((rest === 0 && (low & 64) === 0) || (rest === -1 && (low & 64) !== 0)) {
        this.u8(low);
        return;
      }
      this.u8(low | 128);
    }
  }

  append(other: ByteWriter): void {
    if (this.length + other.length > this.bytes.length) this.grow(this.length + other.length);
    this.bytes.set(other.bytes.subarray(0, other.length), this.length);
    this.length += other.length;
  }

  /** Name or other vector of bytes with its length before it. */
  text(name: string): void {
    this.u32(name.length);
    for (let i = 0; i < name.length; i++) this.u8(name.charCodeAt(i));
  }

  /** Section `id` with the content that `fill` writes. */
  section(id: number, fill: (content: ByteWriter) => void): void {
    const content = new ByteWriter();
    fill(content);
    this.u8(id);
    this.u32(content.length);
    this.append(content);
  }

  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}

/** A place that can be branched to: the number of structures that were open when it was opened. */
export type Label = number;

/**
 * Instructions of one function body. Between two calls of `reserve` or `open` less than RESERVE_BYTES may be written by the short
 * methods, which do not look whether there is room: with the look they took a third of the time of a translation.
 */
export class CodeWriter extends ByteWriter {
  private depth = 0;

  constructor(bytes?: Uint8Array) {
    super(bytes);
    this.reserve();
  }

  /** Makes room for RESERVE_BYTES. */
  reserve(): void {
    const least = this.length + RESERVE_BYTES;
    if (least > this.bytes.length) this.grow(least);
  }

  op(op: Op): void {
    this.bytes[this.length++] = op;
  }

  get(local: number): void {
    this.local(Op.LocalGet, local);
  }

  set(local: number): void {
    this.local(Op.LocalSet, local);
  }

  tee(local: number): void {
    this.local(Op.LocalTee, local);
  }

  /** Locals are below 128. */
  private local(op: Op, local: number): void {
    const { bytes, length } = this;
    bytes[length] = op;
    bytes[length + 1] = local;
    this.length = length + 2;
  }

  const(value: number): void {
    const { bytes, length } = this;
    bytes[length] = Op.I32Const;
    if (value >= -64 && value < 64) {
      bytes[length + 1] = value & 127;
      this.length = length + 2;
      return;
    }
    this.length = length + 1;
    this.s32(value);
  }

  /** `op` with a constant second operand. */
  opConst(op: Op, value: number): void {
    this.const(value);
    this.bytes[this.length++] = op;
  }

  /** Memory instruction at a constant offset, no alignment promised. */
  memory(op: Op, offset = 0): void {
    this.u8(op);
    this.u32(0);
    this.u32(offset);
  }

  call(index: number): void {
    this.u8(Op.Call);
    this.u32(index);
  }

  /** Calls the function of the imported table whose index is on the stack; `type`: see moduleBytes. */
  callIndirect(type: number): void {
    this.u8(Op.CallIndirect);
    this.u32(type);
    this.u32(0);
  }

  /** Opens a structure without results. */
  open(op: Op.Block | Op.Loop | Op.If): Label {
    this.reserve();
    this.u8(op);
    this.u8(0x40);
    return ++this.depth;
  }

  else(): void {
    this.u8(Op.Else);
  }

  close(): void {
    this.u8(Op.End);
    this.depth--;
  }

  br(label: Label): void {
    this.u8(Op.Br);
    this.u32(this.depth - label);
  }

  brIf(label: Label): void {
    this.u8(Op.BrIf);
    this.u32(this.depth - label);
  }

  brTable(labels: readonly Label[], otherwise: Label): void {
    this.u8(Op.BrTable);
    this.u32(labels.length);
    for (const label of labels) this.u32(this.depth - label);
    this.u32(this.depth - otherwise);
  }
}

export const TYPE_I32 = 0x7f;
export const TYPE_I64 = 0x7e;

export interface FunctionType {
  readonly params: number;
  readonly results: 0 | 1;
}

export interface NamedFunction {
  readonly name: string;
  readonly type: FunctionType;
}

/** A function of the module: exported under its name; `body` has every structure closed and no final `end`. */
export interface FunctionBody extends NamedFunction {
  /** Locals behind the parameters. */
  readonly locals: { readonly i32: number; readonly i64: number };
  readonly body: CodeWriter;
}

/** All parameters and results are i32. */
export interface ModuleShape {
  readonly imports: readonly NamedFunction[];
  readonly functions: readonly FunctionBody[];
  /** Type of the functions in the imported table, if there is one; see tableType. */
  readonly table?: FunctionType;
}

/** Number of the table's function type, for CodeWriter.callIndirect. */
export const tableType = (imports: number, functions: number): number => imports + functions;

/** A module that imports `memory`, functions and perhaps `table` from `env`, and exports all its functions. */
export function moduleBytes({ imports, functions, table }: ModuleShape): Uint8Array {
  const out = new ByteWriter();
  for (const byte of [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]) out.u8(byte);
  const types = [...imports, ...functions].map((f) => f.type);
  out.section(1, (s) => writeTypes(s, table === undefined ? types : [...types, table]));
  out.section(2, (s) => writeImports(s, imports, table));
  out.section(3, (s) => {
    s.u32(functions.length);
    functions.forEach((_, n) => {
      s.u32(imports.length + n);
    });
  });
  out.section(7, (s) => {
    s.u32(functions.length);
    functions.forEach(({ name }, n) => {
      s.text(name);
      s.u8(0);
      s.u32(imports.length + n);
    });
  });
  out.section(10, (s) => {
    s.u32(functions.length);
    for (const f of functions) writeBody(s, f);
  });
  return out.finish();
}

function writeImports(
  s: ByteWriter,
  imports: readonly NamedFunction[],
  table: FunctionType | undefined,
): void {
  s.u32(imports.length + (table === undefined ? 1 : 2));
  importName(s, 'memory', 2);
  s.u8(0);
  s.u32(1);
  imports.forEach(({ name }, n) => {
    importName(s, name, 0);
    s.u32(n);
  });
  if (table === undefined) return;
  importName(s, 'table', 1);
  s.u8(0x70);
  s.u8(0);
  s.u32(0);
}

function writeBody(s: ByteWriter, { locals, body }: FunctionBody): void {
  const header = new ByteWriter();
  header.u32(2);
  header.u32(locals.i32);
  header.u8(TYPE_I32);
  header.u32(locals.i64);
  header.u8(TYPE_I64);
  s.u32(header.length + body.length + 1);
  s.append(header);
  s.append(body);
  s.u8(Op.End);
}

function importName(s: ByteWriter, name: string, kind: number): void {
  s.text('env');
  s.text(name);
  s.u8(kind);
}

function writeTypes(s: ByteWriter, types: readonly FunctionType[]): void {
  s.u32(types.length);
  for (const { params, results } of types) {
    s.u8(0x60);
    s.u32(params);
    for (let n = 0; n < params; n++) s.u8(TYPE_I32);
    s.u32(results);
    if (results === 1) s.u8(TYPE_I32);
  }
}
