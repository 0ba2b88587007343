/**
 * Talks to harness.c: compiles it, writes cases to its standard input and reads outcomes from its standard output.
 *
 *   case    240 bytes: regs 8×u32, eip, eflags, segs 6×u16, mode, code length, poke count, 0, code[120],
 *           4 × { u16 offset, u8 length, u8 bytes[13] }
 *   outcome 64 bytes: regs 8×u32, eip, eflags, segs 6×u16, trap u16, error u16, cr2, change count u32;
 *           then per change u16 offset, u16 length (both multiples of 4), bytes
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Change, Outcome, TestCase } from './case-layout.ts';

const CASE_BYTES = 240;
const OUTCOME_BYTES = 64;
const CODE_AT = 56;
const POKES_AT = 176;
const POKE_BYTES = 16;
/** Largest number of cases that one run of the harness takes (its buffers are 512 MiB). */
const BATCH = 200_000;

const CFLAGS =
  '-m32 -static -nostdlib -ffreestanding -fno-stack-protector -mno-sse -O2 -Wl,-Ttext-segment=0x60000000';

/** Path of the compiled harness, or the reason in words why this machine cannot have one. */
export type Harness = { readonly path: string } | { readonly reason: string };

/** Compiles harness.c into `directory` unless an up-to-date copy is there, and tries it with no cases. */
export function buildHarness(directory: string): Harness {
  if (process.platform !== 'linux')
    return { reason: `needs Linux on an x86 processor, not ${process.platform}` };
  if (process.arch !== 'x64' && process.arch !== 'ia32') {
    return { reason: `needs an x86 processor, not ${process.arch}` };
  }
  const source = fileURLToPath(new URL('harness.c', import.meta.url));
  const path = `${directory}/vector-harness`;
  if (!existsSync(path) || statSync(path).mtimeMs < statSync(source).mtimeMs) {
    mkdirSync(directory, { recursive: true });
    const cc = spawnSync('gcc', [...CFLAGS.split(' '), '-o', path, source], { encoding: 'utf8' });
    if (cc.error) return { reason: 'needs gcc' };
    if (cc.status !== 0) return { reason: `gcc -m32 failed: ${cc.stderr.split('\n')[0]}` };
  }
  const trial = spawnSync(path, { input: '' });
  if (trial.status !== 0) {
    return {
      reason: `this kernel does not run the 32-bit harness (status ${trial.status}, ${trial.signal})`,
    };
  }
  return { path };
}

function writeCase(view: DataView, at: number, c: TestCase): void {
  for (let i = 0; i < 8; i++) view.setUint32(at + 4 * i, c.regs[i]!, true);
  view.setUint32(at + 32, c.eip, true);
  view.setUint32(at + 36, c.eflags, true);
  for (let i = 0; i < 6; i++) view.setUint16(at + 40 + 2 * i, c.segs[i]!, true);
  view.setUint8(at + 52, c.mode === 'step' ? 1 : 0);
  view.setUint8(at + 53, c.code.length);
  view.setUint8(at + 54, c.pokes.length);
  if (c.code.length > 120 || c.pokes.length > 4) throw new RangeError('case too large for the harness');
  c.code.forEach((byte, i) => {
    view.setUint8(at + CODE_AT + i, byte);
  });
  c.pokes.forEach((poke, n) => {
    const p = at + POKES_AT + n * POKE_BYTES;
    if (poke.bytes.length > 13) throw new RangeError('poke too long for the harness');
    view.setUint16(p, poke.offset, true);
    view.setUint8(p + 2, poke.bytes.length);
    poke.bytes.forEach((byte, i) => {
      view.setUint8(p + 3 + i, byte);
    });
  });
}

function readOutcome(view: DataView, start: number): { outcome: Outcome; end: number } {
  const regs = Array.from({ length: 8 }, (_, i) => view.getUint32(start + 4 * i, true));
  const segs = Array.from({ length: 6 }, (_, i) => view.getUint16(start + 40 + 2 * i, true));
  const changes: Change[] = [];
  let at = start + OUTCOME_BYTES;
  for (let n = view.getUint32(start + 60, true); n > 0; n--) {
    const offset = view.getUint16(at, true);
    const length = view.getUint16(at + 2, true);
    changes.push({ offset, bytes: new Uint8Array(view.buffer, view.byteOffset + at + 4, length).slice() });
    at += 4 + length;
  }
  const outcome = {
    regs,
    eip: view.getUint32(start + 32, true),
    eflags: view.getUint32(start + 36, true),
    segs,
    trap: view.getUint16(start + 52, true),
    error: view.getUint16(start + 54, true),
    cr2: view.getUint32(start + 56, true),
    changes,
  };
  return { outcome, end: at };
}

function runBatch(path: string, cases: readonly TestCase[]): Outcome[] {
  const input = new Uint8Array(cases.length * CASE_BYTES);
  const view = new DataView(input.buffer);
  cases.forEach((c, i) => {
    writeCase(view, i * CASE_BYTES, c);
  });
  const run = spawnSync(path, { input, maxBuffer: 1 << 29, timeout: 120_000 });
  if (run.status !== 0) throw new Error(`harness ended with status ${run.status}, signal ${run.signal}`);
  const result = new DataView(run.stdout.buffer, run.stdout.byteOffset, run.stdout.length);
  const outcomes: Outcome[] = [];
  for (let at = 0; at < result.byteLength; ) {
    const { outcome, end } = readOutcome(result, at);
    outcomes.push(outcome);
    at = end;
  }
  if (outcomes.length !== cases.length) {
    throw new Error(`harness ran ${outcomes.length} of ${cases.length} cases`);
  }
  return outcomes;
}

/** Runs every case on the host processor, in order. @throws when the harness itself breaks. */
export function runOnHost(path: string, cases: readonly TestCase[]): Outcome[] {
  const outcomes: Outcome[] = [];
  for (let i = 0; i < cases.length; i += BATCH) {
    for (const outcome of runBatch(path, cases.slice(i, i + BATCH))) outcomes.push(outcome);
  }
  return outcomes;
}
