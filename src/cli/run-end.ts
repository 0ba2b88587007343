/** How a run ended, in words and as exit code: the same rules for `run`, `trace` and `bare`. */
import { EXCEPTION_NAMES } from '../../emu/arch/vectors.ts';
import type { StopReason as MachineStop } from '../../emu/stop-reason.ts';
import { hex32 } from '../observe/number-format.ts';
import { ExitCode } from './exit-code.ts';
import type { RunEnd } from './sliced-run.ts';

/** A system's `exit` and a bare machine's `exit-port` are the same thing here. */
type Stop = MachineStop | { readonly kind: 'exit'; readonly status: number };

export interface Outcome {
  readonly kind: 'exit' | 'shutdown' | 'reset' | 'idle' | 'limit' | 'interrupted';
  /** Status that the guest gave, else null. */
  readonly status: number | null;
  /** One sentence without the full stop. */
  readonly sentence: string;
  /** Exit code of this program. */
  readonly code: number;
}

/** Statuses above 255 keep their low byte in the exit code, and their value in `status`. */
export function outcomeOf(end: RunEnd<Stop>): Outcome {
  if (end.kind === 'limit') {
    return { kind: 'limit', status: null, sentence: end.sentence, code: ExitCode.LIMIT };
  }
  if (end.kind === 'interrupted') {
    return { kind: 'interrupted', status: null, sentence: 'stopped by Ctrl-C', code: ExitCode.INTERRUPTED };
  }
  const { stop } = end;
  switch (stop.kind) {
    case 'exit':
    case 'exit-port':
      return {
        kind: 'exit',
        status: stop.status,
        sentence: `exit status ${stop.status}`,
        code: stop.status & 0xff,
      };
    case 'shutdown': {
      const { vector, eip, cr2 } = stop.fault;
      const fault = `${EXCEPTION_NAMES[vector] ?? `vector ${vector}`} at ${hex32(eip)} (CR2 ${hex32(cr2)})`;
      return stopped('shutdown', `triple fault of core ${stop.core}; the last exception was ${fault}`);
    }
    case 'reset':
      return stopped('reset', 'the guest pulled the reset line');
    default:
      return stopped('idle', 'every core is halted and nothing can wake it');
  }
}

const stopped = (kind: 'shutdown' | 'reset' | 'idle', sentence: string): Outcome => ({
  kind,
  status: null,
  sentence,
  code: ExitCode.MACHINE_STOPPED,
});
