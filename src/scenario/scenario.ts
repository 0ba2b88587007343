/**
 * A scenario: one small declarative file that says which machine, which programs, which seed, what to look at and
 * what must come out (system.md §3). This reads it out of JSON text, settles defaults, and lays changes from the command line
 * over it before it is checked, so that a change obeys the same rules as the file.
 */
import type { CostModel } from '../../emu/arch/cost.ts';
import type { IoProtectionMode } from '../../emu/arch/dma.ts';
import type { EngineName } from '../../emu/arch/engine.ts';
import type { TlbGeometry } from '../../emu/mem/index.ts';
import { HostError } from './host-error.ts';
import { checkDisks, type ScenarioDisk, settleDisk } from './scenario-disks.ts';
import { type PICTURE_SECTIONS, type ScenarioFile, type ScenarioPolicy, scenarioSchema } from './schema.ts';
import { issueSentence } from './schema-errors.ts';

export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly look: string;
  readonly machine: {
    readonly cores: number;
    readonly engine: EngineName;
    readonly ramBytes: number;
    readonly quantumInstructions: number;
    readonly timeSliceCycles: number;
    readonly tlb: TlbGeometry;
    readonly speculation: 'on' | 'off';
    readonly costs: Partial<CostModel>;
    readonly disk: ScenarioDisk | null;
    readonly busMaster: ScenarioDisk | null;
    readonly ioProtection: IoProtectionMode;
  };
  readonly seed: number;
  readonly root: {
    readonly image: string;
    readonly args: readonly string[];
    readonly kind: 'plain' | 'driver';
  };
  readonly modules: readonly { readonly name: string; readonly image: string }[];
  readonly faults: ScenarioFaults;
  readonly policy: ScenarioPolicy;
  readonly poison: 'on' | 'off';
  readonly deferredUnmap: 'on' | 'off';
  readonly shootdownBy: 'interrupt' | 'tick';
  readonly limits: { readonly maxInstructions: number | null; readonly maxCycles: number | null };
  /** Moments at which the system is shown in the middle of the run. */
  readonly pictures: readonly Picture[];
  readonly checks: { readonly exit: number | null; readonly output: readonly string[] };
}

/** The fault switches that the scenario sets. */
export type ScenarioFaults = {
  readonly [name in keyof ScenarioFile['faults']]?: Exclude<ScenarioFile['faults'][name], undefined>;
};

export interface Picture {
  /** Name of the event after which the picture is taken, at its nth occurrence. */
  readonly after: string;
  readonly nth: number;
  readonly title: string;
  readonly show: readonly (typeof PICTURE_SECTIONS)[number][];
}

/** Changes by path, as `--set machine.cores=4` says them; a value is text and is read as the schema reads text. */
export interface Change {
  readonly path: string;
  readonly value: unknown;
}

/**
 * Reads a scenario file. `file` is what the sentence calls it.
 * @throws HostError for text that is no JSON (line and column) and for whatever the schema refuses (the key).
 */
export function parseScenario(text: string, file: string, changes: readonly Change[] = []): Scenario {
  return checkScenario(parseJson(text, file), file, changes);
}

/** The same for data that is already parsed (built-in scenarios, the page's editor). @throws HostError */
export function checkScenario(data: unknown, file: string, changes: readonly Change[] = []): Scenario {
  const input = changes.reduce((changed, change) => withChange(changed, change), data);
  const result = scenarioSchema.safeParse(input);
  if (!result.success) throw new HostError(`${file}: ${issueSentence(scenarioSchema, result.error, input)}`);
  checkTlb(result.data, file);
  checkDisks(result.data, file);
  checkFaults(result.data, file);
  return settle(result.data);
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const message = (error as Error).message;
    const position = Number(/position (\d+)/.exec(message)?.[1] ?? text.length);
    const before = text.slice(0, position).split('\n');
    const place = `line ${before.length}, column ${before.at(-1)!.length + 1}`;
    throw new HostError(`${file}: this is not JSON: something is wrong at ${place}`);
  }
}

/** A copy of `data` in which `change.path` (dotted) has the new value; objects on the way are made when missing. */
function withChange(data: unknown, change: Change): unknown {
  const [key, ...rest] = change.path.split('.');
  const base = typeof data === 'object' && data !== null && !Array.isArray(data) ? data : {};
  const old = (base as Record<string, unknown>)[key!];
  const value =
    rest.length === 0 ? change.value : withChange(old, { path: rest.join('.'), value: change.value });
  return { ...base, [key!]: value };
}

/** Geometry rules that concern two keys at once. */
function checkTlb(file: ScenarioFile, name: string): void {
  const { data, instruction } = file.machine.tlb;
  for (const [key, part] of [
    ['data', data],
    ['instruction', instruction],
  ] as const) {
    if (part === 'unified') continue;
    for (const [what, value] of [
      ['entries', part.entries],
      ['ways', part.ways],
    ] as const) {
      if ((value & (value - 1)) !== 0) {
        throw new HostError(`${name}: machine.tlb.${key}.${what} must be a power of two, not ${value}`);
      }
    }
    if (part.ways > part.entries) {
      throw new HostError(
        `${name}: machine.tlb.${key}.ways must be at most its entries (${part.entries}), not ${part.ways}`,
      );
    }
  }
}

function checkFaults({ machine, faults }: ScenarioFile, name: string): void {
  const core = faults.stallCore?.core ?? 0;
  if (core < machine.cores) return;
  throw new HostError(
    `${name}: faults.stallCore.core must be below the number of cores (${machine.cores}), not ${core}`,
  );
}

function settle(file: ScenarioFile): Scenario {
  const { machine, limits, checks } = file;
  const { data, instruction, replacement } = machine.tlb;
  return {
    name: file.name,
    title: file.title,
    look: file.look,
    machine: {
      cores: machine.cores,
      engine: machine.engine,
      ramBytes: machine.ram,
      quantumInstructions: machine.quantum,
      timeSliceCycles: machine.timeSlice,
      tlb: { data, instr: instruction === 'unified' ? null : instruction, replacement, seed: file.seed },
      speculation: machine.speculation,
      costs: withoutUndefined(machine.costs) as Partial<CostModel>,
      disk: settleDisk(machine.disk),
      busMaster: settleDisk(machine.busMaster),
      ioProtection: machine.ioProtection,
    },
    seed: file.seed,
    root: { image: file.root.image, args: file.root.args, kind: file.root.driver ? 'driver' : 'plain' },
    modules: file.modules.map((m) => (typeof m === 'string' ? { name: m, image: m } : m)),
    faults: withoutUndefined(file.faults) as ScenarioFaults,
    policy: file.policy,
    poison: file.poison,
    deferredUnmap: file.deferredUnmap,
    shootdownBy: file.shootdownBy,
    limits: { maxInstructions: limits.maxInstructions ?? null, maxCycles: limits.maxCycles ?? null },
    pictures: file.pictures,
    checks: { exit: checks.exit ?? null, output: checks.output },
  };
}

const withoutUndefined = (object: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
