import { HostError } from '../scenario/host-error.ts';
import type { Io } from './io.ts';
import type { ScenarioOptions } from './options.ts';

export const TRACE_FORMATS = ['jsonl', 'perfetto', 'text'] as const;
export interface TraceOptions extends ScenarioOptions {
  readonly out?: string;
  readonly format: string;
  readonly filter?: string;
}
export async function traceCommand(
  _t: string,
  _a: readonly string[],
  _o: TraceOptions,
  _io: Io,
): Promise<number> {
  throw new HostError('the system is not wired yet');
}
