/**
 * Shootdowns under way, and memory that can not come back yet. A block may be freed only when no shootdown that
 * began before its last translation went is still open (I19, I20): another operation may have removed a
 * translation of the same block and still wait for its acknowledgements. So removals are numbered, and each one
 * gives its memory back after all older ones. A batch that a silent core left unanswered is parked: its memory
 * stays in limbo, charged, until the core has answered (physmem.md §6.5).
 */
import type { ShootdownBatch } from '../abi/server.ts';
import type { PlainData } from './plain-data.ts';

/** Blocks and credit that a removal gives back when it is safe. */
export interface Held {
  /** Heads of blocks in state LIMBO. */
  readonly blocks: number[];
  /** Pairs: control index, base frames. */
  readonly charges: number[];
}

export interface Parked extends Held {
  /** The batch that a core has not answered yet; null when it has, or when there was none. */
  batch: ShootdownBatch | null;
  /** Tasks whose translations it lists: nothing new is mapped for them meanwhile. */
  readonly spaces: readonly number[];
  /** Blocks that stay in use and that a silent core may still read: nobody may write them in place. */
  readonly shown: number[];
}

export class Inflight {
  #last = 0;
  /** Numbers of the open shootdowns, ascending. */
  readonly open: number[] = [];
  parked: Parked[] = [];
  /** Lists of blocks that stay in use, and that translations in open shootdowns may still show to who has left them. */
  readonly showing: number[][] = [];

  begin(): number {
    this.#last += 1;
    this.open.push(this.#last);
    return this.#last;
  }

  end(number: number): void {
    this.open.splice(this.open.indexOf(number), 1);
  }

  /** Whether a shootdown older than this is open. */
  hasOlder(number: number): boolean {
    return this.open.length > 0 && this.open[0]! < number;
  }

  /** Whether a silent core may still use old translations of a task, or read a block. */
  holdsSpace(task: number): boolean {
    return this.parked.length > 0 && this.parked.some(({ spaces }) => spaces.includes(task));
  }

  /** Whether a shootdown under way is to take away what somebody sees of this block. */
  isShowing(block: number): boolean {
    return this.showing.length > 0 && this.showing.some((blocks) => blocks.includes(block));
  }

  shows(block: number): boolean {
    return this.parked.length > 0 && this.parked.some(({ shown }) => shown.includes(block));
  }

  /** A block was halved: what was shown of it is shown of both halves. */
  divide(block: number, upper: number): void {
    for (const { shown } of this.parked) if (shown.includes(block)) shown.push(upper);
    for (const blocks of this.showing) if (blocks.includes(block)) blocks.push(upper);
  }

  /** Base frames in limbo that are charged to a control. */
  heldBy(control: number): number {
    let sum = 0;
    for (const { charges } of this.parked) {
      for (let i = 0; i < charges.length; i += 2) if (charges[i] === control) sum += charges[i + 1]!;
    }
    return sum;
  }

  /** A control was absorbed: what is held for it now belongs to its parent. */
  retarget(control: number, parent: number): void {
    for (const { charges } of this.parked) {
      for (let i = 0; i < charges.length; i += 2) if (charges[i] === control) charges[i] = parent;
    }
  }

  save(): PlainData {
    return { last: this.#last, parked: this.parked as unknown as PlainData };
  }

  load(saved: PlainData): void {
    const from = saved as unknown as { last: number; parked: Parked[] };
    this.#last = from.last;
    this.open.length = 0;
    this.showing.length = 0;
    this.parked = from.parked.map((held) => ({
      ...held,
      blocks: [...held.blocks],
      charges: [...held.charges],
    }));
  }
}
