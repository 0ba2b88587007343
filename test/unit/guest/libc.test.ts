/**
 * The SDK's C library (format, string, stdlib, free list, 64-bit division), compiled as guests are and run natively
 * on the host. Skipped where no compiler is, or where the host does not run 32-bit x86 programs.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../../tools/guests/build.ts';
import { findToolchains, type Toolchain } from '../../../tools/guests/toolchain.ts';

const SDK_PARTS = ['format', 'string', 'stdlib', 'free-list', 'div64'];

/** Output of the probe; null when the host can not run it. */
const runProbe = (toolchain: Toolchain): string | null => {
  const into = mkdtempSync(join(tmpdir(), 'probe-'));
  try {
    const sources = ['test/unit/guest/native/probe.c', ...SDK_PARTS.map((part) => `guest/sdk/${part}.c`)];
    const objects = sources.map((source, index) => {
      const object = join(into, `${index}.o`);
      const [command = '', ...args] = toolchain.compile;
      execFileSync(command, [...args, '-Iguest/sdk/include', '-Iguest/sdk', '-c', source, '-o', object], {
        cwd: ROOT,
      });
      return object;
    });
    const program = join(into, 'probe');
    const [linker = '', ...options] = toolchain.link;
    execFileSync(linker, [...options, '-e', '_start', '-o', program, ...objects]);
    const run = spawnSync(program, { encoding: 'utf8' });
    return run.error === undefined ? run.stdout : null;
  } finally {
    rmSync(into, { recursive: true, force: true });
  }
};

const signed = (value: bigint): bigint => BigInt.asIntN(64, value);

describe.each(findToolchains())('the guest C library, compiled by $name', (toolchain) => {
  const output = runProbe(toolchain);

  it.skipIf(output === null)('passes every check of the probe', () => {
    expect(output?.split('\n').filter((line) => !line.startsWith('div '))).toEqual([
      expect.stringMatching(/^ok \d{4,}$/),
      '',
    ]);
  });

  it.skipIf(output === null)('divides 64-bit numbers as BigInt does', () => {
    const rows = (output ?? '').split('\n').filter((line) => line.startsWith('div '));
    expect(rows).toHaveLength(200);
    for (const row of rows) {
      const [a = 0n, b = 1n, ...results] = row.split(' ').slice(1).map(BigInt);
      const wanted = [a / b, a % b, signed(a) / signed(b), signed(a) % signed(b)];
      expect(results, row).toEqual(wanted);
    }
  });
});
