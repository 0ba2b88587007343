/**
 * RAM as the set of its pages that are not zero: the form in which a snapshot holds it. Pages that have not changed
 * since the last snapshot are shared with it (the same Uint8Array, which nobody changes), so that many snapshots of
 * one run cost what was written between them. There is no list of written pages (cores write through flat tables,
 * round the bus), so every page is looked at. Measured (`npm run bench snapshots`), in milliseconds:
 *
 *                                 32 MiB   1 GiB
 *   save, all zero                   4     130
 *   save, all unchanged             12     470
 *   save, all new                   46    3100
 *   restore what is there            5     210
 */
import type { PlainData } from './arch/ports.ts';
import { PAGE_SIZE } from './arch/types.ts';

const PAGE_WORDS = PAGE_SIZE / 4;

/** Frame numbers in rising order, and the page of each. */
export interface RamPages {
  readonly frames: Int32Array;
  readonly pages: readonly Uint8Array[];
}

export class RamPageStore {
  private readonly ram: Uint8Array;
  private readonly words: Int32Array;
  /** Page of each frame in the snapshot that was taken or restored last. */
  private shared = new Map<number, Uint8Array>();

  constructor(ram: Uint8Array) {
    this.ram = ram;
    this.words = new Int32Array(ram.buffer, ram.byteOffset, ram.byteLength / 4);
  }

  save(): RamPages {
    const now = new Map<number, Uint8Array>();
    const frameCount = this.ram.length / PAGE_SIZE;
    for (let frame = 0; frame < frameCount; frame++) {
      if (this.isZero(frame)) continue;
      const before = this.shared.get(frame);
      now.set(frame, before !== undefined && this.equals(frame, before) ? before : this.copy(frame));
    }
    this.shared = now;
    return { frames: Int32Array.from(now.keys()), pages: [...now.values()] };
  }

  load(data: PlainData): void {
    const { frames, pages } = data as unknown as RamPages;
    const wanted = new Map<number, Uint8Array>();
    for (const [i, frame] of frames.entries()) wanted.set(frame, pages[i]!);
    const frameCount = this.ram.length / PAGE_SIZE;
    for (let frame = 0; frame < frameCount; frame++) {
      const page = wanted.get(frame);
      if (page !== undefined) this.ram.set(page, frame * PAGE_SIZE);
      // Looked at first: a page that was never touched costs the host no memory as long as nobody writes to it.
      else if (!this.isZero(frame)) this.ram.fill(0, frame * PAGE_SIZE, (frame + 1) * PAGE_SIZE);
    }
    this.shared = wanted;
  }

  private copy(frame: number): Uint8Array {
    return this.ram.slice(frame * PAGE_SIZE, (frame + 1) * PAGE_SIZE);
  }

  /** Eight words per test: half the time of one by one, for pages of zeroes, which are what large RAM is made of. */
  private isZero(frame: number): boolean {
    const { words } = this;
    const end = (frame + 1) * PAGE_WORDS;
    for (let i = frame * PAGE_WORDS; i < end; i += 8) {
      const first = words[i]! | words[i + 1]! | words[i + 2]! | words[i + 3]!;
      const second = words[i + 4]! | words[i + 5]! | words[i + 6]! | words[i + 7]!;
      if ((first | second) !== 0) return false;
    }
    return true;
  }

  private equals(frame: number, page: Uint8Array): boolean {
    const { words } = this;
    const other = new Int32Array(page.buffer, page.byteOffset, PAGE_WORDS);
    const start = frame * PAGE_WORDS;
    for (let i = 0; i < PAGE_WORDS; i += 4) {
      const at = start + i;
      const first = (words[at]! ^ other[i]!) | (words[at + 1]! ^ other[i + 1]!);
      const second = (words[at + 2]! ^ other[i + 2]!) | (words[at + 3]! ^ other[i + 3]!);
      if ((first | second) !== 0) return false;
    }
    return true;
  }
}
