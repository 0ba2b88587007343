/** The checks of a scenario against what came out of its run. */
import type { Scenario } from './scenario.ts';

export interface RunOutcome {
  /** Exit status of the root task; null when the run ended in another way. */
  readonly exitStatus: number | null;
  /** What the guests wrote to the console. */
  readonly output: string;
}

export interface CheckResult {
  /** What was asked: `exit 0`, `output contains '90 + 10'`. */
  readonly check: string;
  readonly result: 'passed' | 'failed';
  /** What came instead; empty when it passed. */
  readonly found: string;
}

/** One result for each check of the scenario, in the order of the file. */
export function evaluateChecks(checks: Scenario['checks'], outcome: RunOutcome): CheckResult[] {
  const results: CheckResult[] = [];
  const add = (check: string, passed: 'passed' | 'failed', found: string): void => {
    results.push({ check, result: passed, found: passed === 'passed' ? '' : found });
  };
  if (checks.exit !== null) {
    const found = outcome.exitStatus === null ? 'no exit' : `exit ${outcome.exitStatus}`;
    add(`exit ${checks.exit}`, outcome.exitStatus === checks.exit ? 'passed' : 'failed', found);
  }
  for (const text of checks.output) {
    const passed = outcome.output.includes(text) ? 'passed' : 'failed';
    add(`output contains '${text}'`, passed, 'it is not there');
  }
  return results;
}
