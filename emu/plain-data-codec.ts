/**
 * Plain data to bytes and back: the file form of a snapshot. Deterministic: equal data gives equal bytes, because
 * keys and members are written in the order in which they stand (insertion order, which is part of the state:
 * iteration depends on it).
 *
 * Each value is a tag byte and its payload, little-endian, lengths as u32. Integers that fit in 32 bits take 5
 * bytes, other numbers 9. What is refused is a Bug of the caller (a function, a class instance, a cycle) or, on
 * the way back, damaged bytes: `decode` throws `CodecError` with the offset. No sharing survives a round trip.
 */
import type { PlainData } from './arch/ports.ts';

export class CodecError extends Error {}

enum Tag {
  Undefined = 0,
  Null = 1,
  False = 2,
  True = 3,
  Int32 = 4,
  Float64 = 5,
  String = 6,
  Array = 7,
  Object = 8,
  Map = 9,
  Set = 10,
  Uint8Array = 11,
  Int32Array = 12,
  Uint32Array = 13,
  Float64Array = 14,
}

const MAGIC = 0x31445050; // 'PPD1'
const MAX_DEPTH = 64;

/** Growing output buffer. */
class ByteWriter {
  private bytes = new Uint8Array(1 << 16);
  private view = new DataView(this.bytes.buffer);
  private length = 0;

  u8(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  u32(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.length, value, true);
    this.length += 4;
  }

  f64(value: number): void {
    this.reserve(8);
    this.view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  text(value: string): void {
    const units = value.length;
    this.u32(units);
    this.reserve(units * 2);
    for (let i = 0; i < units; i++) this.view.setUint16(this.length + 2 * i, value.charCodeAt(i), true);
    this.length += units * 2;
  }

  raw(value: Uint8Array): void {
    this.reserve(value.length);
    this.bytes.set(value, this.length);
    this.length += value.length;
  }

  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  private reserve(extra: number): void {
    if (this.length + extra <= this.bytes.length) return;
    const bigger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + extra));
    bigger.set(this.bytes);
    this.bytes = bigger;
    this.view = new DataView(bigger.buffer);
  }
}

/** Bytes of `data`. The host must be little-endian, as every host of a JavaScript engine today is. */
export function encode(data: PlainData): Uint8Array {
  const out = new ByteWriter();
  out.u32(MAGIC);
  writeValue(out, data, 0);
  return out.finish();
}

function writeValue(out: ByteWriter, value: PlainData, depth: number): void {
  if (depth > MAX_DEPTH) throw new CodecError(`plain data is nested deeper than ${MAX_DEPTH} (a cycle?)`);
  if (typeof value === 'number') writeNumber(out, value);
  else if (typeof value === 'string') {
    out.u8(Tag.String);
    out.text(value);
  } else if (value === undefined) out.u8(Tag.Undefined);
  else if (value === null) out.u8(Tag.Null);
  else if (value === false) out.u8(Tag.False);
  else if (value === true) out.u8(Tag.True);
  else if (ArrayBuffer.isView(value)) writeTypedArray(out, value);
  else writeCollection(out, value as Exclude<PlainData, ArrayBufferView>, depth + 1);
}

function writeNumber(out: ByteWriter, value: number): void {
  if ((value | 0) === value && !Object.is(value, -0)) {
    out.u8(Tag.Int32);
    out.u32(value);
  } else {
    out.u8(Tag.Float64);
    out.f64(value);
  }
}

function writeTypedArray(out: ByteWriter, value: ArrayBufferView): void {
  if (value instanceof Uint8Array) out.u8(Tag.Uint8Array);
  else if (value instanceof Int32Array) out.u8(Tag.Int32Array);
  else if (value instanceof Uint32Array) out.u8(Tag.Uint32Array);
  else if (value instanceof Float64Array) out.u8(Tag.Float64Array);
  else throw new CodecError('plain data holds a typed array of an unsupported kind');
  out.u32(value.byteLength);
  out.raw(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
}

function writeCollection(out: ByteWriter, value: PlainData, depth: number): void {
  if (Array.isArray(value)) {
    out.u8(Tag.Array);
    out.u32(value.length);
    for (const item of value as readonly PlainData[]) writeValue(out, item, depth);
  } else if (value instanceof Map) {
    out.u8(Tag.Map);
    out.u32(value.size);
    for (const [key, item] of value) {
      writeValue(out, key, depth);
      writeValue(out, item, depth);
    }
  } else if (value instanceof Set) {
    out.u8(Tag.Set);
    out.u32(value.size);
    for (const item of value) writeValue(out, item, depth);
  } else writeObject(out, value, depth);
}

function writeObject(out: ByteWriter, value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) {
    throw new CodecError('plain data holds a value that is not plain (a function or a class instance)');
  }
  const entries = Object.entries(value as Record<string, PlainData>);
  out.u8(Tag.Object);
  out.u32(entries.length);
  for (const [key, item] of entries) {
    out.text(key);
    writeValue(out, item, depth);
  }
}

/** Input cursor; every read is checked against the end. */
class ByteReader {
  offset = 0;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(): number {
    return this.view.getUint8(this.take(1));
  }

  u32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  f64(): number {
    return this.view.getFloat64(this.take(8), true);
  }

  /** A count of items that take at least `leastBytes` each, so that a damaged count cannot ask for gigabytes. */
  count(leastBytes: number): number {
    const n = this.u32();
    if (n * leastBytes > this.bytes.length - this.offset) throw this.damaged('a length');
    return n;
  }

  text(): string {
    const units = this.count(2);
    const at = this.take(units * 2);
    const parts: string[] = [];
    for (let i = 0; i < units; i++) parts.push(String.fromCharCode(this.view.getUint16(at + 2 * i, true)));
    return parts.join('');
  }

  /** A copy, so that typed arrays of wider elements are aligned and own their buffer. */
  raw(): Uint8Array {
    const length = this.count(1);
    const at = this.take(length);
    return this.bytes.slice(at, at + length);
  }

  damaged(what: string): CodecError {
    return new CodecError(`snapshot data is damaged: ${what} at offset ${this.offset} does not fit`);
  }

  private take(length: number): number {
    if (this.offset + length > this.bytes.length) throw this.damaged('a value');
    const at = this.offset;
    this.offset += length;
    return at;
  }
}

/** The data that `encode` wrote. Throws CodecError for anything else. */
export function decode(bytes: Uint8Array): PlainData {
  const input = new ByteReader(bytes);
  if (input.u32() !== MAGIC) throw new CodecError('snapshot data is damaged: it does not start with PPD1');
  const value = readValue(input, 0);
  if (input.offset !== bytes.length) throw input.damaged('data after the end');
  return value;
}

function readValue(input: ByteReader, depth: number): PlainData {
  if (depth > MAX_DEPTH) throw input.damaged('nesting');
  const tag = input.u8();
  switch (tag) {
    case Tag.Undefined:
      return undefined;
    case Tag.Null:
      return null;
    case Tag.False:
      return false;
    case Tag.True:
      return true;
    case Tag.Int32:
      return input.u32() | 0;
    case Tag.Float64:
      return input.f64();
    case Tag.String:
      return input.text();
    case Tag.Uint8Array:
      return input.raw();
    case Tag.Int32Array:
      return new Int32Array(rawOfWidth(input, 4).buffer);
    case Tag.Uint32Array:
      return new Uint32Array(rawOfWidth(input, 4).buffer);
    case Tag.Float64Array:
      return new Float64Array(rawOfWidth(input, 8).buffer);
    default:
      return readCollection(input, tag, depth + 1);
  }
}

function rawOfWidth(input: ByteReader, width: number): Uint8Array<ArrayBuffer> {
  const raw = input.raw();
  if (raw.length % width !== 0) throw input.damaged('an array length');
  return raw as Uint8Array<ArrayBuffer>;
}

function readCollection(input: ByteReader, tag: number, depth: number): PlainData {
  if (tag === Tag.Array) {
    const items: PlainData[] = [];
    for (let n = input.count(1); n > 0; n--) items.push(readValue(input, depth));
    return items;
  }
  if (tag === Tag.Map) {
    const map = new Map<PlainData, PlainData>();
    for (let n = input.count(2); n > 0; n--) {
      const key = readValue(input, depth);
      map.set(key, readValue(input, depth));
    }
    return map;
  }
  if (tag === Tag.Set) {
    const set = new Set<PlainData>();
    for (let n = input.count(1); n > 0; n--) set.add(readValue(input, depth));
    return set;
  }
  if (tag !== Tag.Object) throw input.damaged(`tag ${tag}`);
  const object: Record<string, PlainData> = {};
  for (let n = input.count(5); n > 0; n--) {
    const key = input.text();
    // defineProperty, because an assignment to '__proto__' would not make a property.
    const value = readValue(input, depth);
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  }
  return object;
}
