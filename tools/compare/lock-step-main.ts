/**
 * `tsx tools/compare/lock-step-main.ts [instructions] [seed]`: the interpreter and libunicorn in lock-step; default 10^5
 * instructions. Prints the first divergence.
 */
import { runLockStep } from './lock-step.ts';
import { unicornMissing } from './unicorn.ts';

const instructions = Number(process.argv[2] ?? 1e5);
const seed = Number(process.argv[3] ?? 1);
if (!(instructions > 0) || !Number.isInteger(seed)) {
  console.error('usage: lock-step-main.ts [instructions] [seed]');
  process.exit(2);
}
const missing = unicornMissing();
if (missing !== null) {
  console.error(`lock-step: cannot run here: ${missing}`);
  process.exit(2);
}
const result = runLockStep(instructions, seed);
console.log(`${result.instructions} instructions in ${result.programs} programs`);
if (result.divergence !== null) {
  console.log(result.divergence);
  process.exitCode = 1;
}
