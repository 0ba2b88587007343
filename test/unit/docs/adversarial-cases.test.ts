/** docs/adversarial-cases.md names a test for every case, or says why there is none; the tests that it names exist. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
const DOC = read('docs/adversarial-cases.md');
const rows = [...DOC.matchAll(/^\| ([FB]\d+) \| (.+) \|$/gm)].map(([, id, text]) => ({
  id: id!,
  text: text!,
}));
const DEFECTS = 'test/unit/physmem/original-defects.test.ts';

/** Pairs of file and test name in a row. */
function testsOf(id: string, text: string): { file: string; name: string }[] {
  if (id.startsWith('B'))
    return [...text.matchAll(/"([^"]+)"/g)].map(([, name]) => ({ file: DEFECTS, name: name! }));
  return [...text.matchAll(/`(test\/[^`]+)` "([^"]+)"/g)].map(([, file, name]) => ({
    file: file!,
    name: name!,
  }));
}

describe('the table of adversarial cases', () => {
  it('has one row for each of F1 to F44 and B1 to B18', () => {
    const wanted = [
      ...Array.from({ length: 44 }, (_, i) => `F${i + 1}`),
      ...Array.from({ length: 18 }, (_, i) => `B${i + 1}`),
    ];
    expect(rows.map(({ id }) => id)).toEqual(wanted);
  });

  it.each(rows.map(({ id, text }) => [id, text] as const))(
    '%s: names tests that exist, or says why there is none',
    (id, text) => {
      const tests = testsOf(id, text);
      if (text.includes('does not apply')) expect(tests).toEqual([]);
      else expect(tests.length).toBeGreaterThan(0);
      for (const { file, name } of tests) expect(read(file)).toContain(name);
    },
  );
});
