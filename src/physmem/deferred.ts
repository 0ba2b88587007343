/**
 * The list of deferred unmaps (physmem.md §6.6, docs/adr/0013): translations that are gone from the page tables and may
 * still be in the TLB of a core that runs their task. All of them are read-only; the blocks that they show stay in use by
 * somebody else and count as copy-on-write for every writer. The list is bounded in pages and in time. When it is to be
 * flushed it is taken as a whole: one shootdown for many. The rules are in defer.ts; this is the state.
 */
import type { PlainData } from './plain-data.ts';

/** A run of pages that a task may still read, with what it was mapped through. */
export interface DeferredRun {
  readonly task: number;
  readonly page: number;
  readonly pages: number;
  /** `large`: one 4 MiB entry. */
  readonly size: 'small' | 'large';
  readonly container: number;
  readonly containerGeneration: number;
  /** Limited capability, or 0 for the container's own. */
  readonly limited: number;
  readonly limitedGeneration: number;
  /** Task that holds the capability. */
  readonly holder: number;
}

/** Entries of a TLB that a run may fill. */
export const entriesOf = ({ pages, size }: DeferredRun): number => (size === 'large' ? 1 : pages);

const overlaps = (run: DeferredRun, task: number, page: number, count: number): boolean =>
  run.task === task && run.page < page + count && page < run.page + run.pages;

export class Deferred {
  runs: DeferredRun[] = [];
  /** Heads of the blocks that the runs show. */
  blocks = new Set<number>();
  /** TLB entries that the runs may fill, in all. */
  entries = 0;
  /** Time by which the list is flushed; -1 while it is empty. */
  deadline = -1;

  get isEmpty(): boolean {
    return this.deadline < 0;
  }

  add(runs: readonly DeferredRun[], blocks: readonly number[], deadline: number): void {
    if (this.isEmpty) this.deadline = deadline;
    for (const run of runs) {
      this.runs.push(run);
      this.entries += entriesOf(run);
    }
    for (const block of blocks) this.blocks.add(block);
  }

  /** Empties the list. */
  take(): { readonly runs: readonly DeferredRun[]; readonly blocks: Set<number> } {
    const { runs, blocks } = this;
    this.runs = [];
    this.blocks = new Set();
    this.entries = 0;
    this.deadline = -1;
    return { runs, blocks };
  }

  /** Whether somebody may still read a block through a translation on the list. */
  marks(block: number): boolean {
    return this.blocks.size > 0 && this.blocks.has(block);
  }

  /** Whether a task may still read a page of this range through a translation on the list. */
  covers(task: number, page: number, count: number): boolean {
    return this.runs.length > 0 && this.runs.some((run) => overlaps(run, task, page, count));
  }

  /** Whether anything on the list was mapped through a container or one of these limited capabilities. */
  isThrough(container: number, limiteds: readonly number[] = []): boolean {
    return this.runs.some((run) => run.container === container || limiteds.includes(run.limited));
  }

  /** A block was halved: both halves show what it showed. */
  divide(block: number, upper: number): void {
    if (this.blocks.has(block)) this.blocks.add(upper);
  }

  /** The address space of a task is gone from every TLB. */
  forgetTask(task: number): void {
    if (this.runs.length === 0) return;
    this.runs = this.runs.filter((run) => run.task !== task);
    this.entries = this.runs.reduce((sum, run) => sum + entriesOf(run), 0);
    if (this.runs.length > 0) return;
    this.blocks.clear();
    this.deadline = -1;
  }

  save(): PlainData {
    return {
      runs: this.runs.map((run) => ({ ...run })),
      blocks: [...this.blocks],
      deadline: this.deadline,
    };
  }

  load(saved: PlainData): void {
    const from = saved as unknown as { runs: DeferredRun[]; blocks: number[]; deadline: number };
    this.runs = from.runs.map((run) => ({ ...run }));
    this.blocks = new Set(from.blocks);
    this.entries = this.runs.reduce((sum, run) => sum + entriesOf(run), 0);
    this.deadline = from.deadline;
  }
}
