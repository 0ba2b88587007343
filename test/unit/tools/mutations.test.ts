/** The mutations of `npm run mutate` are texts of the sources; the sources change. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { AREAS } from '../../../tools/mutate/areas.ts';

const ROOT = new URL('../../../', import.meta.url);

describe('mutations', () => {
  it('each break something that stands exactly once in its file', () => {
    const stale = AREAS.flatMap(({ folder, mutations }) =>
      mutations.flatMap(({ name, file, find, put }) => {
        const times = readFileSync(new URL(`${folder}/${file}`, ROOT), 'utf8').split(find).length - 1;
        return times === 1 && put !== find ? [] : [`${name}: ${file} has it ${times} times`];
      }),
    );
    expect(stale).toEqual([]);
  });

  it('have names of their own', () => {
    const names = AREAS.flatMap(({ mutations }) => mutations.map(({ name }) => name));
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThan(200);
  });
});
