/** Entry point of `physmem`. A bug of ours is told as such, with its stack and exit code 70. */
import packageJson from '../../package.json' with { type: 'json' };
import { ExitCode } from './exit-code.ts';
import { nodeIo } from './node-io.ts';
import { runProgram } from './program.ts';

try {
  process.exitCode = await runProgram(process.argv.slice(2), nodeIo(), packageJson.version);
} catch (error) {
  process.stderr.write(
    `physmem: this is a bug of physmem, please report it:\n${(error as Error).stack ?? error}\n`,
  );
  process.exitCode = ExitCode.INTERNAL;
}
