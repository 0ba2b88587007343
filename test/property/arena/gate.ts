/**
 * Which objects a request may use: alive, dying, locked by somebody else. An operation that is in flight changes that
 * at a moment of its own, so beside it both answers are right; without it only one is.
 */
import { Errno, Reason } from '../../../src/abi/errno.ts';
import type { RpcReply } from '../../../src/abi/server.ts';
import type { Model } from '../../../src/physmem/model.ts';

/** What a request goes through. */
export interface Subject {
  readonly kind: 'control' | 'container' | 'limited' | 'space';
  readonly id: number;
  /** For a container: the limited capability that names it, or 0. */
  readonly through?: number;
  /** A container whose lock does not matter (share, revoke, lock, query). */
  readonly locked?: 'ignored';
  /** A container that may be used while it dies (unlock). */
  readonly dying?: 'accepted';
}

const GATE_REASONS: ReadonlySet<number> = new Set([Reason.LOCKED, Reason.DYING, Reason.DEAD_OBJECT]);

/** Whether a refusal is about the state of an object, not about what was asked. */
export const isGateRefusal = (reply: RpcReply): boolean =>
  reply.errno !== Errno.OK && GATE_REASONS.has(reply.words[1]!);

const keyOf = ({ kind, id }: Pick<Subject, 'kind' | 'id'>): string => `${kind}${id}`;

export class Gate {
  readonly dying = new Set<string>();
  readonly #model: Model;
  /** Last change of each object, by the clock of flights. */
  readonly #changes = new Map<string, number>();
  /** Operations in flight that change an object. */
  readonly #pending = new Map<string, number>();

  constructor(model: Model) {
    this.#model = model;
  }

  /** The errno that a request must get now, or null. Whether a space is there is told later. */
  now(subjects: readonly Subject[], task: number, time: number): Errno | null {
    for (const subject of subjects) {
      const errno = this.#fault(subject, task, time);
      if (errno !== null) return errno;
    }
    return null;
  }

  #fault(subject: Subject, task: number, time: number): Errno | null {
    const { kind, id } = subject;
    if (kind === 'space') return null;
    const { controls, containers, limiteds } = this.#model;
    const isThere = { control: controls, container: containers, limited: limiteds }[kind].has(id);
    if (!isThere) return Errno.EBADF;
    if (subject.dying !== 'accepted' && this.dying.has(keyOf(subject))) return Errno.EBUSY;
    if (kind !== 'container' || subject.locked === 'ignored') return null;
    const lock = this.#model.lockOf(id, time);
    const isHolder = lock?.task === task && lock.limited === (subject.through ?? 0);
    return lock === null || isHolder ? null : Errno.EBUSY;
  }

  /** Something about an object may change from now until `settled`. */
  begin(kind: Subject['kind'], id: number): void {
    const key = keyOf({ kind, id });
    this.#pending.set(key, (this.#pending.get(key) ?? 0) + 1);
  }

  settled(kind: Subject['kind'], id: number, clock: number): void {
    const key = keyOf({ kind, id });
    this.#pending.set(key, this.#pending.get(key)! - 1);
    this.changed(kind, id, clock);
  }

  changed(kind: Subject['kind'], id: number, clock: number): void {
    this.#changes.set(keyOf({ kind, id }), clock);
  }

  /** Whether one of them changes just now. */
  isUnsure(subjects: readonly Subject[]): boolean {
    return subjects.some((subject) => (this.#pending.get(keyOf(subject)) ?? 0) > 0);
  }

  /** Whether one of them has changed since `begun`, or changes just now. */
  hasChanged(subjects: readonly Subject[], begun: number): boolean {
    if (this.isUnsure(subjects)) return true;
    return subjects.some((subject) => (this.#changes.get(keyOf(subject)) ?? -1) >= begun);
  }
}
