import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PlainData } from '../../../emu/arch/ports.ts';
import { CodecError, decode, encode } from '../../../emu/plain-data-codec.ts';

const leaf = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.string({ unit: 'binary' }),
  fc.boolean(),
  fc.constant(null),
  fc.constant(undefined),
  fc.uint8Array(),
  fc.int32Array(),
  fc.uint32Array(),
  fc.float64Array(),
);
const tree = fc.letrec<{ node: PlainData }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small' },
    leaf as fc.Arbitrary<PlainData>,
    fc.array(tie('node')),
    fc.dictionary(fc.string(), tie('node'), { noNullPrototype: true }),
    fc.array(fc.tuple(fc.string(), tie('node'))).map((pairs) => new Map(pairs)),
    fc.uniqueArray(fc.integer()).map((items) => new Set(items)),
  ),
})).node;

describe('the plain data codec', () => {
  it('gives back what was written', () => {
    fc.assert(
      fc.property(tree, (data) => {
        expect(decode(encode(data))).toStrictEqual(data);
      }),
    );
  });

  it('writes the same bytes for what it has read', () => {
    fc.assert(
      fc.property(tree, (data) => {
        const bytes = encode(data);
        expect(encode(decode(bytes))).toStrictEqual(bytes);
      }),
    );
  });

  it('keeps minus zero, NaN and integers beyond 32 bits', () => {
    expect(decode(encode([-0, Number.NaN, 2 ** 53 - 1, -(2 ** 31)]))).toStrictEqual([
      -0,
      Number.NaN,
      2 ** 53 - 1,
      -(2 ** 31),
    ]);
  });

  it('keeps the insertion order of maps and objects', () => {
    const back = decode(
      encode({
        b: 1,
        a: new Map([
          [2, 'x'],
          [1, 'y'],
        ]),
      }),
    ) as { a: Map<number, string> };
    expect(Object.keys(back)).toEqual(['b', 'a']);
    expect([...back.a.keys()]).toEqual([2, 1]);
  });

  it('refuses functions, class instances and cycles', () => {
    class Live {}
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    for (const bad of [() => 1, new Live(), cycle]) {
      expect(() => encode({ bad } as unknown as PlainData)).toThrow(CodecError);
    }
  });

  it('throws nothing but CodecError for damaged bytes', () => {
    fc.assert(
      fc.property(tree, fc.nat(), fc.integer({ min: 1, max: 255 }), (data, at, flip) => {
        const bytes = encode(data);
        const index = at % bytes.length;
        bytes[index] = bytes[index]! ^ flip;
        for (const broken of [bytes, bytes.subarray(0, index)]) {
          try {
            decode(broken);
          } catch (error) {
            expect(error).toBeInstanceOf(CodecError);
          }
        }
      }),
    );
  });
});
