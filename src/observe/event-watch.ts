/**
 * Waits for chosen events, each at its nth occurrence from now on. It only remembers that they came: whoever runs the system
 * asks between slices and does then what is to be done.
 */
import { ALL_EVENTS } from './event-table.ts';
import type { TraceRing } from './trace.ts';

export interface WatchedEvent {
  /** Name of the event, `group:name`. */
  readonly after: string;
  readonly nth: number;
}

export class EventWatch<T extends WatchedEvent> {
  private readonly waiting: { readonly item: T; readonly kind: number; left: number }[];
  private came: T[] = [];
  private readonly endListening: () => void;

  /** With nothing to wait for it does not listen, and costs nothing. */
  constructor(ring: TraceRing, items: readonly T[]) {
    this.waiting = items.map((item) => ({
      item,
      kind: ALL_EVENTS.find((def) => def.name === item.after)?.kind ?? 0,
      left: item.nth,
    }));
    this.endListening =
      items.length === 0
        ? () => {}
        : ring.listen(({ kind }) => {
            for (const watched of this.waiting) {
              if (watched.kind === kind && --watched.left === 0) this.came.push(watched.item);
            }
          });
  }

  /** Whether something has come that `take` has not given yet. */
  get isDue(): boolean {
    return this.came.length > 0;
  }

  /** What has come since the last call, in the order of coming. */
  take(): readonly T[] {
    const came = this.came;
    this.came = [];
    return came;
  }

  /** What has not come (often enough) so far. */
  get missing(): readonly T[] {
    return this.waiting.filter(({ left }) => left > 0).map(({ item }) => item);
  }

  stop(): void {
    this.endListening();
  }
}
