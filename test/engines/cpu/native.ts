/**
 * Compares snippets between the interpreter and the host's own processor in 32-bit mode (native-run.c). Cases where the
 * emulated core faults are not given to the host.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { R } from '../../../emu/arch/core-layout.ts';
import { Exit } from '../../../emu/arch/engine.ts';
import { TestMachine } from '../../unit/cpu/test-machine.ts';

export interface Snippet {
  readonly code: readonly number[];
  /** Flags that the manual leaves undefined for it. */
  readonly undefinedFlags?: number;
}

export interface Case extends Snippet {
  readonly regs: readonly number[];
  readonly flags: number;
  readonly data: Uint8Array;
}

const CASE_BYTES = 8 * 4 + 8 + 32 + 128;
const DATA_AT = 0x808000;
const CODE_AT = 0x900000;
export const ARITH = 0x8d5;
const COMPARED = ARITH | 0x400;

/** Compiles the harness and runs nothing; null when the host can't run 32-bit x86 code. */
export function buildHarness(): { run(input: Uint8Array): Uint8Array; dispose(): void } | null {
  const dir = mkdtempSync(join(tmpdir(), 'native-'));
  const source = fileURLToPath(new URL('native-run.c', import.meta.url));
  const binary = join(dir, 'native-run');
  const flags = [
    '-m32',
    '-static',
    '-nostdlib',
    '-O1',
    '-fno-stack-protector',
    '-fno-pie',
    '-no-pie',
    '-mno-sse',
  ];
  const dispose = (): void => rmSync(dir, { recursive: true, force: true });
  try {
    execFileSync('gcc', [...flags, '-o', binary, source], { stdio: 'ignore' });
    execFileSync(binary, [], { input: '' });
  } catch {
    dispose();
    return null;
  }
  const run = (input: Uint8Array): Uint8Array => {
    const result = spawnSync(binary, [], { input, maxBuffer: input.length + 4096 });
    return result.stdout;
  };
  return { run, dispose };
}

function pack(c: Case): Uint8Array {
  const bytes = new Uint8Array(CASE_BYTES);
  const view = new DataView(bytes.buffer);
  c.regs.forEach((value, n) => {
    view.setInt32(n * 4, value, true);
  });
  view.setUint32(32, c.flags, true);
  view.setUint32(36, c.code.length, true);
  bytes.set(c.code, 40);
  bytes.set(c.data, 72);
  return bytes;
}

/** Runs the case on the interpreter; null if it faults or leaves the snippet. */
export function emulate(m: TestMachine, c: Case): Uint8Array | null {
  m.flatten();
  m.enterUser();
  m.context.trapMode = 'hosted';
  c.regs.forEach((value, n) => {
    m.r[n] = value;
  });
  m.r[R.EFLAGS] = c.flags | 2;
  m.load(DATA_AT, c.data);
  m.load(CODE_AT, c.code);
  m.load(CODE_AT + c.code.length, [0xcd, 0x80]);
  m.r[R.EIP] = CODE_AT;
  const exit = m.run(1000);
  if (exit !== Exit.Trap || m.r[R.EXIT_SOFT] !== 1) return null;
  const data = new Uint8Array(128);
  m.context.bus.readBytes(DATA_AT, data);
  return pack({ ...c, regs: Array.from(m.r.subarray(0, 8)), flags: m.r[R.EFLAGS], data });
}

/** Descriptions of the cases whose results differ. */
export function compare(cases: readonly Case[], harness: { run(input: Uint8Array): Uint8Array }): string[] {
  const m = new TestMachine();
  const kept: { c: Case; emulated: Uint8Array }[] = [];
  for (const c of cases) {
    const emulated = emulate(m, c);
    if (emulated !== null) kept.push({ c, emulated });
  }
  const input = new Uint8Array(kept.length * CASE_BYTES);
  kept.forEach(({ c }, n) => {
    input.set(pack(c), n * CASE_BYTES);
  });
  const output = harness.run(input);
  const differences: string[] = [];
  kept.forEach(({ c, emulated }, n) => {
    const native = output.subarray(n * CASE_BYTES, (n + 1) * CASE_BYTES);
    const text = difference(c, emulated, native);
    if (text !== null) differences.push(text);
  });
  return differences;
}

const hex = (n: number): string => (n >>> 0).toString(16);

function difference(c: Case, emulated: Uint8Array, native: Uint8Array): string | null {
  const code = c.code.map((b) => b.toString(16).padStart(2, '0')).join(' ');
  const before = `${code} | regs ${c.regs.map(hex).join(' ')} flags ${hex(c.flags)}`;
  if (native.length < CASE_BYTES) return `${before}: the host stopped`;
  const a = new DataView(emulated.buffer);
  const b = new DataView(native.buffer, native.byteOffset);
  for (let n = 0; n < 8; n++) {
    const [x, y] = [a.getInt32(n * 4, true), b.getInt32(n * 4, true)];
    if (x !== y) return `${before}: register ${n} is ${hex(x)}, host ${hex(y)}`;
  }
  const mask = COMPARED & ~(c.undefinedFlags ?? 0);
  const [x, y] = [a.getUint32(32, true) & mask, b.getUint32(32, true) & mask];
  if (x !== y) return `${before}: flags ${hex(x)}, host ${hex(y)}`;
  for (let n = 0; n < 128; n++) {
    if (emulated[72 + n] !== native[72 + n]) return `${before}: data byte ${n}`;
  }
  return null;
}
