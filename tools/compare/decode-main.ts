/**
 * `tsx tools/compare/decode-main.ts [strings] [seed]`: our decoder against iced-x86; default 10^6 byte strings. Prints how
 * often each justified difference occurs and the first of the others.
 */
import { compareDecoders, JUSTIFIED } from './decode-compare.ts';

const strings = Number(process.argv[2] ?? 1e6);
const seed = Number(process.argv[3] ?? 1);
if (!(strings > 0) || !Number.isInteger(seed)) {
  console.error('usage: decode-main.ts [strings] [seed]');
  process.exit(2);
}
const result = compareDecoders(strings, seed, 20);
console.log(`${result.strings} strings, ${result.equal} equal`);
JUSTIFIED.forEach(({ reason }, i) => {
  console.log(`${String(result.justified[i]).padStart(8)}  ${reason}`);
});
console.log(`${String(result.unjustified).padStart(8)}  differ without justification`);
for (const text of result.differences) console.log(text);
process.exitCode = result.unjustified > 0 ? 1 : 0;
