/**
 * First-come guards for operations that wait. An operation that suspends keeps its containers guarded, so that a
 * second one on the same container waits its turn (FIFO) and never sees a half state. Guards of two containers
 * are taken in ascending order of their keys, so no cycle of waiting exists (I38). Operations that never wait only
 * look whether the guard is free. Every operation, once started, is run to its end by the kernel, whoever dies.
 */
import type { Operation } from '../abi/server.ts';

/** Keys of `event` waits: the low three bits are the kind. */
export enum KeyKind {
  CONTAINER = 0,
  SPACE = 1,
  CONTROL = 2,
  GLOBAL = 3,
  LOCK = 4,
}
export const containerKey = (index: number): number => index * 8 + KeyKind.CONTAINER;
export const spaceKey = (task: number): number => task * 8 + KeyKind.SPACE;
export const controlKey = (index: number): number => index * 8 + KeyKind.CONTROL;
/** The lock of a container ended. */
export const lockKey = (index: number): number => index * 8 + KeyKind.LOCK;
/** A shootdown ended, a moving frame settled, or memory came free. */
export const PROGRESS_KEY = KeyKind.GLOBAL;

/** Deadline of a wait without one. */
export const NEVER = Number.MAX_SAFE_INTEGER;

export class Guards {
  /** Tickets that wait per key, the holder first. */
  readonly queues = new Map<number, number[]>();
  #lastTicket = 0;

  isFree(key: number): boolean {
    return this.queues.size === 0 || !this.queues.has(key);
  }

  /** Waits for the guard; returns the ticket to leave with. */
  *enter(key: number): Operation<number> {
    this.#lastTicket += 1;
    const ticket = this.#lastTicket;
    const queue = this.queues.get(key);
    if (queue === undefined) {
      this.queues.set(key, [ticket]);
      return ticket;
    }
    queue.push(ticket);
    while (queue[0] !== ticket) yield { kind: 'event', key, deadlineCycles: NEVER };
    return ticket;
  }

  /** Gives the guard to the next in line; the caller then wakes the key. */
  leave(key: number): void {
    const queue = this.queues.get(key);
    if (queue === undefined) return;
    queue.shift();
    if (queue.length === 0) this.queues.delete(key);
  }
}
