/**
 * `tsx tools/compare/random-main.ts [instructions] [seed]`: random code in ring 0 and ring 3, each twice; default 10^7
 * instructions per run.
 */
import { type RandomRun, runRandomCode } from './random-code.ts';

const instructions = Number(process.argv[2] ?? 1e7);
const seed = Number(process.argv[3] ?? 1);
if (!(instructions > 0) || !Number.isInteger(seed)) {
  console.error('usage: random-main.ts [instructions] [seed]');
  process.exit(2);
}

function report(run: RandomRun): string {
  const count = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([key, n]) => `${key} ${n}`)
      .join(', ');
  return (
    `${run.instructions} instructions, ${run.slices} slices, ${run.restarts} restarts, state ${run.hash.toString(16)}\n` +
    `  exits: ${count(run.exits)}\n  exceptions by vector: ${count(run.exceptions)}`
  );
}

for (const ring of [0, 3] as const) {
  const first = runRandomCode({ seed, ring, instructions, events: 'counted' });
  console.log(`ring ${ring}: ${report(first)}`);
  const second = runRandomCode({ seed, ring, instructions });
  for (const run of [first, second]) {
    if (run.damage === null) continue;
    console.error(`ring ${ring}: ${run.damage}`);
    process.exitCode = 1;
  }
  if (first.hash !== second.hash) {
    console.error(`ring ${ring}: the same seed gave states ${first.hash} and ${second.hash}`);
    process.exitCode = 1;
  }
}
