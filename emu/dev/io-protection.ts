/**
 * Optional page protection between the bus masters and the bus, as an IOMMU gives it (machine.md §5): a table of
 * base frames, filled by the privileged side, says which channels may read and which may write each frame. On, what is
 * not allowed reads as ones, is dropped when written, and is the event dma:blocked. In the mode `report` it passes and is
 * the event dma:unallowed: a machine without such a unit, looked at. Off, there is no table. It translates no addresses,
 * and the cores do not pass through it.
 */
import { BUS_MASTER_CHANNEL, DMA_CHANNELS, type IoProtectionMode } from '../arch/dma.ts';
import { Ev } from '../arch/events.ts';
import type { Clock, DmaPort, EventPort, PlainData, Snapshotable } from '../arch/ports.ts';
import type { DmaOutcome, MasterPort } from './dma-ports.ts';

/** What a device may do with a frame. */
export enum IoAccess {
  Read = 1,
  Write = 2,
}

/** One bit per channel, BUS_MASTER_CHANNEL included. */
export const EVERY_CHANNEL = (1 << (DMA_CHANNELS + 1)) - 1;
const MASTERS = DMA_CHANNELS + 1;
const FRAME_BYTES = 4096;
/** A table word: bits 0..15 channels that may read, 16..31 channels that may write. */
const WRITE_SHIFT = 16;

/** An access that the table did not allow. */
export interface BlockedAccess {
  readonly channel: number;
  readonly address: number;
  readonly sizeBytes: number;
  readonly direction: 'read' | 'write';
}

export type DmaObserver = (
  channel: number,
  pa: number,
  sizeBytes: number,
  direction: 'read' | 'write',
) => void;

export interface IoProtectionPorts {
  readonly clock: Clock;
  readonly events: EventPort;
  /** The bus, unprotected; outside RAM it gives ones and drops. */
  readonly memory: DmaPort;
  isRam(pa: number): boolean;
}

export class IoProtection implements Snapshotable {
  readonly mode: IoProtectionMode;
  /** Memory as each bus master sees it, by channel. */
  readonly masters: readonly MasterPort[];
  /** Told of every access that passes, before it is made; never steers. */
  observer: DmaObserver | null = null;
  private readonly ports: IoProtectionPorts;
  private readonly table: Int32Array;
  private blockedAccesses = 0;
  private unallowedAccesses = 0;
  private latest: BlockedAccess | null = null;
  private onBus = -1;

  /** A table for `frameCount` base frames; it begins with nothing allowed. */
  constructor(mode: IoProtectionMode, frameCount: number, ports: IoProtectionPorts) {
    this.mode = mode;
    this.ports = ports;
    this.table = new Int32Array(mode === 'off' ? 0 : frameCount);
    this.masters = Array.from({ length: MASTERS }, (_, channel) => ({
      read: (pa: number, into: Uint8Array) => this.pass(channel, pa, into, 'read'),
      write: (pa: number, from: Uint8Array) => this.pass(channel, pa, from, 'write'),
    }));
  }

  /** Accesses since power-on that were blocked, and that passed without being allowed (`report`). */
  get blockedCount(): number {
    return this.blockedAccesses;
  }
  get unallowedCount(): number {
    return this.unallowedAccesses;
  }
  /** The last access of either kind. */
  get lastBlocked(): BlockedAccess | null {
    return this.latest;
  }

  /** The channel whose access is on the bus right now, -1 when it is a core's or the host's; for bus observers. */
  get masterOnBus(): number {
    return this.onBus;
  }

  /**
   * Lets the channels (bits) do `access` (bits of IoAccess) with `count` frames, besides what they may already. Nothing
   * when the unit is off. @throws RangeError when the frames are not all RAM addresses: the caller's mistake.
   */
  allow(frame: number, count: number, access: number, channels: number = EVERY_CHANNEL): void {
    this.check(frame, count);
    const bits = this.bitsOf(access, channels);
    for (let i = 0; i < count && this.mode !== 'off'; i++) this.table[frame + i]! |= bits;
  }

  /** Takes every right on `count` frames from the channels. From now on: what is under way goes on blocked. */
  deny(frame: number, count: number, channels: number = EVERY_CHANNEL): void {
    this.check(frame, count);
    const bits = this.bitsOf(IoAccess.Read | IoAccess.Write, channels);
    for (let i = 0; i < count && this.mode !== 'off'; i++) this.table[frame + i]! &= ~bits;
  }

  /** What the table allows `channel` with a frame: bits of IoAccess. Everything when the unit is off. */
  rights(frame: number, channel: number): number {
    if (this.mode === 'off') return IoAccess.Read | IoAccess.Write;
    const word = this.table[frame] ?? 0;
    const read = (word >> channel) & 1;
    return read | (((word >> (channel + WRITE_SHIFT)) & 1) << 1);
  }

  save(): PlainData {
    const frames: number[] = [];
    for (const [frame, word] of this.table.entries()) if (word !== 0) frames.push(frame);
    return {
      frames: Int32Array.from(frames),
      words: Int32Array.from(frames, (frame) => this.table[frame]!),
      blocked: this.blockedAccesses,
      unallowed: this.unallowedAccesses,
      latest: this.latest === null ? null : { ...this.latest },
    };
  }

  load(data: PlainData): void {
    const saved = data as unknown as {
      frames: Int32Array;
      words: Int32Array;
      blocked: number;
      unallowed: number;
      latest: BlockedAccess | null;
    };
    this.table.fill(0);
    for (const [i, frame] of saved.frames.entries()) this.table[frame] = saved.words[i]!;
    this.blockedAccesses = saved.blocked;
    this.unallowedAccesses = saved.unallowed;
    this.latest = saved.latest;
  }

  private bitsOf(access: number, channels: number): number {
    const read = (access & IoAccess.Read) !== 0 ? channels : 0;
    const write = (access & IoAccess.Write) !== 0 ? channels : 0;
    return read | (write << WRITE_SHIFT);
  }

  private check(frame: number, count: number): void {
    if (this.mode === 'off' || (frame >= 0 && count >= 0 && frame + count <= this.table.length)) return;
    throw new RangeError(`frames ${frame}..${frame + count - 1} of ${this.table.length} for devices`);
  }

  private pass(channel: number, pa: number, bytes: Uint8Array, direction: 'read' | 'write'): DmaOutcome {
    this.onBus = channel;
    let outcome: DmaOutcome = 'done';
    for (let done = 0; done < bytes.length; ) {
      const at = pa + done;
      const count = Math.min(FRAME_BYTES - (at % FRAME_BYTES), bytes.length - done);
      const piece = bytes.subarray(done, done + count);
      const isAllowed = this.isAllowed(channel, at, direction);
      if (!isAllowed) this.note(channel, at, piece, direction);
      if (!isAllowed && this.mode === 'on') {
        if (direction === 'read') piece.fill(0xff);
        outcome = 'blocked';
      } else {
        if (!this.ports.isRam(at))
          this.report(direction === 'read' ? Ev.HoleRead : Ev.HoleWrite, at, count, 0, 0);
        this.observer?.(channel, at, count, direction);
        this.ports.memory[direction](at, piece);
      }
      done += count;
    }
    this.onBus = -1;
    return outcome;
  }

  private isAllowed(channel: number, pa: number, direction: 'read' | 'write'): boolean {
    const wanted = direction === 'read' ? IoAccess.Read : IoAccess.Write;
    return (this.rights(Math.floor(pa / FRAME_BYTES), channel) & wanted) !== 0;
  }

  /** Counts and tells an access that the table does not allow. */
  private note(channel: number, pa: number, bytes: Uint8Array, direction: 'read' | 'write'): void {
    const isBlocked = this.mode === 'on';
    if (isBlocked) this.blockedAccesses++;
    else this.unallowedAccesses++;
    this.latest = { channel, address: pa, sizeBytes: bytes.length, direction };
    const kind = isBlocked ? Ev.DmaBlocked : Ev.DmaUnallowed;
    this.report(kind, channel, pa, bytes.length, direction === 'write' ? 1 : 0);
  }

  private report(kind: Ev, a: number, b: number, c: number, d: number): void {
    const { events, clock } = this.ports;
    events.sink?.emit(kind, -1, clock.now(), a, b, c, d);
  }
}

/** Channel bits of one channel, for `allow` and `deny`. */
export const channelBit = (channel: number): number => 1 << channel;
export const BUS_MASTER_BIT = 1 << BUS_MASTER_CHANNEL;
