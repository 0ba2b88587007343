/**
 * `tsx tools/compare/images-main.ts [image...]`: runs the bare-mode images here and on every reference that is installed,
 * and prints the lines that differ, with the reason where it is known.
 */
import { hasQemu, runHere, runOnQemu, runOnV86 } from './image-run.ts';
import { compareTranscripts, DEVIATIONS, IMAGES, type Reference, recordedTranscript } from './images.ts';

async function transcript(name: string, reference: Reference): Promise<{ text: string; source: string }> {
  if (reference === 'v86') return { text: await runOnV86(name), source: 'v86' };
  if (hasQemu()) return { text: runOnQemu(name), source: 'QEMU' };
  return { text: recordedTranscript(name), source: 'recorded QEMU (not installed here)' };
}

const wanted = process.argv.slice(2);
let failures = 0;
for (const { name, references } of IMAGES.filter(
  (image) => wanted.length === 0 || wanted.includes(image.name),
)) {
  const here = runHere(name);
  for (const reference of references) {
    const { text, source } = await transcript(name, reference);
    const { unexplained, unused, lines } = compareTranscripts(name, reference, here, text);
    const known = DEVIATIONS.filter(
      (d) => d.image === name && d.reference === reference && !unused.includes(d),
    );
    console.log(
      `${name}: ${lines} lines, ${source}: ${unexplained.length} differ, ${known.length} explained`,
    );
    for (const { line, reason } of known) console.log(`  ${line}: ${reason}`);
    for (const text of unexplained) console.log(text);
    for (const { line } of unused) console.log(`  listed but equal: ${line}`);
    failures += unexplained.length + unused.length;
  }
}
process.exit(failures > 0 ? 1 : 0);
