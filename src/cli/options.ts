/** Options that several commands have, and how their values are read: each refusal names the option. */
import { type Command, Option } from 'commander';
import { MAX_CORES, MAX_RAM, MIN_RAM } from '../../emu/arch/address-map.ts';
import { DEFAULT_ENGINE, ENGINE_NAMES, type EngineName } from '../../emu/arch/engine.ts';
import { HostError, quoted } from '../scenario/host-error.ts';
import { suggestion } from '../scenario/nearest-word.ts';
import { type QuantityRange, readQuantity } from '../scenario/quantity.ts';
import type { Change } from '../scenario/scenario.ts';

const CORES: QuantityRange = { min: 1, max: MAX_CORES, form: 'count' };
const RAM: QuantityRange = { min: MIN_RAM, max: MAX_RAM, multipleOf: 4096, form: 'size' };
const SEED: QuantityRange = { min: 0, max: 0xffffffff, form: 'count' };
const LIMIT: QuantityRange = { min: 1, max: Number.MAX_SAFE_INTEGER, form: 'count' };

const quantity = (flag: string, range: QuantityRange) => (text: string) => {
  const result = readQuantity(text, range);
  if (typeof result === 'string') throw new HostError(`${flag} ${result}`);
  return result;
};

/** A whole number in a range. */
export const count = (flag: string, min: number, max: number) => quantity(flag, { min, max, form: 'count' });

/** A value out of a closed list of words. */
export const word = (flag: string, words: readonly string[]) => (text: string) => {
  if (words.includes(text)) return text;
  throw new HostError(`${flag} cannot be ${quoted(text)}${suggestion(text, words)}`);
};

/** `KEY=VALUE`, as often as one likes. */
function collectChange(text: string, before: readonly Change[] = []): readonly Change[] {
  const at = text.indexOf('=');
  if (at <= 0)
    throw new HostError(`--set must be KEY=VALUE, as in --set machine.cores=4, not ${quoted(text)}`);
  return [...before, { path: text.slice(0, at).trim(), value: text.slice(at + 1).trim() }];
}

const collect = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

export interface MachineOptions {
  readonly cores?: number;
  readonly ram?: number;
  readonly seed?: number;
  readonly maxInstructions?: number;
  readonly maxCycles?: number;
  readonly engine?: EngineName;
}

export interface OutputOptions {
  readonly json?: true;
  readonly quiet?: true;
  /** Commander's `--no-color` sets it to false. */
  readonly color: boolean;
}

export interface ScenarioOptions extends MachineOptions {
  readonly set?: readonly Change[];
  readonly policy?: string;
  readonly module?: readonly string[];
}

const ENGINE_CHOICE = ENGINE_NAMES.map((name) => (name === DEFAULT_ENGINE ? `${name} (default)` : name)).join(
  ', ',
);

export function addMachineOptions(command: Command): Command {
  return command
    .addOption(new Option('--cores <n>', 'number of cores, 1 to 16').argParser(quantity('--cores', CORES)))
    .addOption(new Option('--ram <size>', 'RAM: 32M, 1G, 0x800000').argParser(quantity('--ram', RAM)))
    .addOption(new Option('--seed <n>', 'seed of the interleaving').argParser(quantity('--seed', SEED)))
    .addOption(
      new Option('--engine <name>', `what runs the code: ${ENGINE_CHOICE}`).argParser(
        word('--engine', ENGINE_NAMES),
      ),
    )
    .addOption(
      new Option('--max-instructions <n>', 'stop after so many instructions of all cores').argParser(
        quantity('--max-instructions', LIMIT),
      ),
    )
    .addOption(
      new Option('--max-cycles <n>', 'stop after so many emulated cycles').argParser(
        quantity('--max-cycles', LIMIT),
      ),
    );
}

export function addScenarioOptions(command: Command): Command {
  return addMachineOptions(command)
    .addOption(
      new Option('--set <key=value>', 'change any key of the scenario; may be repeated').argParser(
        collectChange,
      ),
    )
    .option(
      '--policy <name|file>',
      'how large blocks are kept free: none, on-demand, background, or a .js or .ts',
    )
    .addOption(
      new Option('--module <[name=]file>', 'give the guest a boot module; may be repeated').argParser(
        collect,
      ),
    );
}

export function addOutputOptions(command: Command): Command {
  return command
    .option('--json', 'one JSON object on standard output when the run ends, nothing else')
    .option('--quiet', "only the guests' own output")
    .option('--no-color', 'no colours (NO_COLOR in the environment does the same)');
}

/** The options as changes of a scenario, `--set` last so that it wins. */
export function changesOf(options: ScenarioOptions): Change[] {
  const named: [string, unknown][] = [
    ['machine.cores', options.cores],
    ['machine.ram', options.ram],
    ['machine.engine', options.engine],
    ['seed', options.seed],
    ['policy', options.policy],
    ['limits.maxInstructions', options.maxInstructions],
    ['limits.maxCycles', options.maxCycles],
  ];
  const given = named.filter(([, value]) => value !== undefined).map(([path, value]) => ({ path, value }));
  return [...given, ...(options.set ?? [])];
}
