/**
 * Every operation of the physmem server, as data (physmem.md §2-§9). A request is a message to the capability of
 * the object: label = `op`, words = the arguments in order, capability items = `caps`. The reply's label is an
 * errno. Success: words = `returns` in order, items = `returnCaps`. Refusal: word 0 = amount done (bytes; 0 where the operation has none),
 * word 1 = Reason, word 2 = index of the argument to blame, word 3 = the limit that was hit.
 */
import type { ArgumentDef } from './syscalls.ts';

export interface RpcDef {
  readonly op: number;
  readonly name: string;
  /** Capability types on which it may be invoked. */
  readonly on: readonly ('physmem' | 'control' | 'container' | 'limited' | 'pin')[];
  /** Rights that the invoked capability must have (names of RIGHTS). */
  readonly rights: readonly string[];
  readonly summary: string;
  readonly args: readonly ArgumentDef[];
  readonly caps: readonly ArgumentDef[];
  readonly returns: readonly ArgumentDef[];
  readonly returnCaps: readonly ArgumentDef[];
  readonly errors: readonly string[];
  /** When the last argument (`name…`) is a list: words of one element, and elements at least one and at most. */
  readonly list?: { readonly words: number; readonly elementsMax: number };
}

/** Words of a range of container_copy_list, and the ranges that fit in a message behind the flags. */
export const COPY_LIST_WORDS = 3;
export const COPY_LIST_RANGES_MAX = 19;

export enum Op {
  NULL = 0,
  CONTROL_SPLIT = 1,
  CONTROL_DESTROY = 2,
  CONTROL_QUERY = 3,
  CONTAINER_CREATE = 4,
  CONTROL_SPONSOR = 5,
  CONTROL_QUERY_EXTRA = 6,
  ALLOCATE = 16,
  DEALLOCATE = 17,
  MAP = 18,
  UNMAP = 19,
  COPY = 20,
  RELEASE = 21,
  SHARE = 22,
  REVOKE = 23,
  CONTAINER_QUERY = 24,
  CONTAINER_DESTROY = 25,
  LOCK = 26,
  UNLOCK = 27,
  PIN = 28,
  UNPIN = 29,
  RECOVER = 30,
  CONTROL_ON_RETURN = 31,
  COPY_LIST = 32,
}

const a = (name: string, meaning: string): ArgumentDef => ({ name, meaning });
const START = a('start', 'first byte, page aligned');
const SIZE = a('size', 'bytes, page aligned, not zero');
const AMOUNT = a('amount', 'bytes done');

export const RPCS: readonly RpcDef[] = [
  {
    op: Op.NULL,
    name: 'null',
    on: ['physmem'],
    rights: [],
    summary: 'Does nothing; measures the round trip.',
    args: [],
    caps: [],
    returns: [],
    returnCaps: [],
    errors: [],
  },
  {
    op: Op.CONTROL_SPLIT,
    name: 'control_split',
    on: ['control'],
    rights: ['SPLIT'],
    summary: 'Moves credit for n base frames out of a control into a new child control.',
    args: [a('frames', 'base frames, 1 .. free')],
    caps: [],
    returns: [],
    returnCaps: [a('child', 'the new control, all rights')],
    errors: ['EPERM', 'EINVAL', 'ENOMEM', 'EBUSY'],
  },
  {
    op: Op.CONTROL_DESTROY,
    name: 'control_destroy',
    on: ['control'],
    rights: ['DESTROY'],
    summary:
      'Destroys a control, its descendants and all that is charged to them; the credit goes to the parent.',
    args: [],
    caps: [],
    returns: [],
    returnCaps: [],
    errors: ['EPERM', 'EBUSY'],
  },
  {
    op: Op.CONTROL_QUERY,
    name: 'control_query',
    on: ['control'],
    rights: ['QUERY'],
    summary: 'Tells how the credit of a control stands, in base frames.',
    args: [],
    caps: [],
    returns: [
      a('total', 'credit in all'),
      a('free', 'not in use'),
      a('charged', 'entries and page tables'),
      a('children', 'given to children'),
      a('pinned', 'pinned now'),
      a('extra', 'named beyond the guarantee'),
    ],
    returnCaps: [],
    errors: ['EPERM'],
  },
  {
    op: Op.CONTAINER_CREATE,
    name: 'container_create',
    on: ['control'],
    rights: ['CREATE'],
    summary: 'Creates an empty container that charges this control.',
    args: [],
    caps: [],
    returns: [],
    returnCaps: [a('container', 'the new container, all rights')],
    errors: ['EPERM', 'EBUSY', 'ENOMEM'],
  },
  {
    op: Op.CONTROL_SPONSOR,
    name: 'control_sponsor',
    on: ['control'],
    rights: ['CREATE'],
    summary:
      'Lets the control pay for the page directory, page tables and message frame of a task (3 frames at once, then 1 per table).',
    args: [],
    caps: [a('task', 'the task; needs MAP')],
    returns: [],
    returnCaps: [],
    errors: ['EPERM', 'EEXIST', 'ENOMEM', 'EBUSY', 'EBADF', 'ESRCH'],
  },
  {
    op: Op.CONTROL_QUERY_EXTRA,
    name: 'control_query_extra',
    on: ['control'],
    rights: ['QUERY'],
    summary: 'Tells what a control holds beyond its guarantee, in base frames.',
    args: [],
    caps: [],
    returns: [
      a('extra', 'named beyond the guarantee'),
      a('bound', 'of these, in memory now'),
      a('soft', 'given back softly and not reused yet'),
      a('lost', 'soft references that were reused, so far'),
      a('room', 'extra frames that anybody could get now'),
    ],
    returnCaps: [],
    errors: ['EPERM'],
  },
  {
    op: Op.ALLOCATE,
    name: 'container_allocate',
    on: ['container'],
    rights: ['ALLOCATE'],
    summary:
      'Gives names to new, zeroed memory: the least number of power-of-two frames; bound at first use.',
    args: [START, SIZE, a('flags', 'AllocFlag bits')],
    caps: [],
    returns: [AMOUNT],
    returnCaps: [],
    errors: ['EPERM', 'EINVAL', 'EEXIST', 'ENOMEM', 'EBUSY'],
  },
  {
    op: Op.DEALLOCATE,
    name: 'container_deallocate',
    on: ['container'],
    rights: ['DEALLOCATE'],
    summary: 'Takes the names and the memory behind them away; holes are skipped.',
    args: [START, SIZE],
    caps: [],
    returns: [AMOUNT],
    returnCaps: [],
    errors: ['EPERM', 'EINVAL', 'EBUSY'],
  },
  {
    op: Op.MAP,
    name: 'container_map',
    on: ['container', 'limited'],
    rights: [],
    summary:
      "Installs translations in the caller's address space, or in that of the task given; each access asked needs its right.",
    args: [
      START,
      SIZE,
      a('vaddr', 'first linear address, page aligned, below USER_TOP'),
      a('access', 'READ, WRITE, EXECUTE bits'),
      a('flags', 'MapFlag bits'),
    ],
    caps: [a('task', 'optional: the task to map into; needs MAP')],
    returns: [AMOUNT, a('access', 'access granted')],
    returnCaps: [],
    errors: ['EPERM', 'EINVAL', 'ENOENT', 'ENOMEM', 'EBUSY', 'EBADF'],
  },
  {
    op: Op.UNMAP,
    name: 'unmap',
    on: ['physmem'],
    rights: [],
    summary: "Removes the caller's own translations of a range of linear addresses.",
    args: [a('vaddr', 'first linear address, page aligned'), SIZE],
    caps: [],
    returns: [AMOUNT],
    returnCaps: [],
    errors: ['EINVAL'],
  },
  {
    op: Op.COPY,
    name: 'container_copy',
    on: ['container', 'limited'],
    rights: ['COPY_OUT'],
    summary: 'Copies names from this container to another: copy-on-write, shared, or moved.',
    args: [
      a('src_start', 'first byte in the source'),
      a('dst_start', 'first byte in the destination'),
      SIZE,
      a('flags', 'CopyFlag bits'),
    ],
    caps: [a('destination', 'a container; needs COPY_IN')],
    returns: [AMOUNT],
    returnCaps: [],
    errors: ['EPERM', 'EINVAL', 'ENOENT', 'EEXIST', 'ENOMEM', 'EBUSY', 'EBADF'],
  },
  {
    op: Op.RELEASE,
    name: 'container_release',
    on: ['container'],
    rights: ['DEALLOCATE'],
    summary:
      'Ends sharing of a range and keeps its names and credit; contents become zeroes or bytes that were readable before. With SOFT the memory is given back, credit and all, but keeps its contents for container_recover until it is reused; what has other users, or was never touched, just loses its name.',
    args: [START, SIZE, a('flags', 'ReleaseFlag bits')],
    caps: [],
    returns: [AMOUNT],
    returnCaps: [],
    errors: ['EPERM', 'EINVAL', 'EBUSY'],
  },
  {
    op: Op.SHARE,
    name: 'container_share',
    on: ['container', 'limited'],
    rights: ['SHARE'],
    summary: 'Makes a limited capability with at most these rights.',
    args: [a('rights', 'rights of the limited capability')],
    caps: [],
    returns: [],
    returnCaps: [a('limited', 'the limited capability')],
    errors: ['EPERM', 'EINVAL', 'EBUSY', 'ENOMEM'],
  },
  {
    op: Op.REVOKE,
    name: 'container_revoke',
    on: ['container', 'limited'],
    rights: ['SHARE'],
    summary:
      'Kills a limited capability and all that was derived from it; every map made through it is gone when the call returns.',
    args: [],
    caps: [a('limited', 'the limited capability')],
    returns: [],
    returnCaps: [],
    errors: ['EPERM', 'EBADF', 'EINVAL'],
  },
  {
    op: Op.CONTAINER_QUERY,
    name: 'container_query',
    on: ['container', 'limited'],
    rights: ['QUERY'],
    summary: 'Tells the state of up to 48 pages: one word each (PageState bits).',
    args: [START, SIZE],
    caps: [],
    returns: [AMOUNT, a('state…', 'one word per page')],
    returnCaps: [],
    errors: ['EPERM', 'EINVAL'],
  },
  {
    op: Op.CONTAINER_DESTROY,
    name: 'container_destroy',
    on: ['container'],
    rights: ['DESTROY'],
    summary: 'Destroys a container and deallocates all that is in it.',
    args: [],
    caps: [],
    returns: [AMOUNT],
    returnCaps: [],
    errors: ['EPERM', 'EBUSY'],
  },
  {
    op: Op.LOCK,
    name: 'container_lock',
    on: ['container', 'limited'],
    rights: ['LOCK'],
    summary:
      'Locks a container for the caller for a bounded time: every map that was not made by the caller through this capability is gone, and requests of others are refused, until unlock, the end of the time, or the end of the holder.',
    args: [a('duration', 'cycles, 1 .. LOCK_CYCLES_MAX')],
    caps: [],
    returns: [],
    returnCaps: [],
    errors: ['EPERM', 'EINVAL', 'EBUSY'],
  },
  {
    op: Op.UNLOCK,
    name: 'container_unlock',
    on: ['container', 'limited'],
    rights: ['LOCK'],
    summary: 'Ends the lock that the caller holds through this capability.',
    args: [],
    caps: [],
    returns: [],
    returnCaps: [],
    errors: ['EPERM'],
  },
  {
    op: Op.PIN,
    name: 'container_pin',
    on: ['container', 'limited'],
    rights: ['PIN'],
    summary:
      'Binds a range and holds it in place for a bounded time. Only a driver is told where: pairs of physical address and size.',
    args: [START, SIZE, a('duration', 'cycles, 1 .. PIN_CYCLES_MAX'), a('flags', 'PinFlag bits')],
    caps: [],
    returns: [
      AMOUNT,
      a('ranges', 'number of pairs that follow'),
      a('range…', 'physical address, size in bytes'),
    ],
    returnCaps: [a('pin', 'ends the pin')],
    errors: ['EPERM', 'EINVAL', 'ENOENT', 'ENOMEM', 'EBUSY', 'EMSGSIZE'],
  },
  {
    op: Op.UNPIN,
    name: 'unpin',
    on: ['pin'],
    rights: [],
    summary: 'Ends a pin. What was deallocated meanwhile is freed when no device can reach it any more.',
    args: [],
    caps: [],
    returns: [],
    returnCaps: [],
    errors: ['EBADF'],
  },
  {
    op: Op.COPY_LIST,
    name: 'container_copy_list',
    on: ['container', 'limited'],
    rights: ['COPY_OUT'],
    summary:
      'Scatters or gathers: container_copy for up to 19 ranges as one copy. No range may write where another one reads or writes, so their order does not matter; with MOVE no two may read the same page. What is done is the ranges in order, up to the first byte that cannot be.',
    args: [
      a('flags', 'CopyFlag bits'),
      a('range…', 'source, destination and size of each range: three words'),
    ],
    caps: [a('destination', 'a container; needs COPY_IN')],
    returns: [AMOUNT],
    returnCaps: [],
    errors: ['EPERM', 'EINVAL', 'ENOENT', 'EEXIST', 'ENOMEM', 'EBUSY', 'EBADF', 'EMSGSIZE'],
    list: { words: COPY_LIST_WORDS, elementsMax: COPY_LIST_RANGES_MAX },
  },
  {
    op: Op.RECOVER,
    name: 'container_recover',
    on: ['container'],
    rights: ['ALLOCATE'],
    summary:
      'Makes softly released memory real again, contents and all, and turns extra memory into guaranteed memory; the control pays. With EXTRA what the credit does not cover becomes, or stays, extra memory.',
    args: [START, SIZE, a('flags', 'AllocFlag.EXTRA or 0')],
    caps: [],
    returns: [AMOUNT],
    returnCaps: [],
    errors: ['EPERM', 'EINVAL', 'ENOENT', 'ENOMEM', 'EBUSY'],
  },
  {
    op: Op.CONTROL_ON_RETURN,
    name: 'control_on_return',
    on: ['control'],
    rights: ['CREATE'],
    summary:
      'Names the thread that gets LABEL_RETURN_FRAMES when others need the extra memory of this control; without a thread, nobody does. The message never waits: frames to give back, and the cycles before the server takes them.',
    args: [a('badge', 'what the thread sees as the badge of the message')],
    caps: [a('thread', 'optional: the thread; needs SEND')],
    returns: [],
    returnCaps: [],
    errors: ['EPERM', 'EBADF', 'ESRCH', 'EBUSY'],
  },
];

/** A lock lasts this many cycles at most; whoever waits for its end waits no longer (physmem.md §4). */
export const LOCK_CYCLES_MAX = 50_000_000;

/** A pin lasts this many cycles at most. */
export const PIN_CYCLES_MAX = 50_000_000;
/** Cycles that the holder of extra memory has to give it back, when a machine's configuration says nothing else. */
export const RETURN_CYCLES = 1_000_000;
/** Physical ranges that one reply can tell. */
export const PIN_RANGES_MAX = 28;

/** Words of container_query: bit 0 named, bit 1 bound, bit 2 copy-on-write, bit 3 shared, bit 4 pinned, bit 5 extra, bit 6 soft, bits 8..12 order. */
export enum PageState {
  NAMED = 1,
  BOUND = 2,
  COW = 4,
  SHARED = 8,
  PINNED = 16,
  EXTRA = 32,
  SOFT = 64,
}
export const PAGE_ORDER_SHIFT = 8;
