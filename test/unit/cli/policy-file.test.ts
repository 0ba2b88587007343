/** Policies from files: what can be loaded, what is refused with which sentence, and that none can hang the program. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadPolicy } from '../../../src/cli/policy-file.ts';
import type { PolicyView } from '../../../src/physmem/compact/policy.ts';
import { HostError } from '../../../src/scenario/host-error.ts';

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../fixtures/policies/${name}`, import.meta.url));
const VIEW = {} as PolicyView;
const GOAL = { zone: 1, order: 10 };

describe('a policy in a file', () => {
  it('may be TypeScript, or a function that makes the policy', async () => {
    const typed = await loadPolicy(fixture('typed.ts'));
    expect(typed.name).toBe('least');
    expect(typed.onShortage(VIEW, GOAL)).toBe('compact');
    const made = await loadPolicy(fixture('throwing.mjs'));
    expect(() => made.onShortage(VIEW, GOAL)).toThrow('not today');
  });

  it('that never ends is ended', async () => {
    const policy = await loadPolicy(fixture('endless.mjs'));
    expect(() => policy.choose(VIEW, GOAL)).toThrow('one call took longer than 2 s');
  });

  it.each([
    ['half.mjs', /has no function background/],
    ['broken.mjs', /cannot be loaded: /],
    ['missing.mjs', /cannot be loaded: /],
  ])('is refused when it is none: %s', async (name, sentence) => {
    const refusal = await loadPolicy(fixture(name)).then(
      () => null,
      (error: unknown) => error,
    );
    expect(refusal).toBeInstanceOf(HostError);
    expect((refusal as HostError).message).toMatch(sentence);
  });
});
