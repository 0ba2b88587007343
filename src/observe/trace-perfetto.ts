/**
 * The trace in the Chrome JSON format, which Perfetto's page and chrome://tracing open. One cycle is shown as one
 * nanosecond (the format's clock is in microseconds). Tracks:
 *
 *   machine   one thread per core: which task runs (slices), every other event (instants); bus masters
 *   DMA       one asynchronous slice per transfer, by channel
 *   physmem   each operation of the server (asynchronous slices: they overlap), counters of free blocks per order
 *   shootdowns  one asynchronous slice per transaction, with flow arrows from the initiator to each acknowledgement
 *
 * Format: "Trace Event Format" (Google), as accepted by perfetto.dev.
 */
import { BUS_MASTER_CHANNEL } from '../../emu/arch/dma.ts';
import { Ev } from '../../emu/arch/events.ts';
import { KernelEv, PhysmemEv } from '../abi/events.ts';
import { argumentWord, eventArguments, eventDef, eventGroup } from './event-table.ts';
import { type FreeBlock, FreeBlockReplay } from './free-block-replay.ts';
import type { TraceEvent } from './trace.ts';

export interface PerfettoOptions {
  readonly cores: number;
  /** Names of tasks by number, for the slices. */
  readonly taskNames?: ReadonlyMap<number, string>;
  /** Free blocks before the first event; without them there are no counters. */
  readonly freeBlocks?: Iterable<FreeBlock>;
}

type Entry = Record<string, unknown>;

const MACHINE = 1;
const PHYSMEM = 2;
/** Thread of events that no core causes. */
const BUS_MASTERS = 999;
const SHOOTDOWN_START = 'shootdown start';
const micros = (cycles: number): number => cycles / 1000;

/** The whole document as text. Deterministic: the same events give the same bytes. */
export function traceToPerfetto(events: Iterable<TraceEvent>, options: PerfettoOptions): string {
  const writer = new PerfettoWriter(options);
  for (const event of events) writer.event(event);
  const lines = writer.finish().map((entry) => JSON.stringify(entry));
  return `{"displayTimeUnit":"ns","traceEvents":[\n${lines.join(',\n')}\n]}\n`;
}

class PerfettoWriter {
  private readonly entries: Entry[] = [];
  private readonly options: PerfettoOptions;
  private readonly blocks: FreeBlockReplay | null;
  /** What each core runs, and since when. */
  private readonly running: { task: number; since: number; last: number }[];

  constructor(options: PerfettoOptions) {
    this.options = options;
    this.blocks = options.freeBlocks ? new FreeBlockReplay(options.freeBlocks) : null;
    this.running = Array.from({ length: options.cores }, () => ({ task: 0, since: 0, last: 0 }));
    this.nameTracks();
  }

  event(event: TraceEvent): void {
    const core = this.running[event.core];
    if (core) core.last = Math.max(core.last, event.time);
    if (event.kind === KernelEv.ContextSwitch) this.switchTo(event);
    else if (isOperation(event.kind)) this.operation(event);
    else if (isShootdown(event.kind)) this.shootdown(event);
    else if (event.kind === Ev.DmaStart || event.kind === Ev.DmaDone) this.transfer(event);
    else this.instant(event);
    this.count(event);
  }

  finish(): readonly Entry[] {
    this.running.forEach((_, core) => {
      this.closeSlice(core, this.running[core]!.last);
    });
    return this.entries;
  }

  private nameTracks(): void {
    const name = (pid: number, tid: number, kind: string, text: string): void => {
      this.entries.push({ ph: 'M', pid, tid, name: kind, args: { name: text } });
    };
    name(MACHINE, 0, 'process_name', 'machine');
    name(PHYSMEM, 0, 'process_name', 'physmem');
    this.running.forEach((_, core) => {
      name(MACHINE, core, 'thread_name', `core ${core}`);
    });
    name(MACHINE, BUS_MASTERS, 'thread_name', 'bus masters');
  }

  private switchTo(event: TraceEvent): void {
    this.closeSlice(event.core, event.time);
    const core = this.running[event.core];
    if (core) Object.assign(core, { task: event.c, since: event.time });
  }

  private closeSlice(core: number, end: number): void {
    const { task, since } = this.running[core] ?? { task: 0, since: 0 };
    if (task <= 0 || end <= since) return;
    const name = this.options.taskNames?.get(task) ?? `task ${task}`;
    this.entries.push({
      ph: 'X',
      pid: MACHINE,
      tid: core,
      ts: micros(since),
      dur: micros(end - since),
      cat: 'sched',
      name,
    });
  }

  private instant(event: TraceEvent): void {
    this.entries.push({ ph: 'i', s: 't', ...place(event), ...label(event), args: argsOf(event) });
  }

  private operation(event: TraceEvent): void {
    const ph = event.kind === KernelEv.OpStart ? 'b' : event.kind === KernelEv.OpDone ? 'e' : 'n';
    const op = event.kind === KernelEv.OpStart ? event.c : event.b;
    const name = event.kind === KernelEv.OpWait ? 'wait' : (argumentWord(event.kind, 'op', op) ?? `op ${op}`);
    const at = { pid: PHYSMEM, tid: 0, ts: micros(event.time) };
    this.entries.push({ ph, ...at, cat: 'server', id: `op${event.a}`, name, args: argsOf(event) });
  }

  private shootdown(event: TraceEvent): void {
    const id = event.a;
    const at = place(event);
    const args = argsOf(event);
    const whole = { cat: 'shootdown', id: `s${id}`, name: `shootdown ${id}`, args };
    const flow = { cat: 'shootdown', id, name: 'shootdown', bp: 'e' };
    if (event.kind === KernelEv.ShootdownStart) {
      this.entries.push({ ph: 'b', ...at, ...whole });
      this.entries.push({ ph: 'X', dur: micros(1), ...at, cat: 'shootdown', name: SHOOTDOWN_START, args });
      this.entries.push({ ph: 's', ...at, ...flow });
    } else if (event.kind === KernelEv.ShootdownAck) {
      this.entries.push({ ph: 'X', dur: micros(1), ...at, ...label(event), args });
      this.entries.push({ ph: 't', ...at, ...flow });
    } else if (event.kind === KernelEv.ShootdownDone) {
      this.entries.push({ ph: 'X', dur: micros(1), ...at, ...label(event), args });
      this.entries.push({ ph: 'f', ...at, ...flow });
      this.entries.push({ ph: 'e', ...at, ...whole });
    } else {
      this.instant(event);
    }
  }

  private transfer(event: TraceEvent): void {
    const ph = event.kind === Ev.DmaStart ? 'b' : 'e';
    const name = event.a === BUS_MASTER_CHANNEL ? 'bus master' : `DMA channel ${event.a}`;
    const id = `dma${event.a}`;
    this.entries.push({ ph, ...place(event), cat: 'dma', id, name, args: argsOf(event) });
  }

  private count(event: TraceEvent): void {
    if (this.blocks === null) return;
    if (event.kind === PhysmemEv.FrameAlloc) this.blocks.allocated(event.a >>> 0, event.b);
    else if (event.kind === PhysmemEv.FrameFree) this.blocks.freed(event.a >>> 0, event.b);
    else return;
    const args = Object.fromEntries(
      this.blocks.blocksPerOrder().map((count, order) => [`order ${order}`, count]),
    );
    this.entries.push({ ph: 'C', pid: PHYSMEM, tid: 0, ts: micros(event.time), name: 'free blocks', args });
  }
}

const isOperation = (kind: number): boolean => kind >= KernelEv.OpStart && kind <= KernelEv.OpDone;
const isShootdown = (kind: number): boolean =>
  kind >= KernelEv.ShootdownStart && kind <= KernelEv.ShootdownTimeout;

const place = (event: TraceEvent): Entry => ({
  pid: MACHINE,
  tid: event.core < 0 ? BUS_MASTERS : event.core,
  ts: micros(event.time),
});

const label = (event: TraceEvent): Entry => ({
  cat: eventGroup(event.kind),
  name: eventDef(event.kind).name.split(':')[1],
});

const argsOf = (event: TraceEvent): Entry =>
  Object.fromEntries(eventArguments(event).map(({ name, value }) => [name, value]));
