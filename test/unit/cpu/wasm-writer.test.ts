import { describe, expect, it } from 'vitest';
import { instantiate } from '../../../emu/cpu/translator/wasm-api.ts';
import { Op } from '../../../emu/cpu/translator/wasm-op.ts';
import { ByteWriter, CodeWriter, moduleBytes } from '../../../emu/cpu/translator/wasm-writer.ts';

const bytesOf = (write: (w: ByteWriter) => void): number[] => {
  const w = new ByteWriter();
  write(w);
  return [...w.finish()];
};

/** Runs a body with two parameters and one more local. */
function run(body: (w: CodeWriter) => void, a: number, b: number): number {
  const code = new CodeWriter();
  body(code);
  const bytes = moduleBytes({
    imports: [],
    functions: [{ name: 'run', type: { params: 2, results: 1 }, locals: { i32: 1, i64: 1 }, body: code }],
  });
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  return (instantiate(bytes, { memory })['run'] as (a: number, b: number) => number)(a, b);
}

describe('numbers in a module', () => {
  it('are unsigned LEB128', () => {
    expect(bytesOf((w) => w.u32(624485))).toEqual([0xe5, 0x8e, 0x26]);
    expect(bytesOf((w) => w.u32(0))).toEqual([0]);
    expect(bytesOf((w) => w.u32(-1))).toEqual([0xff, 0xff, 0xff, 0xff, 0x0f]);
  });

  it('are signed LEB128', () => {
    expect(bytesOf((w) => w.s32(-123456))).toEqual([0xc0, 0xbb, 0x78]);
    expect(bytesOf((w) => w.s32(63))).toEqual([63]);
    expect(bytesOf((w) => w.s32(64))).toEqual([0xc0, 0]);
    expect(bytesOf((w) => w.s32(-64))).toEqual([0x40]);
  });

  it.each([0, 1, -1, 63, 64, -64, -65, 127, 128, 0x7fffffff, -0x80000000, 4096, -4096])(
    'come back as %i',
    (value) => {
      expect(run((w) => w.const(value), 0, 0)).toBe(value);
    },
  );
});

describe('a function', () => {
  it('of many bytes grows the buffer and runs', () => {
    const sum = (w: CodeWriter): void => {
      w.get(0);
      for (let n = 0; n < 5000; n++) {
        w.reserve();
        w.opConst(Op.Add, 3);
      }
    };
    expect(run(sum, 7, 0)).toBe(15_007);
  });

  it('loops by labels', () => {
    // while (b != 0) { a += b; b -= 1 }
    const body = (w: CodeWriter): void => {
      const out = w.open(Op.Block);
      const top = w.open(Op.Loop);
      w.get(1);
      w.op(Op.Eqz);
      w.brIf(out);
      w.get(0);
      w.get(1);
      w.op(Op.Add);
      w.set(0);
      w.get(1);
      w.opConst(Op.Sub, 1);
      w.set(1);
      w.br(top);
      w.close();
      w.close();
      w.get(0);
    };
    expect(run(body, 0, 100)).toBe(5050);
  });

  it('switches by a table, with a default', () => {
    const body = (w: CodeWriter): void => {
      const three = w.open(Op.Block);
      const two = w.open(Op.Block);
      const one = w.open(Op.Block);
      w.get(0);
      w.brTable([one, two], three);
      w.close();
      w.const(10);
      w.op(Op.Return);
      w.close();
      w.const(20);
      w.op(Op.Return);
      w.close();
      w.const(30);
    };
    expect([0, 1, 2, 99].map((n) => run(body, n, 0))).toEqual([10, 20, 30, 30]);
  });
});
