/**
 * Narrow ports between the rooms of the machine: what a device offers to the bus, what it is given, what an
 * engine asks for. A device gets only the ports that it needs, never the machine.
 */
import type { EventSink } from './events.ts';

/** Width of a bus or port access in bytes. */
export type AccessSize = 1 | 2 | 4;

/** Memory-mapped registers. Addresses are physical; values are unsigned; `core` is -1 for DMA and the host. */
export interface MmioRegion {
  readonly name: string;
  readonly base: number;
  readonly sizeBytes: number;
  read(pa: number, size: AccessSize, core: number): number;
  write(pa: number, size: AccessSize, value: number, core: number): void;
}

/** One device's I/O ports, `first` to `last` inclusive. Reads of unclaimed ports give all ones. */
export interface PortRange {
  readonly name: string;
  readonly first: number;
  readonly last: number;
  read(port: number, size: AccessSize, core: number): number;
  write(port: number, size: AccessSize, value: number, core: number): void;
}

/** What an engine uses for IN and OUT. */
export interface IoSpace {
  read(port: number, size: AccessSize, core: number): number;
  write(port: number, size: AccessSize, value: number, core: number): void;
}

/** What an engine asks when R.ATTENTION says that an interrupt waits. */
export interface InterruptSource {
  /** Vector of the highest-priority deliverable interrupt of `core`, now in service; -1 when there is none. */
  acknowledge(core: number): number;
}

/** An interrupt input of the I/O APIC or PIC, held by a device. Level-triggered by `set`; `pulse` for edges. */
export interface IrqLine {
  set(level: 0 | 1): void;
  pulse(): void;
}

/** The emulated clock, for devices. */
export interface Clock {
  /** Time of the core that is running, or of the machine between slices, in cycles. */
  now(): number;
  /** Calls `timer.fire` once, at the first slice boundary at or after `atCycles`. Replaces an earlier deadline of it. */
  arm(timer: DeviceTimer, atCycles: number): void;
  cancel(timer: DeviceTimer): void;
}

/** A named timer of a device; the name is its identity in a snapshot. */
export interface DeviceTimer {
  readonly name: string;
  fire(now: number): void;
}

/** Access of a bus master that is not a core. Addresses are physical; RAM only. */
export interface DmaPort {
  read(pa: number, into: Uint8Array): void;
  write(pa: number, from: Uint8Array): void;
}

/** State of a device as plain data (numbers, strings, arrays, typed arrays, plain objects). */
export interface Snapshotable {
  save(): PlainData;
  load(state: PlainData): void;
}

export type PlainData =
  | number
  | string
  | boolean
  | null
  | undefined
  | readonly PlainData[]
  | Uint8Array
  | Int32Array
  | Uint32Array
  | Float64Array
  | ReadonlyMap<PlainData, PlainData>
  | ReadonlySet<PlainData>
  | { readonly [key: string]: PlainData };

/** Sink that is handed to rooms which emit events; `null` when nobody listens. */
export interface EventPort {
  sink: EventSink | null;
}
