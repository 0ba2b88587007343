/**
 * Address spaces as physmem sees them: who pays for the tables of a task, and a shadow of its page tables that
 * says for every page which map record put the translation there (O(1) look-up for unmap and replace). The shadow
 * of a table costs 4 KiB, as the table itself, which is paid for.
 */
import type { PlainData } from './plain-data.ts';

export const TABLE_PAGES = 1024;
/** page >> this = 4 MiB region. */
export const LARGE_REGION_SHIFT = 10;

const SPARE_MAX = 16;

export interface ShadowTable {
  /** Base frame of the page table. */
  readonly frame: number;
  /** Pages that are mapped. */
  used: number;
  /** Map record per page, 0 for none. */
  readonly records: Int32Array;
}

export interface Space {
  readonly task: number;
  state: 'live' | 'dying';
  /** Control that pays. */
  readonly control: number;
  readonly directory: number;
  readonly systemTable: number;
  readonly messageFrame: number;
  /** By 4 MiB region (page >> 10): the page table there. */
  readonly tables: Map<number, ShadowTable>;
  /** By 4 MiB region: the map record of its large page. */
  readonly large: Map<number, number>;
  /** Shootdowns of this space under way. */
  pending: number;
}

export class Spaces {
  readonly byTask = new Map<number, Space>();
  /** Shadows of tables that are gone, all zero, for the next ones; not part of the state. */
  readonly #spare: Int32Array[] = [];

  /** The shadow of a table at `frame` that maps nothing yet. */
  newTable(frame: number): ShadowTable {
    return { frame, used: 0, records: this.#spare.pop() ?? new Int32Array(TABLE_PAGES) };
  }

  /** Takes the shadow of an empty table back. */
  retire(table: ShadowTable): void {
    if (this.#spare.length < SPARE_MAX) this.#spare.push(table.records);
  }

  get(task: number): Space | undefined {
    return this.byTask.get(task);
  }

  save(): PlainData {
    return [...this.byTask.values()].map((space) => ({
      ...space,
      tables: [...space.tables].map(([region, table]) => [
        region,
        table.frame,
        table.used,
        table.records.slice(),
      ]),
      large: [...space.large],
    }));
  }

  load(saved: PlainData): void {
    this.byTask.clear();
    for (const row of saved as unknown as SavedSpace[]) {
      const tables = new Map<number, ShadowTable>();
      for (const [region, frame, used, records] of row.tables) {
        tables.set(region, { frame, used, records: records.slice() });
      }
      this.byTask.set(row.task, { ...row, tables, large: new Map(row.large) });
    }
  }
}

interface SavedSpace extends Omit<Space, 'tables' | 'large'> {
  readonly tables: readonly (readonly [number, number, number, Int32Array])[];
  readonly large: readonly (readonly [number, number])[];
}
