/**
 * The door of the server: what every request is checked for, from the table in src/abi/rpcs.ts, before its handler
 * sees it. Answers never throw: a request of any task with any arguments gets an errno (I35).
 */
import { Errno, Reason } from '../abi/errno.ts';
import { CAP_TYPE_NAMES, CapType, RIGHTS } from '../abi/rights.ts';
import { Op, RPCS, type RpcDef } from '../abi/rpcs.ts';
import type { Operation, RpcReply, RpcRequest } from '../abi/server.ts';
import { HANDLERS } from './handlers.ts';
import { sweepPins } from './pin-end.ts';
import { refusal, refuse } from './reply.ts';
import { rightsFault } from './request.ts';
import { truthful, watched } from './silent-core.ts';
import type { Store } from './store.ts';

interface Row {
  /** Words of every request; the elements of a list follow. */
  readonly words: number;
  /** Words of one element of the list; 0 when there is none. */
  readonly elementWords: number;
  readonly elementsMax: number;
  readonly capsMin: number;
  readonly capsMax: number;
  /** Bit per CapType on which it may be invoked. */
  readonly types: number;
  readonly rights: number;
}

/** The capability argument (a task, a thread) may be left out. */
const OPTIONAL_CAPS: ReadonlySet<number> = new Set([Op.MAP, Op.CONTROL_ON_RETURN]);

function rowOf(def: RpcDef): Row {
  let types = 0;
  for (const name of def.on) types |= 1 << CAP_TYPE_NAMES.indexOf(name);
  const rightType = def.on.includes('control') ? CapType.CONTROL : CapType.CONTAINER;
  let rights = 0;
  for (const name of def.rights) {
    rights |= RIGHTS.find((right) => right.type === rightType && right.name === name)!.bit;
  }
  const capsMin = OPTIONAL_CAPS.has(def.op) ? 0 : def.caps.length;
  const { words: elementWords, elementsMax } = def.list ?? { words: 0, elementsMax: 0 };
  const words = def.args.length - (def.list === undefined ? 0 : 1);
  return { words, elementWords, elementsMax, capsMin, capsMax: def.caps.length, types, rights };
}

const ROWS: readonly (Row | undefined)[] = RPCS.reduce<(Row | undefined)[]>((rows, def) => {
  rows[def.op] = rowOf(def);
  return rows;
}, []);

/** Words of a message with whole elements, at least one, that comes nearest below `count`. */
function wordsWanted(row: Row, count: number): number {
  const elements = Math.floor((count - row.words) / row.elementWords);
  return row.words + row.elementWords * Math.min(Math.max(elements, 1), row.elementsMax);
}

/** Answers a request, at once or as an operation that the kernel runs to its end. */
export function serve(store: Store, request: RpcRequest): RpcReply | Operation {
  store.counters.requests += 1;
  if (store.pins.sweepAt !== Number.MAX_SAFE_INTEGER) sweepPins(store);
  const row = ROWS[request.op];
  const handler = HANDLERS[request.op];
  if (row === undefined || handler === undefined || ((row.types >>> request.target.type) & 1) === 0) {
    return refuse(refusal(Errno.ENOSYS, Reason.UNKNOWN_OP, 0, request.op));
  }
  const wanted = row.elementWords === 0 ? row.words : wordsWanted(row, request.wordCount);
  if (request.wordCount !== wanted) {
    return refuse(refusal(Errno.EMSGSIZE, Reason.BAD_COUNT, 0, wanted));
  }
  if (request.caps.length < row.capsMin || request.caps.length > row.capsMax) {
    return refuse(refusal(Errno.EMSGSIZE, Reason.BAD_COUNT, 0, row.capsMax));
  }
  const fault = row.rights === 0 ? null : rightsFault(request.target, row.rights);
  const answer = fault !== null ? refuse(fault) : handler(store, request);
  return isReply(answer) ? truthful(store, request.op, answer) : watched(store, request.op, answer);
}

const isReply = (answer: RpcReply | Operation): answer is RpcReply =>
  (answer as RpcReply).errno !== undefined;
