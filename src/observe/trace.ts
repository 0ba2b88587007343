/**
 * The trace: a fixed-size ring of the newest events, always on (system.md §5). One event is a row of typed arrays, so
 * that an emit allocates nothing (measured: about 10 ns, so that a million events cost 10 ms of host time). Whoever wants every event (a recording, a status line) adds a listener. The
 * ring observes and never steers. What an event means is in event-table.ts, the exports are in their own files.
 *
 * The events carry no task: the ring learns from sched:sched_switch which task each core runs.
 */
import type { EventSink } from '../../emu/arch/events.ts';
import type { PlainData, Snapshotable } from '../../emu/arch/ports.ts';
import { KernelEv } from '../abi/events.ts';

/** One event. `seq` counts from 0 over the whole run; `time` is the local time of `core` in cycles; `task` 0 = none. */
export interface TraceEvent {
  readonly seq: number;
  readonly time: number;
  readonly core: number;
  readonly task: number;
  readonly kind: number;
  /** The event's arguments as signed 32-bit words. */
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
}

export type TraceListener = (event: TraceEvent) => void;

const MAX_CORES = 16;
/** Kinds are below this (emu/arch/events.ts, src/abi/events.ts). */
const KINDS = 512;
export const DEFAULT_TRACE_CAPACITY = 1 << 16;

export class TraceRing implements EventSink, Snapshotable {
  /** Events that the ring can hold: the wish of the constructor, rounded up to a power of two. */
  readonly capacity: number;
  private readonly mask: number;
  private readonly kinds: Uint16Array;
  /** -1: no core (a bus master, the host). */
  private readonly cores: Int8Array;
  private readonly tasks: Int32Array;
  private readonly times: Float64Array;
  /** a, b, c, d of each row. */
  private readonly args: Int32Array;
  private readonly taskOfCore = new Int32Array(MAX_CORES);
  /** Events of each kind on each core, core -1 first: never lost, unlike the events. */
  private readonly counts = new Float64Array((MAX_CORES + 1) * KINDS);
  private emitted = 0;
  /** Events before this one are not held although there is room: they were lost before a restore. */
  private lost = 0;
  private listeners: readonly TraceListener[] = [];

  constructor(capacity: number = DEFAULT_TRACE_CAPACITY) {
    this.capacity = 2 ** Math.ceil(Math.log2(Math.max(1, capacity)));
    this.mask = this.capacity - 1;
    this.kinds = new Uint16Array(this.capacity);
    this.cores = new Int8Array(this.capacity);
    this.tasks = new Int32Array(this.capacity);
    this.times = new Float64Array(this.capacity);
    this.args = new Int32Array(this.capacity * 4);
  }

  /** Events since the machine was built, also those that the ring has lost. */
  get total(): number {
    return this.emitted;
  }

  /** Sequence number of the oldest event that is still held. */
  get firstSeq(): number {
    return Math.max(this.lost, this.emitted - this.capacity);
  }

  emit(kind: number, core: number, time: number, a: number, b: number, c: number, d: number): void {
    const row = this.emitted & this.mask;
    if (kind === KernelEv.ContextSwitch) this.taskOfCore[core] = c;
    this.kinds[row] = kind;
    this.cores[row] = core;
    this.tasks[row] = this.taskOfCore[core] ?? 0;
    this.times[row] = time;
    const at = row << 2;
    this.args[at] = a;
    this.args[at + 1] = b;
    this.args[at + 2] = c;
    this.args[at + 3] = d;
    this.counts[(core + 1) * KINDS + kind]!++;
    this.emitted++;
    if (this.listeners.length > 0) this.tell(this.emitted - 1);
  }

  /** Events of this kind so far, on one core (-1: bus masters and the host) or on all. */
  count(kind: number, core: number | 'all' = 'all'): number {
    if (core !== 'all') return this.counts[(core + 1) * KINDS + kind] ?? 0;
    let sum = 0;
    for (let at = kind; at < this.counts.length; at += KINDS) sum += this.counts[at]!;
    return sum;
  }

  /** Calls `listener` for every event from now on; returns the function that ends it. */
  listen(listener: TraceListener): () => void {
    this.listeners = [...this.listeners, listener];
    return () => {
      this.listeners = this.listeners.filter((other) => other !== listener);
    };
  }

  /** The event with this sequence number, or null when the ring has lost it or it has not happened. */
  at(seq: number): TraceEvent | null {
    if (seq < this.firstSeq || seq >= this.emitted) return null;
    const row = seq & this.mask;
    const at = row << 2;
    return {
      seq,
      time: this.times[row]!,
      core: this.cores[row]!,
      task: this.tasks[row]!,
      kind: this.kinds[row]!,
      a: this.args[at]!,
      b: this.args[at + 1]!,
      c: this.args[at + 2]!,
      d: this.args[at + 3]!,
    };
  }

  /** The events that are held, oldest first; at most the newest `limit` of them. */
  events(limit: number = this.capacity): TraceEvent[] {
    const found: TraceEvent[] = [];
    for (let seq = Math.max(this.firstSeq, this.emitted - limit); seq < this.emitted; seq++) {
      found.push(this.at(seq)!);
    }
    return found;
  }

  /** The ring as plain data: a restored run goes on with the same sequence numbers. */
  save(): PlainData {
    const events = this.events();
    return {
      emitted: this.emitted,
      taskOfCore: this.taskOfCore.slice(),
      counts: this.counts.slice(),
      times: Float64Array.from(events, (e) => e.time),
      words: Int32Array.from(events.flatMap((e) => [e.kind, e.core, e.task, e.a, e.b, e.c, e.d])),
    };
  }

  /** Takes back what `save` gave, also of a ring with another capacity (the newest events are kept). */
  load(state: PlainData): void {
    const saved = state as unknown as SavedTrace;
    this.taskOfCore.set(saved.taskOfCore);
    this.counts.set(saved.counts);
    const held = saved.times.length;
    const kept = Math.min(held, this.capacity);
    this.emitted = saved.emitted;
    for (let i = held - kept; i < held; i++) {
      const row = (saved.emitted - held + i) & this.mask;
      const from = i * SAVED_WORDS;
      this.kinds[row] = saved.words[from]!;
      this.cores[row] = saved.words[from + 1]!;
      this.tasks[row] = saved.words[from + 2]!;
      this.times[row] = saved.times[i]!;
      this.args.set(saved.words.subarray(from + 3, from + 7), row << 2);
    }
    this.lost = saved.emitted - kept;
  }

  private tell(seq: number): void {
    const event = this.at(seq)!;
    for (const listener of this.listeners) listener(event);
  }
}

const SAVED_WORDS = 7;

interface SavedTrace {
  readonly emitted: number;
  readonly taskOfCore: Int32Array;
  readonly counts: Float64Array;
  readonly times: Float64Array;
  readonly words: Int32Array;
}
