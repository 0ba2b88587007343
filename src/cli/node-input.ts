/**
 * Standard input of the real process. A terminal is read key by key (raw mode), where Ctrl-C is a byte that is taken out here;
 * a pipe or a file is read to its end. A socket, which is what Node gives a child and forgets to close, counts as none.
 * Nothing is touched before it is asked for, so that a run that wants no input leaves the stream to others.
 */
import { fstatSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { Input } from './io.ts';

const CTRL_C = 0x03;
/** Host time after which somebody who waits for the end of a pipe is told. */
const WAITING_MS = 1000;

function kindOfInput(): Input['kind'] {
  if (isatty(0)) return 'terminal';
  try {
    const stat = fstatSync(0);
    return stat.isFIFO() || stat.isFile() ? 'pipe' : 'none';
  } catch {
    return 'none';
  }
}

/** `interrupt` is called when Ctrl-C is typed while keys are listened to. */
export function nodeInput(interrupt: () => void): Input {
  return {
    kind: kindOfInput(),
    readAll: async (onWaiting) => {
      const timer = setTimeout(onWaiting, WAITING_MS);
      const chunks: Uint8Array[] = [];
      try {
        for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array);
      } finally {
        clearTimeout(timer);
      }
      return new Uint8Array(Buffer.concat(chunks));
    },
    onKeys: (listener) => {
      const { stdin } = process;
      const take = (chunk: Buffer): void => {
        const bytes = new Uint8Array(chunk).filter((byte) => byte !== CTRL_C);
        if (bytes.length > 0) listener(bytes);
        if (bytes.length < chunk.length) interrupt();
      };
      stdin.setRawMode(true);
      stdin.on('data', take);
      stdin.resume();
      return () => {
        stdin.off('data', take);
        stdin.pause();
        stdin.setRawMode(false);
      };
    },
  };
}
