/** docs/benchmarks.md names every experiment and every variant, and its table of costs is the one that is used. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DEFAULT_COSTS } from '../../../emu/arch/cost.ts';
import { EXPERIMENTS } from '../../../src/experiments/all.ts';
import { COST_GROUPS } from '../../../src/experiments/cost-settings.ts';

const page = readFileSync(new URL('../../../docs/benchmarks.md', import.meta.url), 'utf8');

describe('docs/benchmarks.md', () => {
  it.each(EXPERIMENTS.map(({ name }) => name))('has a section on %s', (name) => {
    expect(page).toMatch(new RegExp(`^## .*\`${name}\``, 'm'));
  });

  it('has every cost with its value, in the group in which it is scaled', () => {
    const rows = [...page.matchAll(/^\| `(\w+)` \| ([\d,]+) \|([^|]*)\|/gm)];
    const told = Object.fromEntries(rows.map(([, key, value]) => [key!, Number(value!.replaceAll(',', ''))]));
    expect(told).toEqual(DEFAULT_COSTS);
    for (const [, key, , group] of rows) {
      const actual = Object.entries(COST_GROUPS).find(([, keys]) =>
        (keys as readonly string[]).includes(key!),
      );
      expect(group!.trim(), key).toBe(actual?.[0] ?? '');
    }
  });

  it('shows pictures that are there', () => {
    for (const [, path] of page.matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)) {
      const svg = readFileSync(new URL(`../../../docs/${path}`, import.meta.url), 'utf8');
      expect(svg.startsWith('<svg')).toBe(true);
    }
  });
});
