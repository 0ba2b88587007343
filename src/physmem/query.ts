/** What a client may ask: the state of pages, one word each (PageState bits of src/abi/rpcs.ts). */
import { PAGE_ORDER_SHIFT, PageState } from '../abi/rpcs.ts';
import type { RpcReply } from '../abi/server.ts';
import { UNBOUND } from './frame.ts';
import { holdOf } from './hold.ts';
import { Hold } from './loan.ts';
import { entryAt } from './names.ts';
import { ok } from './reply.ts';
import type { Store } from './store.ts';

/** Pages that one container_query can tell about. */
export const QUERY_PAGES_MAX = 48;

export function queryPages(store: Store, container: number, page: number, pages: number): RpcReply {
  const count = Math.min(pages, QUERY_PAGES_MAX);
  const words = [count * 4096];
  for (let i = 0; i < count; i += 1) words.push(pageState(store, container, page + i));
  return ok(words);
}

/** PageState word of a page. */
export function pageState(store: Store, container: number, page: number): number {
  const { entries, frames, base } = store;
  const entry = entryAt(store, container, page);
  if (entry === 0) return 0;
  const frame = entries.frame[entry]!;
  const block = frames.block[frame]!;
  let state = PageState.NAMED | (frames.order(frame) << PAGE_ORDER_SHIFT);
  if (block !== UNBOUND) state |= PageState.BOUND;
  if (frames.isCow(frame)) state |= PageState.COW;
  if (entries.next[frames.entries[frame]!] !== 0) state |= PageState.SHARED;
  if (block !== UNBOUND && base.pins[block] !== 0) state |= PageState.PINNED;
  const hold = holdOf(store, entry);
  if (hold === Hold.EXTRA) state |= PageState.EXTRA;
  if (hold === Hold.SOFT) state |= PageState.SOFT;
  return state;
}
