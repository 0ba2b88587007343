/**
 * Code of a whole region: blocks in nested loops, jumps between them, the budget, indirect jumps. `$dispatch` is the
 * outermost loop; an indirect jump inside the page looks its target up in the region's table (one byte per page offset:
 * the number of the block that starts there, 0 = none) and goes round it.
 */
import { I_ENTRY } from '../record.ts';
import type { Region } from './blocks.ts';
import { Kind } from './flag-kinds.ts';
import { FunctionCode } from './function-code.ts';
import { endOf } from './reach.ts';
import { L, SITE_BUDGET, SITE_JUMP } from './region-frame.ts';
import { arrange, type Item } from './structure.ts';
import { flagsDie, hasTranslation, TRANSLATIONS, Transfer, transferOf } from './translations.ts';
import { Op } from './wasm-op.ts';
import type { Label } from './wasm-writer.ts';

/** What a block takes from the budget before it runs; `start`: its page offset. */
export interface Charge {
  readonly start: number;
  readonly count: number;
}

/** An open structure that a branch can go to. */
interface Open {
  readonly label: Label;
  /** Blocks that are reached by branching to it. */
  readonly reaches: ReadonlySet<number>;
  /** A switch on L.Next follows. */
  readonly switches: boolean;
}

export class RegionCode extends FunctionCode {
  private readonly open: Open[] = [];
  private readonly numbers = new Map<number, number>();
  private dispatch: Label = 0;
  private indirect: Label = 0;
  private outside: Label = 0;
  /** Kind of the flags at the end of blocks that are emitted. */
  private readonly kindAfter = new Map<number, Kind>();
  private readonly predecessors: readonly number[][];

  /** `table`: host offset of the region's table. */
  constructor(
    ops: Int32Array,
    user: boolean,
    private readonly region: Region,
    private readonly table: number,
  ) {
    super(ops, user);
    region.entries.forEach((block, n) => {
      this.numbers.set(block, n + 1);
    });
    this.predecessors = region.blocks.map(() => []);
    region.blocks.forEach((block, from) => {
      for (const to of block.successors) this.predecessors[to].push(from);
    });
  }

  /** Number of a block in switches; given out as needed, entries first. */
  private numberOf(block: number): number {
    const known = this.numbers.get(block);
    if (known !== undefined) return known;
    const fresh = this.numbers.size + 1;
    this.numbers.set(block, fresh);
    return fresh;
  }

  /** Emits everything. */
  emitRegion(): void {
    const { w, region } = this;
    const entries = new Set(region.entries);
    const items = arrange({ successors: region.blocks.map((b) => b.successors), entries });
    this.numberHeads(items);
    this.prologue();
    this.dispatch = w.open(Op.Loop);
    this.indirect = w.open(Op.Block);
    this.outside = w.open(Op.Block);
    this.emitItems(items, region.entries);
    w.close();
    // A jump to a page offset that no block starts at.
    w.get(L.Base);
    w.get(L.Eip);
    w.op(Op.Add);
    w.set(L.Eip);
    this.leave(SITE_JUMP);
    w.close();
    this.lookUp();
    w.close();
    this.epilogue();
  }

  /** Goes round `$dispatch` to the block at L.Eip, or leaves. */
  private lookUp(): void {
    const { w } = this;
    w.get(L.Eip);
    w.get(L.Base);
    w.op(Op.Xor);
    w.tee(L.T);
    w.opConst(Op.LtU, 4096);
    w.open(Op.If);
    w.get(L.T);
    w.memory(Op.Load8U, this.table);
    w.tee(L.Next);
    w.brIf(this.dispatch);
    w.close();
    this.leave(SITE_JUMP);
  }

  private numberHeads(items: readonly Item[]): void {
    for (const item of items) {
      if (item.heads.length > 1) for (const head of item.heads) this.numberOf(head);
      if (item.body !== null) this.numberHeads(item.body);
    }
  }

  /** Items one behind the other; with `targets` control comes with one of their numbers in L.Next. */
  private emitItems(items: readonly Item[], targets: readonly number[] | null): void {
    const { w } = this;
    const first = targets === null ? 1 : 0;
    for (let n = items.length - 1; n >= first; n--) {
      const switches = items[n].heads.length > 1;
      this.open.push({ label: w.open(Op.Block), reaches: items[n].nodes, switches });
    }
    if (targets !== null) this.emitSwitch(targets);
    items.forEach((item, n) => {
      if (n >= first) {
        w.close();
        this.open.pop();
      }
      this.emitItem(item);
    });
  }

  private emitSwitch(targets: readonly number[]): void {
    this.w.reserve();
    const byNumber: Label[] = [];
    const labelOf = (block: number): Label => this.findOpen(block)!.label;
    const otherwise = labelOf(targets[0]);
    for (const target of targets) byNumber[this.numberOf(target)] = labelOf(target);
    this.w.get(L.Next);
    this.w.brTable(
      Array.from(byNumber, (label) => label ?? otherwise),
      otherwise,
    );
  }

  private emitItem(item: Item): void {
    if (item.body === null) {
      this.emitBlock(item.heads[0]);
      return;
    }
    const switches = item.heads.length > 1;
    const label = this.w.open(Op.Loop);
    this.open.push({ label, reaches: new Set([item.top]), switches });
    this.emitItems(item.body, switches ? item.heads : null);
    this.open.pop();
    this.w.close();
  }

  private findOpen(block: number): Open | undefined {
    for (let n = this.open.length - 1; n >= 0; n--) if (this.open[n].reaches.has(block)) return this.open[n];
    return undefined;
  }

  private emitBlock(n: number): void {
    const { ops } = this;
    const { records, start, end } = this.region.blocks[n];
    this.w.reserve();
    this.kind = this.kindBefore(n);
    this.localKind = this.kind;
    const last = records[records.length - 1];
    const isWhole = hasTranslation(ops, last);
    const count = isWhole ? records.length : records.length - 1;
    if (count > 0) this.chargeBlock(n, count);
    let at = start;
    for (let k = 0; k < count; k++) {
      const i = records[k];
      const next = endOf(ops, i);
      this.begin(i, at, next - at, count - 1 - k);
      this.flagsAreDead = flagsDie(ops, records, k);
      TRANSLATIONS[ops[i + I_ENTRY]]!.emit(this);
      at = next;
    }
    if (!isWhole) {
      this.begin(last, at, end - at, -1);
      this.leaveHere();
    } else if (transferOf(ops, last) === Transfer.None) this.jumpTo(end);
    this.kindAfter.set(n, this.kind);
  }

  /** Known if all blocks that lead here agree; at entries and at tops of loops it is in the local. */
  private kindBefore(n: number): Kind {
    if (this.region.entries.includes(n)) return Kind.Unknown;
    const kinds = this.predecessors[n].map((from) => this.kindAfter.get(from) ?? Kind.Unknown);
    return kinds.length > 0 && kinds.every((kind) => kind === kinds[0]) ? kinds[0] : Kind.Unknown;
  }

  /** Takes `count` from the budget; leaves when that was too much. */
  private chargeBlock(block: number, count: number): void {
    const { w } = this;
    w.get(L.Left);
    w.opConst(Op.Sub, count);
    w.tee(L.Left);
    w.opConst(Op.LtS, 0);
    w.open(Op.If);
    this.leave(SITE_BUDGET - block);
    w.close();
  }

  /** What each block charges. */
  charges(): Charge[] {
    return this.region.blocks.map(({ start, records }) => {
      const isWhole = hasTranslation(this.ops, records[records.length - 1]);
      return { start, count: isWhole ? records.length : records.length - 1 };
    });
  }

  override jumpTo(offset: number): void {
    this.settleKind();
    const block = offset >= 0 && offset < 4096 ? this.region.blockAt.get(offset) : undefined;
    const target = block === undefined ? undefined : this.findOpen(block);
    if (block === undefined || target === undefined) {
      this.w.const(offset);
      this.w.set(L.Eip);
      this.w.br(this.outside);
      return;
    }
    if (target.switches) {
      this.w.const(this.numberOf(block));
      this.w.set(L.Next);
    }
    this.w.br(target.label);
  }

  override jumpIndirect(): void {
    this.settleKind();
    this.w.br(this.indirect);
  }
}
