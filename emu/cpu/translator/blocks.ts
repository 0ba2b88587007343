/**
 * From decoded records of one physical page to basic blocks. Only code that the interpreter has decoded is looked at,
 * so that nothing is marked as code that was not before. A block ends at a transfer, before an instruction that has no
 * translation, before a leader, or at its longest length.
 */
import type { CodeCache } from '../code-cache.ts';
import { Form } from '../loop.ts';
import { I_ENTRY, I_OP } from '../record.ts';
import { ENTRIES } from '../table/table.ts';
import { endOf, targetOf } from './reach.ts';
import { hasTranslation, Transfer, transferOf } from './translations.ts';

/** Longest block in instructions: a budget that ends inside a block is finished by the interpreter. */
const MAX_BLOCK = 48;
/** Most instructions of a region. */
const MAX_INSTRUCTIONS = 1200;
/** Most places where a region can be entered: their numbers are kept in bytes. */
export const MAX_ENTRIES = 255;

export interface Block {
  /** Page offsets of the first byte, and of the byte behind the last instruction. */
  readonly start: number;
  readonly end: number;
  /** Arena positions of its instructions. */
  readonly records: readonly number[];
  /** Indices of the blocks that follow inside the region. */
  readonly successors: number[];
}

export interface Region {
  readonly blocks: readonly Block[];
  /** Index of the block that starts at a page offset. */
  readonly blockAt: ReadonlyMap<number, number>;
  /** Blocks that can be entered from outside or by an indirect jump. */
  readonly entries: readonly number[];
}

const inPage = (offset: number): boolean => offset >= 0 && offset < 4096;

/** What is known while the code is walked. */
class Walk {
  readonly records = new Map<number, number>();
  readonly leaders = new Set<number>();
  readonly entries = new Set<number>();
  private readonly work: number[];

  constructor(
    private readonly cache: CodeCache,
    private readonly base: number,
    seeds: readonly number[],
  ) {
    this.work = [...seeds];
    for (const seed of seeds) this.lead(seed, 'entry');
    for (let at = this.work.pop(); at !== undefined; at = this.work.pop()) this.follow(at);
  }

  private lead(offset: number, kind: 'entry' | 'inside'): void {
    this.leaders.add(offset);
    if (kind === 'entry') this.entries.add(offset);
  }

  private recordAt(offset: number): number {
    if (!inPage(offset)) return 0;
    const i = this.cache.index[this.base + offset];
    const op = this.cache.ops[i + I_OP];
    return i === 0 || (op >= Form.End && op <= Form.Crossing) ? 0 : i;
  }

  /** Takes instructions one behind the other from `offset` until they end or are known. */
  private follow(from: number): void {
    const { ops } = this.cache;
    for (let at = from; ; ) {
      const i = this.recordAt(at);
      if (i === 0 || this.records.has(at) || this.records.size >= MAX_INSTRUCTIONS) return;
      this.records.set(at, i);
      const next = endOf(ops, i);
      if (!hasTranslation(ops, i)) {
        if (ENTRIES[ops[i + I_ENTRY]].ends === true) return;
        this.lead(next, 'entry');
      } else if (!this.transfer(i, at, next)) return;
      at = next;
    }
  }

  /** Notes where the instruction may go; false when it never goes on to the next one by itself. */
  private transfer(i: number, at: number, next: number): boolean {
    const { ops } = this.cache;
    const kind = transferOf(ops, i);
    if (kind === Transfer.None) return true;
    if (kind === Transfer.Branch || kind === Transfer.Jump || kind === Transfer.Call) {
      const target = targetOf(ops, i);
      if (inPage(target)) {
        this.lead(target, kind === Transfer.Call || target <= at ? 'entry' : 'inside');
        this.work.push(target);
      }
    }
    if (kind === Transfer.Branch) this.lead(next, 'inside');
    else if (kind === Transfer.Call || kind === Transfer.CallIndirect) {
      this.lead(next, 'entry');
      this.work.push(next);
      return false;
    }
    return kind === Transfer.Branch;
  }
}

/** The blocks that can be reached from `seeds` (page offsets) in the code slot that starts at index `base`. */
export function findRegion(cache: CodeCache, base: number, seeds: readonly number[]): Region {
  const walk = new Walk(cache, base, seeds);
  const blocks = cutBlocks(cache.ops, walk);
  const blockAt = new Map(blocks.map((block, n) => [block.start, n]));
  for (const block of blocks) link(cache.ops, block, blockAt);
  const entries = [...walk.entries]
    .filter((offset) => isUseful(cache.ops, blocks[blockAt.get(offset) ?? -1]))
    .map((offset) => blockAt.get(offset)!);
  return { blocks, blockAt, entries: entries.slice(0, MAX_ENTRIES) };
}

/** A block that begins with an instruction without translation would be left at once. */
function isUseful(ops: Int32Array, block: Block | undefined): boolean {
  return block !== undefined && hasTranslation(ops, block.records[0]);
}

function cutBlocks(ops: Int32Array, walk: Walk): Block[] {
  const blocks: Block[] = [];
  const queue = [...walk.leaders];
  const done = new Set<number>();
  for (let start = queue.pop(); start !== undefined; start = queue.pop()) {
    if (!walk.records.has(start) || done.has(start)) continue;
    done.add(start);
    const records: number[] = [];
    let at = start;
    for (let i = walk.records.get(at); i !== undefined; i = walk.records.get(at)) {
      if (records.length > 0 && walk.leaders.has(at)) break;
      if (records.length === MAX_BLOCK) {
        walk.leaders.add(at);
        queue.push(at);
        break;
      }
      records.push(i);
      at = endOf(ops, i);
      if (!hasTranslation(ops, i) || transferOf(ops, i) !== Transfer.None) break;
    }
    blocks.push({ start, end: at, records, successors: [] });
  }
  return blocks.sort((a, b) => a.start - b.start);
}

function link(ops: Int32Array, block: Block, blockAt: ReadonlyMap<number, number>): void {
  const last = block.records[block.records.length - 1];
  if (!hasTranslation(ops, last)) return;
  const kind = transferOf(ops, last);
  const targets: number[] = [];
  if (kind === Transfer.None || kind === Transfer.Branch) targets.push(block.end);
  if (kind === Transfer.Branch || kind === Transfer.Jump || kind === Transfer.Call) {
    targets.push(targetOf(ops, last));
  }
  for (const target of targets) {
    const to = blockAt.get(target);
    if (to !== undefined && !block.successors.includes(to)) block.successors.push(to);
  }
}
