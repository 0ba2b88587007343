/**
 * The protocol between the kernel and a privileged server behind IPC: a request comes as plain numbers, the
 * server answers at once or as a resumable operation (a generator) that yields what it waits for. The kernel
 * drives the generator; other cores and other requests go on meanwhile.
 */

/** A capability as it crosses the line: the kernel does not know what `object` means for server types. */
export interface CapRef {
  /** CapType. */
  readonly type: number;
  /** Identity of the object for its owner (kernel: task or thread number; server: its own badge). */
  readonly object: number;
  readonly rights: number;
}

export interface RpcRequest {
  readonly op: number;
  /** Number of the calling task: its address space is the target of map and unmap. */
  readonly task: number;
  readonly thread: number;
  /** The capability that was invoked. */
  readonly target: CapRef;
  /** Unsigned words; exactly as many as were sent. Valid until the first `yield` of the operation only. */
  readonly words: ArrayLike<number>;
  readonly wordCount: number;
  readonly caps: readonly CapRef[];
  /** The task was booted as a driver (physmem.md §2.6). */
  readonly driver: boolean;
}

export interface RpcReply {
  readonly errno: number;
  readonly words: readonly number[];
  readonly caps: readonly CapRef[];
}

/** Translations that were removed or narrowed and must leave every TLB. Made and understood by the kernel. */
export interface ShootdownBatch {
  /** Pages recorded so far. */
  readonly pageCount: number;
}

/** What an operation waits for. */
export type Wait =
  /** Until no TLB holds what the batch lists: 'done'; or 'limbo' when a core neither answers nor enters the kernel. */
  | { readonly kind: 'shootdown'; readonly batch: ShootdownBatch }
  /** A slice of long work ends here: other work may run, then the operation goes on. */
  | { readonly kind: 'pause' }
  /** Until `wake(key)` is called, or the time is reached: 'done' or 'timeout'. Key is any integer of the server. */
  | { readonly kind: 'event'; readonly key: number; readonly deadlineCycles: number };

export type WaitResult = 'done' | 'timeout' | 'limbo';

export type Operation<Result = RpcReply> = Generator<Wait, Result, WaitResult>;

/** A fault of a boot task's pager thread, which has no other pager than the server. */
export interface BootFault {
  readonly task: number;
  readonly thread: number;
  readonly address: number;
  readonly errorCode: number;
}
