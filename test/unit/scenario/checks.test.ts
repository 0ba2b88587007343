import { describe, expect, it } from 'vitest';
import { evaluateChecks } from '../../../src/scenario/checks.ts';

describe('checks', () => {
  it('pass when exit status and output are as asked', () => {
    const results = evaluateChecks(
      { exit: 0, output: ['90 + 10'] },
      { exitStatus: 0, output: 'a\n90 + 10\n' },
    );
    expect(results).toEqual([
      { check: 'exit 0', result: 'passed', found: '' },
      { check: "output contains '90 + 10'", result: 'passed', found: '' },
    ]);
  });

  it('fail with what was found instead', () => {
    const results = evaluateChecks({ exit: 0, output: ['x'] }, { exitStatus: 3, output: '' });
    expect(results.map((r) => `${r.result}: ${r.found}`)).toEqual([
      'failed: exit 3',
      'failed: it is not there',
    ]);
    expect(evaluateChecks({ exit: 0, output: [] }, { exitStatus: null, output: '' })[0]?.found).toBe(
      'no exit',
    );
  });

  it('are none when the scenario asks for nothing', () => {
    expect(evaluateChecks({ exit: null, output: [] }, { exitStatus: 9, output: '' })).toEqual([]);
  });
});
