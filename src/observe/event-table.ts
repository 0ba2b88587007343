/**
 * What an event means: the three closed tables (machine, kernel, physmem) by kind, the groups that a filter names,
 * and the named arguments of one event. Arguments travel as 32-bit words and are unsigned here; a word of all ones
 * in a field that is not an address is "none" and reads as -1.
 */
import { type EventDef, MACHINE_EVENTS } from '../../emu/arch/events.ts';
import { EXCEPTION_NAMES } from '../../emu/arch/vectors.ts';
import { ERRNOS } from '../abi/errno.ts';
import { KERNEL_EVENTS, KernelEv, PHYSMEM_EVENTS } from '../abi/events.ts';
import { FAULT_SWITCHES } from '../abi/fault-switches.ts';
import { RPCS } from '../abi/rpcs.ts';
import { SYSCALLS } from '../abi/syscalls.ts';
import { hex32 } from './number-format.ts';
import type { TraceEvent } from './trace.ts';

export const ALL_EVENTS: readonly EventDef[] = [...MACHINE_EVENTS, ...KERNEL_EVENTS, ...PHYSMEM_EVENTS];

const BY_KIND: ReadonlyMap<number, EventDef> = new Map(ALL_EVENTS.map((def) => [def.kind, def]));

/** The definition of a kind; an unknown kind (of a newer recording) gets a name made of its number. */
export const eventDef = (kind: number): EventDef =>
  BY_KIND.get(kind) ?? { kind, name: `unknown:${kind}`, fields: ['a', 'b', 'c', 'd'] };

/** The part of the name before the colon: `tlb`, `ipc`, `physmem` ... */
export const eventGroup = (kind: number): string => eventDef(kind).name.split(':', 1)[0]!;

/** Every group, in alphabetical order: what a filter may name. */
export const EVENT_GROUPS: readonly string[] = [...new Set(ALL_EVENTS.map((d) => eventGroup(d.kind)))].sort();

/**
 * Kinds that a filter lets through. Words of the filter are groups (`tlb`) or whole names (`tlb:fill`).
 * `unknown` lists the words that are neither.
 */
export function kindsOf(words: readonly string[]): {
  kinds: ReadonlySet<number>;
  unknown: readonly string[];
} {
  const kinds = new Set<number>();
  const unknown: string[] = [];
  for (const word of words) {
    const found = ALL_EVENTS.filter((def) => def.name === word || def.name.startsWith(`${word}:`));
    if (found.length === 0) unknown.push(word);
    for (const def of found) kinds.add(def.kind);
  }
  return { kinds, unknown };
}

/** One argument of an event: addresses and masks as hexadecimal text, anything else as a number. */
export interface EventArgument {
  readonly name: string;
  readonly value: number | string;
}

const isHex = (field: string): boolean => field.endsWith('Addr') || field.endsWith('Mask') || field === 'pte';

/** The arguments that the event's kind has, in the order of its table. */
export function eventArguments(event: TraceEvent): EventArgument[] {
  const words = [event.a, event.b, event.c, event.d];
  return eventDef(event.kind).fields.map((name, i) => {
    const word = words[i]!;
    if (isHex(name)) return { name, value: hex32(word) };
    // Labels below zero are operations that no task asked for (a death, a boot fault).
    if (name === 'op') return { name, value: word };
    return { name, value: word === -1 ? -1 : word >>> 0 };
  });
}

const ERRNO_NAMES = new Map(ERRNOS.map((e) => [e.value, e.name]));
/** Operations of the server, and the four that the kernel starts without a request (negative labels). */
const OP_NAMES = new Map([
  ...RPCS.map((r) => [r.op, r.name] as const),
  [-1, 'capability_dropped'],
  [-2, 'boot_fault'],
  [-3, 'task_died'],
  [-4, 'late_answer'],
]);
const SYSCALL_NAMES = new Map(SYSCALLS.map((s) => [s.number, s.name]));
const FAULT_NAMES = new Map(FAULT_SWITCHES.map((fault) => [fault.number, fault.name]));
const WAIT_REASONS = ['', 'shootdown', 'pause', 'event'];
const FLUSH_REASONS = ['non_global', 'all'];
const ZONE_NAMES = new Map([
  [0, 'DMA'],
  [1, 'Normal'],
]);

/** The word that a person knows for a numeric argument (`ENOMEM`, `map`, `#PF`, `DMA`), or null. */
export function argumentWord(kind: number, field: string, value: number): string | null {
  switch (field) {
    case 'errno':
      return ERRNO_NAMES.get(value) ?? null;
    case 'op':
      return OP_NAMES.get(value) ?? null;
    case 'number':
      return SYSCALL_NAMES.get(value) ?? null;
    case 'reason':
      return kind === KernelEv.OpWait ? (WAIT_REASONS[value] ?? null) : (FLUSH_REASONS[value] ?? null);
    case 'fault':
      return FAULT_NAMES.get(value) ?? null;
    case 'zone':
      return ZONE_NAMES.get(value) ?? null;
    case 'vector':
      return kind === KernelEv.FaultKilled || eventGroup(kind) === 'exceptions'
        ? EXCEPTION_NAMES[value] || null
        : null;
    default:
      return null;
  }
}

/** `vaAddr=0x00401000 errno=ENOMEM`: the arguments for people. */
export function argumentText(event: TraceEvent): string {
  return eventArguments(event)
    .map(({ name, value }) => {
      const word = typeof value === 'number' ? argumentWord(event.kind, name, value) : null;
      return `${name.replace(/Addr$/, '')}=${word ?? value}`;
    })
    .join(' ');
}
