/**
 * Records of pins (physmem.md §4) and of what is in quarantine because of them. A pin holds whole blocks, which may be
 * split while it lasts but never merged or moved; the counts are in the base-frame table.
 */
import { ObjectTable } from './container.ts';
import type { PlainData } from './plain-data.ts';

export interface Pin {
  readonly index: number;
  generation: number;
  /** Draining: ended, but a device may still reach the memory. */
  state: 'free' | 'live' | 'draining';
  task: number;
  /** Limited capability through which it was made, 0 = the container's own; it may be gone by now. */
  limited: number;
  /** What devices may do with the memory under it, 0 when the holder is no driver, or that capability is gone. */
  access: number;
  /** Control whose quota it counts against. */
  control: number;
  /** End in cycles. */
  until: number;
  /** Base frames. */
  pages: number;
  /** Pairs: first base frame, count. */
  blocks: readonly number[];
}

const blankPin = (index: number, generation: number): Pin => ({
  index,
  generation,
  state: 'free',
  task: 0,
  limited: 0,
  access: 0,
  control: 0,
  until: 0,
  pages: 0,
  blocks: [],
});

export class Pins {
  readonly table = new ObjectTable<Pin>(blankPin);
  /** Base frames pinned, counted once for each pin. */
  pages = 0;
  /** Blocks in quarantine → the control that is charged for them until they are free. */
  readonly quarantine = new Map<number, number>();
  /** Time at which some pin ends or something in quarantine may be looked at again. */
  sweepAt = Number.MAX_SAFE_INTEGER;

  *live(): Generator<Pin> {
    for (const pin of this.table.records) if (pin.state !== 'free') yield pin;
  }

  /** Base frames in quarantine that a control is charged for. */
  heldBy(control: number, sizeOf: (head: number) => number): number {
    let sum = 0;
    for (const [head, payer] of this.quarantine) if (payer === control) sum += sizeOf(head);
    return sum;
  }

  /** A control was absorbed: its pins and what it pays for belong to its parent now. */
  retarget(control: number, parent: number): void {
    for (const pin of this.live()) if (pin.control === control) pin.control = parent;
    for (const [head, payer] of this.quarantine) if (payer === control) this.quarantine.set(head, parent);
  }

  save(): PlainData {
    return {
      table: this.table.save(),
      pages: this.pages,
      quarantine: [...this.quarantine],
      sweepAt: this.sweepAt,
    };
  }

  load(saved: PlainData): void {
    const from = saved as unknown as {
      table: PlainData;
      pages: number;
      quarantine: [number, number][];
      sweepAt: number;
    };
    this.table.load(from.table);
    this.pages = from.pages;
    this.sweepAt = from.sweepAt;
    this.quarantine.clear();
    for (const [head, control] of from.quarantine) this.quarantine.set(head, control);
  }
}
