/** Snippets of every integer instruction that ring 3 can run, and operand values that sit on the edges. */
import type { Case, Snippet } from './native.ts';

const CF = 1;
const PF = 4;
const AF = 16;
const ZF = 64;
const SF = 128;
const OF = 2048;

/** A small deterministic generator (xorshift32). */
export function generator(seed: number): () => number {
  let x = seed | 0 || 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
}

const EDGES = [
  0, 1, 2, 7, 8, 9, 15, 16, 31, 32, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff,
];
const MORE = [0x80000000, 0xffffffff, 0xfffffffe, 0x80000001, 0x99, 0x9a, 0x55555555, 0xaaaaaaaa];
const VALUES = [...EDGES, ...MORE];

const reg = (r: number, rm: number): number => 0xc0 | (r << 3) | rm;
const P16 = [[], [0x66]];

function aluSnippets(): Snippet[] {
  const list: Snippet[] = [];
  for (let n = 0; n < 8; n++) {
    for (const p of P16) {
      list.push({ code: [...p, n * 8 + 1, reg(2, 0)] }, { code: [...p, n * 8 + 3, reg(1, 3)] });
      list.push({ code: [...p, n * 8 + 1, 0x1e] }, { code: [...p, n * 8 + 3, 0x4e, 4] });
      list.push({ code: [...p, 0x83, reg(n, 3), 0xff] }, { code: [...p, 0x83, 0x46 | (n << 3), 8, 0x7f] });
    }
    list.push({ code: [n * 8, reg(7, 0)] }, { code: [n * 8 + 2, reg(0, 5)] }, { code: [n * 8 + 4, 0x80] });
    list.push({ code: [n * 8 + 5, 1, 0, 0, 0x80] }, { code: [0x81, reg(n, 1), 0xff, 0xff, 0xff, 0x7f] });
    list.push({ code: [0x80, reg(n, 6), 0x7f] }, { code: [n * 8, 0x1e] }, { code: [n * 8 + 2, 0x66, 3] });
  }
  return list;
}

function shiftSnippets(): Snippet[] {
  const list: Snippet[] = [];
  for (let n = 0; n < 8; n++) {
    // OF is defined for a count of 1 only, AF for rotates only.
    const af = (n >= 4 ? AF : 0) | OF;
    for (const p of P16) {
      list.push({ code: [...p, 0xd1, reg(n, 0)], undefinedFlags: af & AF });
      list.push({ code: [...p, 0xd3, reg(n, 3)], undefinedFlags: af });
      list.push({ code: [...p, 0xd3, (n << 3) | 6], undefinedFlags: af });
      for (const by of [1, 5, 8, 15, 16, 17, 31]) {
        list.push({ code: [...p, 0xc1, reg(n, 2), by], undefinedFlags: af });
      }
    }
    for (const by of [1, 3, 7, 8, 9, 16, 17, 31])
      list.push({ code: [0xc0, reg(n, 6), by], undefinedFlags: af });
    list.push(
      { code: [0xd2, reg(n, 3)], undefinedFlags: af },
      { code: [0xd0, reg(n, 7)], undefinedFlags: af & AF },
    );
  }
  for (const op of [0xa4, 0xac]) {
    for (const by of [0, 1, 4, 15, 31])
      list.push({ code: [0x0f, op, reg(2, 3), by], undefinedFlags: AF | OF });
    list.push({ code: [0x0f, op + 1, reg(2, 3)], undefinedFlags: AF | OF });
    for (const by of [1, 7, 16])
      list.push({ code: [0x66, 0x0f, op, reg(2, 3), by], undefinedFlags: AF | OF });
  }
  return list;
}

function multiplySnippets(): Snippet[] {
  const szpa = SF | ZF | PF | AF;
  const all = szpa | CF | OF;
  const list: Snippet[] = [];
  for (const p of P16) {
    for (const n of [4, 5]) list.push({ code: [...p, 0xf7, reg(n, 3)], undefinedFlags: szpa });
    for (const n of [6, 7]) list.push({ code: [...p, 0xf7, reg(n, 3)], undefinedFlags: all });
    list.push({ code: [...p, 0x0f, 0xaf, reg(0, 3)], undefinedFlags: szpa });
    list.push({ code: [...p, 0x6b, reg(2, 1), 0xf9], undefinedFlags: szpa });
    list.push({ code: [...p, 0xf7, reg(2, 3)] }, { code: [...p, 0xf7, reg(3, 3)] });
    list.push(
      { code: [...p, 0xf7, 0x5e, 4] },
      { code: [...p, 0xff, reg(0, 2)] },
      { code: [...p, 0xff, 0x0e] },
    );
    list.push({ code: [...p, 0x40] }, { code: [...p, 0x4b] }, { code: [...p, 0x98] }, { code: [...p, 0x99] });
  }
  for (const n of [4, 5]) list.push({ code: [0xf6, reg(n, 7)], undefinedFlags: szpa });
  for (const n of [6, 7]) list.push({ code: [0xf6, reg(n, 7)], undefinedFlags: all });
  list.push({ code: [0x69, reg(2, 1), 0x78, 0x56, 0x34, 0x92], undefinedFlags: szpa });
  list.push({ code: [0xfe, reg(0, 4)] }, { code: [0xfe, reg(1, 0)] }, { code: [0xf6, reg(3, 1)] });
  list.push({ code: [0x27], undefinedFlags: OF }, { code: [0x2f], undefinedFlags: OF });
  list.push(
    { code: [0x37], undefinedFlags: OF | SF | ZF | PF },
    { code: [0x3f], undefinedFlags: OF | SF | ZF | PF },
  );
  list.push(
    { code: [0xd4, 10], undefinedFlags: OF | AF | CF },
    { code: [0xd5, 10], undefinedFlags: OF | AF | CF },
  );
  list.push({ code: [0xd4, 7], undefinedFlags: OF | AF | CF });
  return list;
}

function bitSnippets(): Snippet[] {
  const rest = OF | SF | AF | PF;
  const list: Snippet[] = [];
  for (const p of P16) {
    for (const op of [0xa3, 0xab, 0xb3, 0xbb])
      list.push({ code: [...p, 0x0f, op, reg(2, 3)], undefinedFlags: rest });
    for (const n of [4, 5, 6, 7]) {
      list.push({ code: [...p, 0x0f, 0xba, reg(n, 0), 0x25], undefinedFlags: rest });
      list.push({ code: [...p, 0x0f, 0xba, 0x06 | (n << 3), 0x11], undefinedFlags: rest });
    }
    list.push({ code: [...p, 0x0f, 0xbc, reg(2, 3)], undefinedFlags: rest | CF });
    list.push({ code: [...p, 0x0f, 0xbd, reg(2, 3)], undefinedFlags: rest | CF });
    list.push({ code: [...p, 0x0f, 0xb1, reg(2, 3)] }, { code: [...p, 0x0f, 0xb1, 0x16] });
    list.push({ code: [...p, 0x0f, 0xc1, reg(2, 3)] }, { code: [...p, 0x0f, 0xc1, 0x16] });
    list.push({ code: [...p, 0x0f, 0xc1, reg(0, 0)] });
    for (let cc = 0; cc < 16; cc++) list.push({ code: [...p, 0x0f, 0x40 + cc, reg(2, 3)] });
  }
  // Bit string with an index outside the operand: and ecx, 0x1ff first so that it stays in the data.
  list.push({ code: [0x81, 0xe1, 0xff, 1, 0, 0, 0x0f, 0xab, 0x0e], undefinedFlags: rest });
  list.push({ code: [0x83, 0xe1, 0x1f, 0x83, 0xe9, 0x10, 0x0f, 0xbb, 0x4e, 8], undefinedFlags: rest });
  for (let cc = 0; cc < 16; cc++) {
    list.push({ code: [0x0f, 0x90 + cc, reg(0, 7)] }, { code: [0x70 + cc, 1, 0x40] });
    list.push(
      { code: [0x39, 0xd0, 0x70 + cc, 2, 0x89, 0xc3] },
      { code: [0x01, 0xd0, 0x0f, 0x90 + cc, reg(0, 1)] },
    );
    list.push({ code: [0x4b, 0x70 + cc, 1, 0x42] }, { code: [0x21, 0xd8, 0x0f, 0x40 + cc, reg(1, 2)] });
  }
  list.push({ code: [0x0f, 0xb0, reg(2, 3)] }, { code: [0x0f, 0xc0, reg(2, 7)] }, { code: [0x0f, 0xcb] });
  list.push({ code: [0x0f, 0xc7, 0x0e] }, { code: [0xd6] }, { code: [0x9e] }, { code: [0x9f] });
  list.push({ code: [0xf5] }, { code: [0xf8] }, { code: [0xf9] }, { code: [0xfc] }, { code: [0xfd, 0xfc] });
  return list;
}

function moveSnippets(): Snippet[] {
  const list: Snippet[] = [];
  for (const p of P16) {
    list.push({ code: [...p, 0x89, 0x16] }, { code: [...p, 0x8b, 0x5e, 0x10] }, { code: [...p, 0x87, 0x16] });
    list.push(
      { code: [...p, 0x87, reg(1, 2)] },
      { code: [...p, 0x93] },
      { code: [...p, 0x0f, 0xb6, reg(2, 7)] },
    );
    list.push({ code: [...p, 0x0f, 0xbe, reg(2, 5)] }, { code: [...p, 0x0f, 0xbe, 0x5e, 3] });
    list.push(
      { code: [...p, 0x50, ...p, 0x5b] },
      { code: [...p, 0x60, ...p, 0x61] },
      { code: [...p, 0x6a, 0xfe] },
    );
    list.push({ code: [...p, 0xff, 0x36, ...p, 0x8f, 0x46, 4] }, { code: [...p, 0x8d, 0x5c, 0x93, 0x44] });
    list.push({ code: [...p, 0x8d, 0x9c, 0xc1, 0x78, 0x56, 0x34, 0x12] }, { code: [...p, 0x9c, ...p, 0x58] });
    for (const op of [0xa5, 0xab, 0xad, 0xaf, 0xa7]) {
      list.push({ code: [...p, op] }, { code: [0xfd, ...p, op, 0xfc] });
      // mov ecx, 5
      list.push({ code: [0xb9, 5, 0, 0, 0, 0xf3, ...p, op] }, { code: [0xb9, 0, 0, 0, 0, 0xf3, ...p, op] });
      list.push({ code: [0xb9, 7, 0, 0, 0, 0xf2, ...p, op] });
    }
  }
  for (const op of [0xa4, 0xaa, 0xac, 0xae, 0xa6]) {
    list.push({ code: [op] }, { code: [0xb9, 9, 0, 0, 0, 0xf3, op] }, { code: [0xb9, 9, 0, 0, 0, 0xf2, op] });
  }
  list.push({ code: [0x0f, 0xb7, reg(2, 1)] }, { code: [0x0f, 0xbf, reg(2, 1)] }, { code: [0x88, 0x66, 2] });
  list.push(
    { code: [0x8f, 0x04, 0x24] },
    { code: [0x54, 0x5b] },
    { code: [0x8a, 0x7e, 1] },
    { code: [0x86, 0x26] },
  );
  list.push({ code: [0xc8, 8, 0, 0] }, { code: [0xc8, 8, 0, 1] }, { code: [0xc9 & 0, 0xc0] });
  list.push({ code: [0xe8, 0, 0, 0, 0, 0x58] }, { code: [0xe8, 1, 0, 0, 0, 0x90, 0x58] });
  list.push({ code: [0x6a, 0x55, 0xe8, 2, 0, 0, 0, 0xeb, 3, 0xc2, 4, 0] });
  list.push(
    { code: [0xb9, 3, 0, 0, 0, 0x40, 0xe2, 0xfd] },
    { code: [0xe3, 1, 0x40] },
    { code: [0x67, 0xe3, 1, 0x40] },
  );
  list.push({ code: [0xb9, 9, 0, 0, 0, 0x48, 0xe0, 0xfd] }, { code: [0xb9, 9, 0, 0, 0, 0x48, 0xe1, 0xfd] });
  list.push({ code: [0xa1, 0x10, 0x80, 0x80, 0] }, { code: [0xa2, 0x11, 0x80, 0x80, 0] });
  list.push({ code: [0x0f, 0x1f, 0x44, 0x00, 0] }, { code: [0x66, 0x0f, 0xcb] });
  return list;
}

export const SNIPPETS: readonly Snippet[] = [
  ...aluSnippets(),
  ...shiftSnippets(),
  ...multiplySnippets(),
  ...bitSnippets(),
  ...moveSnippets(),
];

/** `rounds` cases of each snippet; ESI and EDI point into the data, ESP and EBP into the stack. */
export function makeCases(rounds: number, seed: number): Case[] {
  const next = generator(seed);
  const cases: Case[] = [];
  const value = (): number => (next() % 3 === 0 ? next() : VALUES[next() % VALUES.length]) | 0;
  for (const snippet of SNIPPETS) {
    for (let n = 0; n < rounds; n++) {
      const regs = [value(), value(), value(), value(), 0x80807c, 0x808070, 0x808020, 0x808040];
      const data = Uint8Array.from({ length: 128 }, () => next() & 0xff);
      cases.push({ ...snippet, regs, flags: (next() & 0x8d5) | 0x202, data });
    }
  }
  return cases;
}
