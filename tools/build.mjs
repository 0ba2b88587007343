// Bundles the command line, the library and the web page's worker with esbuild. `--quiet` prints only errors.
// Types for the library come from `tsc -b` (dist/types); everything else is one file each.
import { existsSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { build } from 'esbuild';

const quiet = process.argv.includes('--quiet');
const shared = {
  bundle: true,
  format: 'esm',
  target: 'es2023',
  sourcemap: true,
  minifySyntax: true,
  logLevel: 'warning',
  loader: { '.elf': 'binary', '.bin': 'binary' },
};
const banner = {
  js: "#!/usr/bin/env node\nimport { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
};
const targets = [
  {
    entryPoints: ['src/cli/main.ts'],
    outfile: 'dist/physmem.js',
    platform: 'node',
    banner,
    legalComments: 'none',
  },
  { entryPoints: ['src/cli/bench-worker.ts'], outfile: 'dist/bench-worker.js', platform: 'node', banner },
  { entryPoints: ['tools/bench/main.ts'], outfile: 'dist/bench.js', platform: 'node', external: ['v86'] },
  { entryPoints: ['src/index.ts'], outfile: 'dist/index.js', platform: 'neutral' },
  { entryPoints: ['src/lab/probe.ts'], outfile: 'dist/lab-probe.js', platform: 'browser' },
];
const present = targets.filter((t) => existsSync(t.entryPoints[0]));
await Promise.all(present.map((t) => build({ ...shared, ...t })));
if (existsSync('dist/physmem.js')) await chmod('dist/physmem.js', 0o755);
if (!quiet) for (const t of present) process.stdout.write(`built ${t.outfile}\n`);
