/**
 * Zones: ranges of physical memory with a purpose, as data (physmem.md §1, §5.1). Unrestricted requests are served
 * from the last zone (Normal) first, to spare memory below 16 MiB; the DMA zone keeps a reserve that they
 * may use only when Normal can not hold the block at all, even in pieces.
 */
import { type BaseFrames, FrameState } from './base-frames.ts';
import { type BlockUse, Buddy } from './buddy.ts';
import { assert, type PlainData } from './plain-data.ts';

export enum ZoneId {
  DMA = 0,
  NORMAL = 1,
}

export interface Zone {
  readonly name: string;
  readonly buddy: Buddy;
  /** Base frames that unrestricted requests leave alone while another zone has memory. */
  reserve: number;
  /** Base frames that names allocated in this zone may still bind: kept free for them, come what may. */
  promised: number;
}

export class Zones {
  readonly zones: readonly Zone[];
  /** Whether unmovable memory gets blocks of its own; set once by the policy. */
  grouping: 'on' | 'off' = 'off';
  /** Base frames given back so far: how much has changed since somebody looked. */
  turnover = 0;
  readonly #table: BaseFrames;

  constructor(table: BaseFrames, dmaEnd: number, maxOrder: number) {
    const edge = Math.min(dmaEnd, table.count);
    this.#table = table;
    this.zones = [
      { name: 'DMA', buddy: new Buddy(table, 0, edge, maxOrder), reserve: 0, promised: 0 },
      { name: 'Normal', buddy: new Buddy(table, edge, table.count, maxOrder), reserve: 0, promised: 0 },
    ];
  }

  get freeFrames(): number {
    let sum = 0;
    for (const zone of this.zones) sum += zone.buddy.freeFrames;
    return sum;
  }

  /** Sets each zone's reserve as a share of what is free in it now. */
  setReserve(share: number): void {
    const dma = this.zones[ZoneId.DMA]!;
    dma.reserve = Math.floor(dma.buddy.freeFrames * share);
  }

  zoneOf(frame: number): ZoneId {
    return frame < this.zones[ZoneId.DMA]!.buddy.end ? ZoneId.DMA : ZoneId.NORMAL;
  }

  /** Takes a block for unrestricted use; returns its head or -1. The caller sets its state at once. */
  take(order: number, use: BlockUse = 'movable'): number {
    const wanted = this.grouping === 'on' ? use : 'movable';
    const normal = this.zones[ZoneId.NORMAL]!.buddy;
    const head = normal.take(order, wanted);
    if (head >= 0) return head;
    const dma = this.zones[ZoneId.DMA]!;
    const size = 1 << order;
    const left = dma.buddy.freeFrames - size;
    if (left < dma.promised || (left < dma.reserve && normal.freeFrames >= size)) return -1;
    return dma.buddy.take(order, wanted);
  }

  /** Takes a block for somebody who has no guarantee: the reserve of the DMA zone stays. Returns its head or -1. */
  takeSpare(order: number): number {
    const head = this.zones[ZoneId.NORMAL]!.buddy.take(order);
    if (head >= 0) return head;
    const { buddy, promised, reserve } = this.zones[ZoneId.DMA]!;
    return buddy.freeFrames - (1 << order) < Math.max(promised, reserve) ? -1 : buddy.take(order);
  }

  /** Base frames that unrestricted requests can still take. */
  get room(): number {
    return this.zones[ZoneId.NORMAL]!.buddy.freeFrames + Math.max(0, this.dmaRoom);
  }

  /** Base frames that can be taken for somebody who has no guarantee. */
  get spareRoom(): number {
    const { buddy, promised, reserve } = this.zones[ZoneId.DMA]!;
    const low = Math.max(0, buddy.freeFrames - Math.max(promised, reserve));
    return this.zones[ZoneId.NORMAL]!.buddy.freeFrames + low;
  }

  /** Takes a block below the DMA limit, which was promised; returns its head or -1. */
  takeDma(order: number): number {
    const dma = this.zones[ZoneId.DMA]!;
    const head = dma.buddy.take(order, this.#fixedUse);
    if (head >= 0) dma.promised -= 1 << order;
    return head;
  }

  /** Takes a block below the DMA limit that was not promised; returns its head or -1. */
  takeLow(order: number): number {
    return this.dmaRoom < 1 << order ? -1 : this.zones[ZoneId.DMA]!.buddy.take(order, this.#fixedUse);
  }

  /** Who asks for a place below 16 MiB will most likely pin it. */
  get #fixedUse(): BlockUse {
    return this.grouping === 'on' ? 'unmovable' : 'movable';
  }

  /** Base frames of the DMA zone that are free and promised to nobody. */
  get dmaRoom(): number {
    const dma = this.zones[ZoneId.DMA]!;
    return dma.buddy.freeFrames - dma.promised;
  }

  /** Promises base frames of the DMA zone, or takes a promise back (a negative number). */
  promiseDma(frames: number): void {
    this.zones[ZoneId.DMA]!.promised += frames;
  }

  give(head: number): void {
    this.turnover += 1 << this.#table.order[head]!;
    this.zones[this.zoneOf(head)]!.buddy.give(head);
  }

  /** Frees a range of base frames at boot, as the largest aligned blocks. */
  giveRange(frame: number, count: number): void {
    for (const zone of this.zones) {
      const from = Math.max(frame, zone.buddy.base);
      const end = Math.min(frame + count, zone.buddy.end);
      for (const { head, order } of alignedBlocks(from, end - from, zone.buddy.maxOrder)) {
        this.#table.makeBlock(head, order, FrameState.RESERVED);
        this.give(head);
      }
    }
  }

  save(): PlainData {
    return this.zones.map(({ buddy, reserve, promised }) => ({
      reserve,
      promised,
      freeFrames: buddy.freeFrames,
      counts: [...buddy.free, ...buddy.apart].map((map) => map.count),
      words: [...buddy.free, ...buddy.apart].map((map) => map.words.slice()),
    }));
  }

  load(saved: PlainData): void {
    const rows = saved as readonly {
      reserve: number;
      promised: number;
      freeFrames: number;
      counts: readonly number[];
      words: readonly Uint32Array[];
    }[];
    assert(rows.length === this.zones.length, 'saved zones differ');
    this.zones.forEach((zone, index) => {
      const row = rows[index]!;
      zone.reserve = row.reserve;
      zone.promised = row.promised;
      zone.buddy.freeFrames = row.freeFrames;
      [...zone.buddy.free, ...zone.buddy.apart].forEach((map, i) => {
        map.count = row.counts[i]!;
        map.words.set(row.words[i]!);
      });
    });
  }
}

export interface AlignedBlock {
  readonly head: number;
  readonly order: number;
}

/** Cuts a range of base frames into the fewest naturally aligned blocks. */
export function alignedBlocks(frame: number, count: number, maxOrder: number): AlignedBlock[] {
  const blocks: AlignedBlock[] = [];
  let head = frame;
  const end = frame + count;
  while (head < end) {
    let order = 0;
    while (order < maxOrder && (head & ((2 << order) - 1)) === 0 && head + (2 << order) <= end) order += 1;
    blocks.push({ head, order });
    head += 1 << order;
  }
  return blocks;
}
