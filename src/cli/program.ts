/**
 * The commands, their options and their help, by commander. Whatever is wrong on the command line ends in one sentence on
 * standard error and exit code 2, before anything has started.
 */
import { Command, CommanderError, Option } from 'commander';
import { EXPERIMENT_NAMES } from '../experiments/all.ts';
import { HostError } from '../scenario/host-error.ts';
import { type BareOptions, bareCommand } from './bare-command.ts';
import { type BenchOptions, benchCommand } from './bench-command.ts';
import { ExitCode } from './exit-code.ts';
import { type ExploreCommandOptions, exploreCommand, JUDGES, SEARCHES } from './explore-command.ts';
import type { Io } from './io.ts';
import { listCommand } from './list-command.ts';
import { addMachineOptions, addOutputOptions, addScenarioOptions, count, word } from './options.ts';
import { type RunOptions, runCommand } from './run-command.ts';
import { type TraceOptions, traceCommand } from './trace-command.ts';
import { TRACE_FORMATS } from './trace-files.ts';

const ABOUT =
  'physmem is the physical memory server of the Hurd on L4, running on an emulated x86 multi-core machine.';

const EXAMPLES = `
Examples:
  physmem run story                     the seed's story, frame map, counters
  physmem run story --cores 4 --seed 7  another machine, another interleaving
  physmem run my.elf one two            your own static ELF32 i386 program
  physmem run story --set faults.skipShootdown=on
  physmem trace story --filter tlb,physmem --format text
  physmem explore stale --set faults.dontWaitForAcks=on
  physmem bench memory --quick          experiments of papers done again
  physmem bare kernel.elf --cores 2     a multiboot kernel on the bare machine

Sizes: 4096, 4K, 16M, 1G, 0x1000; k and K both mean 1024.

Exit codes: the guest's status; 1 a check failed, 2 bad input (one sentence
says what), 3 a limit was reached, 4 the machine cannot go on, 130 Ctrl-C.`;

/** Runs one command line (without node and script). Returns the exit code; never throws for a person's mistake. */
export async function runProgram(argv: readonly string[], io: Io, version: string): Promise<number> {
  let code: number = ExitCode.OK;
  const program = buildProgram(io, version, (result) => {
    code = result;
  });
  try {
    if (argv.length === 0) program.outputHelp();
    else await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof HostError) return refuse(error.message, io);
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? ExitCode.OK : refuse(commanderSentence(error.message), io);
  }
}

function refuse(sentence: string, io: Io): number {
  io.err(`physmem: ${sentence}\n`);
  return ExitCode.BAD_INPUT;
}

/** `error: unknown option '--coers'\n(Did you mean --cores?)` becomes one sentence. */
function commanderSentence(message: string): string {
  const text = message
    .replace(/^error: /, '')
    .replace(/\s*\n\(Did you mean (.*)\?\)$/, "; did you mean '$1'?");
  const oneLine = text
    .replace(/\.?\s*\n\s*/g, '; ')
    .replace('. Expected', ': expected')
    .trim();
  return /[.?]$/.test(oneLine) ? oneLine : `${oneLine}.`;
}

function buildProgram(io: Io, version: string, finish: (code: number) => void): Command {
  const program = new Command('physmem');
  program
    .description(ABOUT)
    .version(version, '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .helpCommand(false)
    .addHelpText('after', EXAMPLES)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out(text),
      writeErr: () => {},
      outputError: () => {},
      getOutHelpWidth: () => Math.min(io.terminal.columns, 100),
    });
  addRun(program, io, finish);
  addBare(program, io, finish);
  addTrace(program, io, finish);
  addExplore(program, io, finish);
  addBench(program, io, finish);
  program
    .command('list')
    .description('list the shipped scenarios')
    .option('--json', 'as a JSON array with what to look at')
    .action((options: { json?: true }) => finish(listCommand(options, io)));
  return program;
}

function addRun(program: Command, io: Io, finish: (code: number) => void): void {
  const command = program
    .command('run')
    .summary('run a scenario or your own program')
    .description('Run a shipped scenario, a scenario file, or a static ELF32 i386 program as the root task.')
    .argument('<scenario|elf>', 'name of a scenario (see physmem list), or a file')
    .argument('[args...]', 'arguments of the root task; after -- they may begin with a dash')
    .option('--trace <file>', 'record every event: Perfetto for .json, text for .txt, else JSON lines')
    .option('--save <file>', 'save the state of the whole system when the run ends')
    .option('--restore <file>', 'begin with a saved state of the same scenario instead of the reset')
    .option('--schedule <file>', 'the interleaving that physmem explore found');
  addOutputOptions(addScenarioOptions(command)).action(
    async (target: string, args: string[], options: RunOptions) =>
      finish(await runCommand(target, args, options, io)),
  );
}

function addBare(program: Command, io: Io, finish: (code: number) => void): void {
  const command = program
    .command('bare')
    .summary('run a multiboot image without kernel')
    .description(
      'Run a multiboot 1 image (ELF32 or flat with address fields) on the bare machine: serial line and port 0xE9 come ' +
        'to standard output, a write of v to port 0xF4 ends with exit code (v << 1) | 1. A pipe or file on standard input ' +
        'is read to its end and feeds the serial line; on a terminal keys go there as they are typed.',
    )
    .argument('<image>', 'the image')
    .option('--cmdline <text>', 'command line that the image finds in its boot information')
    .addOption(
      new Option('--module <file>', 'boot module; may be repeated').argParser(
        (file: string, before: string[] = []) => [...before, file],
      ),
    )
    .option('--disk0 <file>', 'contents of the first IDE disk; what the guest writes stays in memory')
    .option('--disk1 <file>', 'contents of the second IDE disk')
    .option('--save-disk0 <file>', 'write the first disk as it is when the run ends')
    .option('--save-disk1 <file>', 'write the second disk as it is when the run ends')
    .option('--dma-disk <file>', 'contents of a disk on channel 3 of the 8237')
    .option('--bus-master <file>', 'contents of a disk that is its own bus master')
    .option('--input <file>', 'feed the serial line from a file, - for standard input up to its end')
    .option('--no-input', 'leave the serial line without input')
    .option('--trace <file>', 'record every event: Perfetto for .json, text for .txt, else JSON lines');
  addOutputOptions(addMachineOptions(command)).action(async (image: string, options: BareOptions) =>
    finish(await bareCommand(image, options, io)),
  );
}

function addTrace(program: Command, io: Io, finish: (code: number) => void): void {
  const command = program
    .command('trace')
    .summary('record the events of a run')
    .description('Run a scenario or program and write every event of it.')
    .argument('<scenario|elf>', 'as for run')
    .argument('[args...]', 'arguments of the root task')
    .option('--out <file>', 'where to write; standard output when left out')
    .addOption(
      new Option('--format <format>', `${TRACE_FORMATS.join(', ')}`)
        .default('jsonl')
        .argParser(word('--format', TRACE_FORMATS)),
    )
    .option('--filter <groups>', 'only these groups or events, with commas: tlb,physmem,irq:ipi_send');
  command.option('--schedule <file>', 'the interleaving that physmem explore found');
  addScenarioOptions(command).action(async (target: string, args: string[], options: TraceOptions) =>
    finish(await traceCommand(target, args, options, io)),
  );
}

function addExplore(program: Command, io: Io, finish: (code: number) => void): void {
  const number = (flag: string, text: string, max: number) =>
    new Option(`${flag} <n>`, text).argParser(count(flag, 1, max));
  const choice = (flag: string, text: string, words: readonly string[]) =>
    new Option(`${flag} <word>`, `${text}: ${words.join(', ')}`)
      .default(words[0])
      .argParser(word(flag, words));
  const command = program
    .command('explore')
    .summary('look for what breaks a scenario')
    .description(
      'Run a scenario under many interleavings of its cores until a check of the scenario or a rule of the whole-state ' +
        'checker fails, and show the shortest one found. With --deaths, kill each task at each entry of the kernel instead.',
    )
    .argument('<scenario>', 'name of a scenario, or a file, as for run')
    .argument('[args...]', 'arguments of the root task')
    .addOption(number('--runs', 'runs in all', 1_000_000).default(200))
    .addOption(number('--depth', 'holds of one schedule at most', 8).default(2))
    .addOption(choice('--search', 'which schedules', SEARCHES))
    .addOption(choice('--judge', 'what counts as broken', JUDGES))
    .option('--out <file>', 'where to write the failing schedule, for run --schedule')
    .option('--deaths', 'kill tasks instead of changing the interleaving')
    .addOption(number('--task', 'with --deaths: only this task', 1_000_000))
    .addOption(number('--stride', 'with --deaths: every so many entries', 1_000_000).default(1))
    .option('--json', 'one JSON object on standard output, nothing else');
  addScenarioOptions(command).action(async (target: string, args: string[], options: ExploreCommandOptions) =>
    finish(await exploreCommand(target, args, options, io)),
  );
}

function addBench(program: Command, io: Io, finish: (code: number) => void): void {
  program
    .command('bench')
    .summary('repeat experiments of the papers')
    .description(
      'Do experiments of the literature on moving memory and shootdowns again, over many seeds and cost models, and say ' +
        `where the shapes agree (docs/benchmarks.md). Experiments: ${EXPERIMENT_NAMES.join(', ')}.`,
    )
    .argument('<suite>', 'memory')
    .option('--quick', 'less memory, 3 seeds, 1 for each other cost model: at most a minute on two cores')
    .addOption(
      new Option('--only <name>', 'one experiment; may be repeated').argParser(
        (name: string, before: string[] = []) => [...before, name],
      ),
    )
    .addOption(
      new Option('--seeds <n>', 'seeds for each variant (20; 3 with --quick)').argParser(
        count('--seeds', 1, 1000),
      ),
    )
    .addOption(
      new Option('--workers <n>', 'threads that run experiments; the figures do not depend on it').argParser(
        count('--workers', 1, 64),
      ),
    )
    .option('--json <file>', 'write all figures, each seed on its own')
    .option('--svg <folder>', 'write plots')
    .option('--no-color', 'no colours (NO_COLOR in the environment does the same)')
    .action(async (suite: string, options: BenchOptions) => finish(await benchCommand(suite, options, io)));
}
