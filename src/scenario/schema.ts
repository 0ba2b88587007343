/**
 * The form of a scenario file (system.md §3), as a zod schema: unknown keys are refused, every value has limits and every
 * limit a sentence. What a key means is said at the key; how a refusal reads is in schema-errors.ts.
 */
import { z } from 'zod';
import { MAX_CORES, MAX_RAM, MIN_RAM } from '../../emu/arch/address-map.ts';
import { DEFAULT_COSTS } from '../../emu/arch/cost.ts';
import { DEFAULT_ENGINE, ENGINE_NAMES } from '../../emu/arch/engine.ts';
import { MACHINE_EVENTS } from '../../emu/arch/events.ts';
import { KERNEL_EVENTS, PHYSMEM_EVENTS } from '../abi/events.ts';
import {
  DEFAULT_POLICY_SPEC,
  POLICY_BATCH_MAX,
  POLICY_CHOOSERS,
  POLICY_MODES,
  POLICY_NAMES,
  type PolicySpec,
  parsePolicyName,
} from '../abi/policy-spec.ts';
import { suggestion } from './nearest-word.ts';
import { type QuantityRange, readQuantity, valueText } from './quantity.ts';

/** A number, or text with a unit; the refusal is the end of a sentence that begins with the key. */
const quantity = (range: QuantityRange) =>
  z.unknown().transform((value, context): number => {
    const result = readQuantity(value, range);
    if (typeof result === 'number') return result;
    context.addIssue({ code: 'custom', message: result });
    return z.NEVER;
  });
const count = (min: number, max: number = Number.MAX_SAFE_INTEGER) => quantity({ min, max, form: 'count' });

const text = (maxLength: number) =>
  z.unknown().transform((value, context): string => {
    if (typeof value === 'string' && value.length > 0 && value.length <= maxLength) return value;
    const found = typeof value === 'string' ? `one of ${value.length}` : valueText(value);
    context.addIssue({
      code: 'custom',
      message: `must be a text of 1 to ${maxLength} characters, not ${found}`,
    });
    return z.NEVER;
  });

const oneOf = <T extends string>(...words: readonly T[]) =>
  z.unknown().transform((value, context): T => {
    if (words.includes(value as T)) return value as T;
    context.addIssue({ code: 'custom', message: `must be ${words.join(' or ')}, not ${valueText(value)}` });
    return z.NEVER;
  });

/** `--set` gives words. */
const truth = z.unknown().transform((value, context): boolean => {
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  context.addIssue({ code: 'custom', message: `must be true or false, not ${valueText(value)}` });
  return z.NEVER;
});

const tlbPart = z.strictObject({
  /** Entries, a power of two. */
  entries: count(1, 65536),
  /** Ways of a set; `entries` ways make it fully associative. */
  ways: count(1, 65536),
});

const tlb = z.strictObject({
  data: tlbPart.prefault({ entries: 64, ways: 4 }),
  /** `unified`: instructions share the data part. */
  instruction: z.union([z.literal('unified'), tlbPart]).prefault({ entries: 32, ways: 4 }),
  replacement: oneOf('fifo', 'random', 'clock', 'lru').prefault('fifo'),
});

const costKeys = Object.keys(DEFAULT_COSTS) as (keyof typeof DEFAULT_COSTS)[];
const costs = z.strictObject(
  Object.fromEntries(
    costKeys.map((key) => [key, count(key === 'instruction' ? 1 : 0, 1_000_000).optional()]),
  ) as Record<keyof typeof DEFAULT_COSTS, z.ZodOptional<ReturnType<typeof count>>>,
);

/** The name of a guest program or of a file; the image source knows where its bytes are. */
const imageName = text(200);

/** A disk: the bytes of a file, or a size. Which keys go together is checked in scenario-disks.ts. */
const disk = {
  image: imageName.optional(),
  size: quantity({ min: 512, max: 2 ** 30, multipleOf: 512, form: 'size' }).optional(),
  /** What a disk with a size holds: zeroes, or in each 32-bit word its own number, so that a guest knows what to find. */
  fill: oneOf('zeroes', 'numbers').optional(),
  /** Cycles that a sector takes on the medium; without it `costs.diskSector`. */
  latency: count(0, 1_000_000_000).optional(),
};

const machine = z.strictObject({
  cores: count(1, MAX_CORES).prefault(2),
  /** What runs the instructions; it changes the speed and nothing else. */
  engine: oneOf(...ENGINE_NAMES).prefault(DEFAULT_ENGINE),
  ram: quantity({ min: MIN_RAM, max: MAX_RAM, multipleOf: 4096, form: 'size' }).prefault('32M'),
  /** Instructions that a core runs before the next one gets its turn (the interleaving's grain). */
  quantum: count(1, 1_000_000).prefault(1000),
  /** Cycles that a thread may run before the kernel's scheduler takes the next one. */
  timeSlice: count(1000, 1_000_000_000).prefault(50_000),
  tlb: tlb.prefault({}),
  /** Cores cache translations again unasked, as the manual lets them (src/speculation.ts). Slow; changes no result. */
  speculation: oneOf('on', 'off').prefault('off'),
  /** Changes to the published cost model (emu/arch/cost.ts), in cycles. */
  costs: costs.prefault({}),
  /** The disk on a channel of the 8237, and the one that is a bus master (docs/dma.md); none without the key. */
  disk: z.strictObject({ ...disk, channel: count(0, 7).optional() }).optional(),
  busMaster: z.strictObject(disk).optional(),
  /** Devices reach only the frames that are pinned for them; `report`: what they reach beside is told. */
  ioProtection: oneOf('on', 'report', 'off').prefault('report'),
});

/** What each one does is said in src/abi/fault-switches.ts. */
export const faults = z.strictObject({
  skipShootdown: oneOf('on', 'off').optional(),
  dontWaitForAcks: oneOf('on', 'off').optional(),
  /** Which shootdown IPI of the run, from 1. */
  loseIpi: count(1).optional(),
  /** Cycles. */
  delayIpi: count(1, 1_000_000_000).optional(),
  stallCore: z.strictObject({ core: count(0, MAX_CORES - 1), cycles: count(1, 1_000_000_000) }).optional(),
  /** Tasks are numbered from 1, which is the root task; steps are entries of the kernel, from 1. */
  killTaskAt: z.strictObject({ task: count(1), step: count(1) }).optional(),
  freeBeforeFlush: oneOf('on', 'off').optional(),
  skipZeroing: oneOf('on', 'off').optional(),
  ignorePins: oneOf('on', 'off').optional(),
  keepWriteAccess: oneOf('on', 'off').optional(),
  /** Which block that physmem takes, from 1. */
  failAllocation: count(1).optional(),
  /** The condition of deferred unmap that does not hold. */
  deferUnsafe: oneOf('reused', 'written', 'writable', 'unbounded', 'revoked').optional(),
});

const argument = z
  .string({ error: (issue) => `must be a text, not ${valueText(issue.input)}` })
  .max(200, { error: 'must be a text of at most 200 characters' });

const module = z.union([
  imageName,
  z.strictObject({
    /** What the guest sees it as: at most 39 characters. */
    name: text(39),
    image: imageName,
  }),
]);

/** Where memory is moved by: a shipped policy, or a JavaScript or TypeScript file. */
export type ScenarioPolicy =
  | { readonly kind: 'shipped'; readonly spec: PolicySpec }
  | { readonly kind: 'file'; readonly path: string };

const POLICY_FILE = /\.(js|mjs|ts|mts)$/;

/** A short name or a file. */
const policyText = z
  .string({ error: (issue) => `must be the name of a policy or a file, not ${valueText(issue.input)}` })
  .transform((name, context): ScenarioPolicy => {
    const spec = parsePolicyName(name);
    if (spec !== null) return { kind: 'shipped', spec };
    if (POLICY_FILE.test(name)) return { kind: 'file', path: name };
    const hint = suggestion(name, POLICY_NAMES);
    const message = `must be the name of a policy or a file that ends with .js, .mjs or .ts, not ${valueText(name)}${hint}`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

/** When memory is moved to make large blocks, and which (src/abi/policy-spec.ts). */
const policy = z.union([
  policyText,
  z
    .strictObject({
      mode: oneOf(...POLICY_MODES).prefault(DEFAULT_POLICY_SPEC.mode),
      chooser: oneOf(...POLICY_CHOOSERS).prefault(DEFAULT_POLICY_SPEC.chooser),
      grouping: oneOf('on', 'off').prefault(DEFAULT_POLICY_SPEC.grouping),
      batch: count(1, POLICY_BATCH_MAX).prefault(DEFAULT_POLICY_SPEC.batch),
      order: count(1, 10).prefault(DEFAULT_POLICY_SPEC.order),
      low: count(0, 100).prefault(DEFAULT_POLICY_SPEC.low),
      high: count(0, 100).prefault(DEFAULT_POLICY_SPEC.high),
    })
    .transform((spec): ScenarioPolicy => ({ kind: 'shipped', spec })),
]);

/** What a picture may show (src/observe/end-report.ts). */
export const PICTURE_SECTIONS = [
  'frames',
  'free blocks',
  'controls',
  'containers',
  'pins',
  'moving',
  'tlb',
  'counters',
] as const;

const EVENT_NAMES: readonly string[] = [...MACHINE_EVENTS, ...KERNEL_EVENTS, ...PHYSMEM_EVENTS].map(
  (e) => e.name,
);

const eventName = z.unknown().transform((value, context): string => {
  if (EVENT_NAMES.includes(value as string)) return value as string;
  const hint = typeof value === 'string' ? suggestion(value, EVENT_NAMES) : '';
  context.addIssue({
    code: 'custom',
    message: `must be the name of an event, not ${valueText(value)}${hint}`,
  });
  return z.NEVER;
});

/** The system as it stands after the turn of the core in which the event came for the nth time. */
const picture = z.strictObject({
  after: eventName,
  nth: count(1, 1_000_000).prefault(1),
  title: text(80),
  show: z
    .array(oneOf(...PICTURE_SECTIONS))
    .min(1)
    .max(PICTURE_SECTIONS.length)
    .prefault(['frames', 'controls']),
});

export const scenarioSchema = z.strictObject({
  name: text(39),
  /** One line for `physmem list`. */
  title: text(80),
  /** What to look at while it runs, in a sentence or two. */
  look: text(500),
  machine: machine.prefault({}),
  seed: count(0, 0xffffffff).prefault(1),
  root: z.strictObject({
    image: imageName,
    args: z.array(argument).max(32).prefault([]),
    /** It may take interrupt lines and I/O ports, and give this right to the tasks that it starts. */
    driver: truth.prefault(false),
  }),
  modules: z.array(module).max(31).prefault([]),
  faults: faults.prefault({}),
  /** How physmem keeps large blocks free (docs/moving.md). */
  policy: policy.prefault('none'),
  /** Free frames carry a pattern that is checked when they are handed out (I11). */
  poison: oneOf('on', 'off').prefault('off'),
  /** Read-only translations may be left in TLBs after a deallocation, while that is safe (physmem.md §6.6). */
  deferredUnmap: oneOf('on', 'off').prefault('off'),
  /** How cores learn that translations must go: by an interrupt, or at their next entry of the kernel without one. */
  shootdownBy: oneOf('interrupt', 'tick').prefault('interrupt'),
  limits: z
    .strictObject({ maxInstructions: count(1).optional(), maxCycles: count(1).optional() })
    .prefault({}),
  pictures: z.array(picture).max(8).prefault([]),
  checks: z
    .strictObject({
      /** Status with which the root task must end. */
      exit: count(0, 255).optional(),
      /** Texts that the console output must contain. */
      output: z.array(text(500)).max(32).prefault([]),
    })
    .prefault({}),
});

export type ScenarioFile = z.output<typeof scenarioSchema>;
