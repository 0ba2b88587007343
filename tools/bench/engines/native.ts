/** The processor itself on the same loops: guest/bare/loops/native.c, compiled with the options of the images. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PRIVILEGED, type RunnerOrReason, type Timed } from './marks.ts';

/** As tools/guests/toolchain.ts, for a program of the host. */
const OPTIONS =
  '-m32 -std=gnu11 -O2 -march=i686 -mgeneral-regs-only -ffreestanding -fno-pic -no-pie -static -nostdlib -fno-stack-protector ' +
  '-fcf-protection=none -fno-strict-aliasing -fomit-frame-pointer -fno-tree-loop-distribute-patterns -fno-asynchronous-unwind-tables';

/** @param sources folder of loops.c and native.c */
export function nativeRunner(sources: string): RunnerOrReason {
  if (process.arch !== 'x64' && process.arch !== 'ia32') return 'the host is no x86 processor';
  const program = join(mkdtempSync(join(tmpdir(), 'native-loops-')), 'loops');
  const files = [join(sources, 'loops.c'), join(sources, 'native.c')];
  try {
    execFileSync('gcc', [...OPTIONS.split(' '), '-o', program, ...files], { stdio: 'pipe' });
  } catch {
    return 'gcc -m32 cannot build the loops here';
  }
  const run = (args: readonly string[]): string => {
    const { stdout, status } = spawnSync(program, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error('the native loops did not run');
    return stdout;
  };
  if (spawnSync(program, ['xorshift=1']).status !== 0) return 'the host runs no 32-bit programs';
  return {
    name: 'native',
    cannot: PRIVILEGED,
    run: (units) => {
      const results = new Map<string, Timed>();
      const lines = run([...units].map(([name, count]) => `${name}=${count}`)).trim();
      for (const line of lines.split('\n')) {
        const [name, time, checksum] = line.split(' ');
        results.set(name!, { seconds: Number(time) / 1e9, checksum: checksum! });
      }
      return Promise.resolve(results);
    },
  };
}
