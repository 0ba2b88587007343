import { HostError } from '../scenario/host-error.ts';
import type { Io } from './io.ts';
import type { OutputOptions, ScenarioOptions } from './options.ts';

export interface RunOptions extends ScenarioOptions, OutputOptions {
  readonly trace?: string;
  readonly save?: string;
  readonly restore?: string;
}
export async function runCommand(
  _t: string,
  _a: readonly string[],
  _o: RunOptions,
  _io: Io,
): Promise<number> {
  throw new HostError('the system is not wired yet');
}
