/**
 * Counts the steps of the server: how often each block of code of src/physmem ran, as V8's precise coverage tells it.
 * The same on every host and run, so that a test can say "linear" without a clock. Import it first: V8 counts blocks of
 * functions that are compiled after the start.
 */
import { Session } from 'node:inspector';

interface Coverage {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly { readonly ranges: readonly { readonly count: number }[] }[];
  }[];
}

const session = new Session();
session.connect();

function post(method: string, params = {}): unknown {
  let answer: unknown;
  session.post(method, params, (error, result) => {
    if (error !== null) throw error;
    answer = result;
  });
  return answer;
}

post('Profiler.enable');
post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });

/** Blocks of src/physmem, its checker left out, that ran since the last time; counting begins anew. */
function take(): number {
  const { result } = post('Profiler.takePreciseCoverage') as Coverage;
  let steps = 0;
  for (const { url, functions } of result) {
    if (!/src\/physmem\/[^/]+\.ts/.test(url)) continue;
    for (const { ranges } of functions) for (const { count } of ranges) steps += count;
  }
  return steps;
}

/** Steps that `work` takes. */
export function countSteps(work: () => void): number {
  take();
  work();
  return take();
}
