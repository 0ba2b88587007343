/**
 * What the DMA controllers, their devices and the privileged side say to each other. Nobody here sees the bus
 * itself: memory is reached through the port that the protection unit gives to each channel.
 */

/** A DREQ line, held by a device. */
export interface DmaRequestLine {
  set(level: 0 | 1): void;
}

/** A device on a channel of the 8237, as the controller drives it. */
export interface DmaDevice {
  readonly name: string;
  /** Bytes that it can pass now; it keeps DREQ high while there are any. */
  readonly readyBytes: number;
  /** DACK with IOR: the device puts its next bytes into all of `into`. */
  give(into: Uint8Array): void;
  /** DACK with IOW: the device takes `from`, which the controller reuses afterwards. */
  take(from: Uint8Array): void;
  /** The TC pulse that goes with the last transfer of the channel's count. */
  terminalCount(): void;
}

/** What became of an access: `blocked` when part of it was held back by the protection unit. */
export type DmaOutcome = 'done' | 'blocked';

/** Physical memory as one bus master sees it. */
export interface MasterPort {
  read(pa: number, into: Uint8Array): DmaOutcome;
  write(pa: number, from: Uint8Array): DmaOutcome;
}

/** A range of memory that a device will touch, or is touching, unless somebody stops it. */
export interface DmaTarget {
  readonly device: string;
  /** 0..7, or BUS_MASTER_CHANNEL. */
  readonly channel: number;
  readonly address: number;
  /** Bytes that are still to be moved (of an autoinitialising channel: that it comes back to). */
  readonly sizeBytes: number;
  readonly direction: 'to-memory' | 'from-memory';
  /** `running` once the first byte has moved or a command is under way. */
  readonly state: 'programmed' | 'running';
}

/** Told when a channel or the bus master has stopped aiming at memory, or aims elsewhere from now on. */
export type DmaQuietListener = (channel: number) => void;
