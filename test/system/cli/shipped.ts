/** The shipped guest programs as files of a fake Io, so that commands run in this process. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runProgram } from '../../../src/cli/program.ts';
import { type FakeIo, type FakeIoOptions, fakeIo } from '../../unit/cli/fake-io.ts';

const BIN = fileURLToPath(new URL('../../../guest/bin/', import.meta.url));

export const shippedImage = (name: string): Uint8Array => new Uint8Array(readFileSync(`${BIN}${name}.elf`));

const images = Object.fromEntries(
  readdirSync(BIN)
    .filter((file) => file.endsWith('.elf'))
    .map((file) => [file.slice(0, -4), shippedImage(file.slice(0, -4))]),
);

export interface CommandResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly io: FakeIo;
}

/** Runs one command line with the shipped programs and `options.files`. */
export async function physmem(argv: readonly string[], options: FakeIoOptions = {}): Promise<CommandResult> {
  const io = fakeIo({ ...options, shipped: images });
  const code = await runProgram(argv, io, '0');
  return { code, out: io.stdout(), err: io.stderr(), io };
}
