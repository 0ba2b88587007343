/**
 * `tsx tools/vectors/check.ts [group...]`: runs the recorded vectors on the interpreter and prints what differs, by form,
 * with the first differing cases in full. `--forms` prints the index of the forms that are covered instead.
 */
import { parseArgs } from 'node:util';
import { coverage, NOT_COVERED } from './coverage.ts';
import { describeVector, EngineWorld } from './engine-world.ts';
import { openVectors, vectorGroups } from './vector-data.ts';
import { readForms, readVectors } from './vector-file.ts';

const SHOWN_PER_FORM = 2;

function checkGroup(world: EngineWorld, group: string): number {
  const failed = new Map<string, number>();
  let vectors = 0;
  for (const vector of readVectors(openVectors(group))) {
    vectors++;
    const differences = world.check(vector);
    if (differences.length === 0) continue;
    const key = `${vector.form.name} (${vector.form.codeBits}-bit code)`;
    const count = (failed.get(key) ?? 0) + 1;
    failed.set(key, count);
    if (count <= SHOWN_PER_FORM) console.log(`${describeVector(vector)}\n  ${differences.join('; ')}`);
  }
  for (const [form, count] of failed) console.log(`${count} differ: ${form}`);
  const failures = [...failed.values()].reduce((sum, n) => sum + n, 0);
  console.log(`${group}: ${vectors} vectors, ${failures} differ`);
  return failures;
}

function printForms(groups: readonly string[]): void {
  const forms = groups.flatMap((group) => readForms(openVectors(group)));
  for (const form of forms) {
    console.log(
      `${form.opcode.padEnd(10)} ${String(form.codeBits).padEnd(3)} ${String(form.count).padStart(5)}  ${form.name}`,
    );
  }
  const { missing, perOpcode } = coverage(forms);
  const total = forms.reduce((sum, form) => sum + form.count, 0);
  console.log(
    `${total} vectors, ${forms.length} forms, ${perOpcode.size} opcodes; missing: ${missing.join(', ') || 'none'}`,
  );
  for (const [opcode, reason] of Object.entries(NOT_COVERED))
    console.log(`${opcode.padEnd(10)} not covered: ${reason}`);
}

const { values, positionals } = parseArgs({
  options: { forms: { type: 'boolean' } },
  allowPositionals: true,
});
const groups = positionals.length > 0 ? positionals : vectorGroups();
if (values.forms) {
  printForms(groups);
} else {
  const world = new EngineWorld();
  const failures = groups.reduce((sum, group) => sum + checkGroup(world, group), 0);
  process.exitCode = failures > 0 ? 1 : 0;
}
