/**
 * ISA DMA as the PC/AT wires it (Intel 8237A data sheet; IBM PC/AT Technical Reference, "System board I/O address
 * map"): ports, channel widths, reach, and why a transfer cannot be expressed. Facts only; the chips are in
 * emu/dev/dma8237.ts.
 *
 *   address on the bus     23            16 15                     0
 *   channels 0..3, bytes  | page register  |  address counter       |
 *   channels 5..7, words  | page, bit 16 unused | address counter |0|
 *
 * The counter does not carry into the page register: a transfer wraps inside its 64 KiB (words: 128 KiB).
 */
import { DMA_ZONE_END, LOW_RAM_END, VGA_HOLE_END } from './address-map.ts';

export const PORT_DMA1 = 0x00;
export const PORT_DMA2 = 0xc0;
/** Page registers: 15 cells after the POST port. */
export const PORT_DMA_PAGES = 0x81;
/** Page register of each channel. */
export const DMA_PAGE_PORTS: readonly number[] = [0x87, 0x83, 0x81, 0x82, 0x8f, 0x8b, 0x89, 0x8a];

export const DMA_CHANNELS = 8;
/** The channel that joins the first controller to the second; it moves nothing itself. */
export const DMA_CASCADE = 4;
/** Stands for the bus-master device wherever a channel is named (events, protection, activity). */
export const BUS_MASTER_CHANNEL = 8;

/** Fixed-disk adapter of the PC/XT: its place and its lines. */
export const PORT_DMA_DISK = 0x320;
export const IRQ_DMA_DISK = 5;
export const DMA_DISK_CHANNEL = 3;
export const PORT_BUS_MASTER = 0xc000;
export const IRQ_BUS_MASTER = 11;

/** What the page protection of devices does (emu/dev/io-protection.ts): `report` lets everything pass and tells what `on` would hold back. */
export type IoProtectionMode = 'on' | 'report' | 'off';

const SPACE_END = 2 ** 32;
const COUNTER_STEPS = 0x10000;

/** Bytes that a channel moves at a time. */
export const dmaUnitBytes = (channel: number): 1 | 2 => (channel > DMA_CASCADE ? 2 : 1);
/** Bytes within which a channel's address counter wraps; also the longest transfer. */
export const dmaPageBytes = (channel: number): number => COUNTER_STEPS * dmaUnitBytes(channel);
/** Whether a device can be on this channel. */
export const isDmaChannel = (channel: number): boolean =>
  Number.isInteger(channel) && channel >= 0 && channel < DMA_CHANNELS && channel !== DMA_CASCADE;

export interface DmaRequest {
  /** Physical address of the first byte. */
  readonly address: number;
  /** Bytes. */
  readonly length: number;
  /** 0..3, 5..7, or BUS_MASTER_CHANNEL. */
  readonly channel: number;
  /** End of RAM; not looked at when it is not given. */
  readonly ramBytes?: number;
}

export type DmaRule =
  | 'no such channel'
  | 'zero length'
  | 'odd for a word channel'
  | 'above the reach'
  | 'beyond RAM'
  | 'longer than the counter'
  | 'crosses a DMA page';

export interface DmaRefusal {
  readonly rule: DmaRule;
  /** One sentence with the numbers of this request. */
  readonly sentence: string;
}

const hex = (n: number): string => `0x${n.toString(16).padStart(8, '0')}`;

/** Why the hardware cannot make this transfer as one; null when it can. Takes any numbers. */
export function explainDma(request: DmaRequest): DmaRefusal | null {
  const { address, length, channel } = request;
  if (!isDmaChannel(channel) && channel !== BUS_MASTER_CHANNEL) return noChannel(channel);
  if (!(Number.isInteger(length) && length > 0)) {
    return {
      rule: 'zero length',
      sentence: `a transfer of ${length} bytes moves nothing: at least 1 is needed`,
    };
  }
  return (
    outOfReach(request) ??
    outOfRam(request) ??
    (channel === BUS_MASTER_CHANNEL ? null : (oddWords(address, length, channel) ?? outOfCounter(request)))
  );
}

function noChannel(channel: number): DmaRefusal {
  const what =
    channel === DMA_CASCADE
      ? 'channel 4 joins the two controllers and moves nothing'
      : `there is no DMA channel ${channel}`;
  return { rule: 'no such channel', sentence: `${what}: 0 to 3 move bytes, 5 to 7 words` };
}

const rangeText = ({ address, length }: DmaRequest): string => `${hex(address)}-${hex(address + length - 1)}`;

function outOfReach(request: DmaRequest): DmaRefusal | null {
  const { address, length, channel } = request;
  const isMaster = channel === BUS_MASTER_CHANNEL;
  const end = isMaster ? SPACE_END : DMA_ZONE_END;
  if (Number.isInteger(address) && address >= 0 && address + length <= end) return null;
  const reach = isMaster
    ? 'the bus master has 32 address bits'
    : `channel ${channel} has 24 address bits and reaches the first 16 MiB only`;
  const where = Number.isInteger(address) && address >= 0 ? rangeText(request) : `address ${address}`;
  return { rule: 'above the reach', sentence: `${where} goes beyond ${hex(end - 1)}: ${reach}` };
}

function outOfRam(request: DmaRequest): DmaRefusal | null {
  const { address, length, ramBytes } = request;
  if (ramBytes === undefined) return null;
  if (address + length > ramBytes) {
    const sentence = `${rangeText(request)} goes beyond the last byte of RAM, ${hex(ramBytes - 1)}`;
    return { rule: 'beyond RAM', sentence };
  }
  if (address >= VGA_HOLE_END || address + length <= LOW_RAM_END) return null;
  const hole = `${hex(LOW_RAM_END)}-${hex(VGA_HOLE_END - 1)}`;
  return { rule: 'beyond RAM', sentence: `${rangeText(request)} touches ${hole}, where there is no RAM` };
}

function oddWords(address: number, length: number, channel: number): DmaRefusal | null {
  if (dmaUnitBytes(channel) === 1) return null;
  const what =
    address % 2 !== 0 ? `the address ${hex(address)}` : length % 2 !== 0 ? `the length ${length}` : null;
  if (what === null) return null;
  return {
    rule: 'odd for a word channel',
    sentence: `channel ${channel} moves 16-bit words, ${what} is odd`,
  };
}

function outOfCounter(request: DmaRequest): DmaRefusal | null {
  const { address, length, channel } = request;
  const pageBytes = dmaPageBytes(channel);
  if (length > pageBytes) {
    const sentence = `${length} bytes are more than the ${pageBytes} that channel ${channel} can count`;
    return { rule: 'longer than the counter', sentence };
  }
  const edge = address - (address % pageBytes) + pageBytes;
  if (address + length <= edge) return null;
  const wraps = `after ${edge - address} bytes it would go on at ${hex(edge - pageBytes)}`;
  const sentence =
    `${rangeText(request)} crosses ${hex(edge)}: channel ${channel} counts inside ` +
    `${pageBytes / 1024} KiB, ${wraps}`;
  return { rule: 'crosses a DMA page', sentence };
}
