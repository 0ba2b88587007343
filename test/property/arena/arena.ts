/**
 * The server and the flat model side by side, with operations of several tasks in flight at once. The model does an
 * operation when the server has ended it: operations on one container take turns, so that order is the one in which the
 * server did them (linearisation at the end). What an operation beside others may find differently (credit that another
 * one holds, a lock that comes and goes) is allowed just where another one was there; alone, everything is exact.
 */
import { Errno, Reason } from '../../../src/abi/errno.ts';
import { CapType } from '../../../src/abi/rights.ts';
import { Op } from '../../../src/abi/rpcs.ts';
import type { CapRef, Operation, RpcReply } from '../../../src/abi/server.ts';
import { objectIndex } from '../../../src/physmem/control.ts';
import { UNBOUND } from '../../../src/physmem/frame.ts';
import { Model, type Outcome } from '../../../src/physmem/model.ts';
import { entryAt } from '../../../src/physmem/names.ts';
import { BenchTop, PAGE, type Setup, taskCap } from '../../unit/physmem/bench-top.ts';
import { Flights, type Life } from './flights.ts';
import { Gate, isGateRefusal, type Subject } from './gate.ts';
import { Journal } from './journal.ts';
import { Views } from './views.ts';

export interface Held {
  readonly cap: CapRef;
  /** Object number in the model. */
  readonly id: number;
}

/** A request as the arena starts it. */
export interface Asked {
  readonly what: string;
  readonly task: number;
  readonly op: Op;
  readonly on: CapRef;
  readonly words: readonly number[];
  readonly caps?: readonly CapRef[];
  readonly subjects: readonly Subject[];
  /** Containers whose names it changes or reads; not one that is being cut by a revocation. */
  readonly uses: readonly number[];
  readonly begin?: () => void;
}

export type Finish = (reply: RpcReply, life: Life) => void;

/** What these took away is gone from the tables, whatever they say of a core that is silent. */
const DONE_ANYWAY: ReadonlySet<Op> = new Set([
  Op.ALLOCATE,
  Op.DEALLOCATE,
  Op.UNMAP,
  Op.COPY,
  Op.RELEASE,
  Op.REVOKE,
  Op.CONTAINER_DESTROY,
  Op.CONTROL_DESTROY,
]);

export const isSilent = (reply: RpcReply): boolean =>
  reply.errno === Errno.ETIMEDOUT && reply.words[1] === Reason.CORE_SILENT;

export const idOf = (cap: CapRef): number => cap.object;
export const pagesDone = (reply: RpcReply): number => (reply.words[0] ?? 0) / PAGE;
export const PHYSMEM_CAP: CapRef = { type: CapType.PHYSMEM, object: 0, rights: 0xffff };

export class Arena {
  readonly top: BenchTop;
  readonly model = new Model();
  readonly flights: Flights;
  readonly gate: Gate;
  readonly views: Views;
  readonly journal = new Journal();
  controls: Held[] = [];
  containers: Held[] = [];
  limiteds: Held[] = [];
  pins: Held[] = [];
  /** Capabilities of containers that are gone. */
  readonly stale: Held[] = [];
  /** Containers of which a revocation is cutting names just now: what they hold is known when it has ended. */
  readonly flux = new Set<number>();
  /** Tasks that are dying. */
  readonly doomed = new Set<number>();
  /** Requests that got past the bench: what the count of operations means. */
  operations = 0;
  succeeded = 0;
  /** What was seen through deferred unmaps, by core, task and page. */
  readonly leftBehind = new Map<string, number>();
  /** Last value that user code wrote. */
  stamp = 1000;

  constructor(setup: Setup) {
    this.top = new BenchTop(setup);
    this.top.afterEach = () => {};
    this.top.kernel.charge = () => {};
    this.flights = new Flights(this.top);
    this.gate = new Gate(this.model);
    this.views = new Views(this.model);
    const { root } = this.top;
    const [total] = this.top.must(this.top.call(Op.CONTROL_QUERY, root)).words;
    this.model.controls.set(idOf(root), { total: total!, parent: 0 });
    this.model.tablesOf = (task) => this.top.kernel.spaces.get(task)?.tables.size ?? 0;
    const boot = this.top.physmem.bootContainer;
    this.model.containers.set(idOf(boot), { control: idOf(root), names: new Map() });
    this.controls.push({ cap: root, id: idOf(root) });
  }

  get now(): number {
    return this.top.kernel.time;
  }

  /**
   * Starts a request, unless what it uses is in flux or its task is dying. What the gate refuses ends here; otherwise
   * `asked.begin` is called before it starts, and `finish` hears how it ended.
   */
  ask(asked: Asked, finish: Finish): void {
    const { what, task, op, on, words, caps, subjects, uses } = asked;
    if (this.doomed.has(task) || uses.some((id) => this.flux.has(id))) return;
    this.operations += 1;
    this.model.expirePins(this.now);
    const wanted = this.gate.now(subjects, task, this.now);
    const isUnsure = this.gate.isUnsure(subjects);
    if (wanted === null) asked.begin?.();
    let isStarting = true;
    const done = (said: RpcReply | null, life: Life): void => {
      if (said === null) throw new Error(`${what}: no reply`);
      const reply = DONE_ANYWAY.has(op) ? this.#spoken(said, life) : said;
      const isRefused = isGateRefusal(reply);
      const text = `${what}: ${Errno[reply.errno]} ${reply.words.join(' ')}`;
      if (wanted !== null) {
        this.same(isStarting && isRefused, true, `${text}: refused at once with ${Errno[wanted]}`);
        if (!isUnsure) this.same(Errno[reply.errno], Errno[wanted], text);
        return;
      }
      const mayBe = isUnsure || (life.overlapped && this.gate.hasChanged(subjects, life.begun));
      if (isRefused && subjects.length > 0) this.same(mayBe, true, `${text}: may be refused`);
      if (reply.errno === Errno.OK) this.succeeded += 1;
      finish(reply, life);
    };
    this.flights.begin({ what, task, uses, done }, () => this.top.start(op, on, words, caps, task));
    isStarting = false;
  }

  /** An operation that is done while a core is silent says so (docs/adr/0012); the model does it all the same. */
  #spoken(reply: RpcReply, life: Life): RpcReply {
    if (!isSilent(reply)) return reply;
    this.same(this.hadLimbo(life), true, 'a core is said to be silent');
    return { errno: Errno.OK, words: [reply.words[0]!, 0], caps: reply.caps };
  }

  /** Starts what the kernel asks of the server itself. */
  tell(what: string, operation: Operation<void> | null, done: (life: Life) => void): void {
    this.flights.begin({ what, task: 0, uses: [], done: (_, life) => done(life) }, () => operation);
  }

  /** Whether memory was in limbo during a life: a core had not answered in time. */
  hadLimbo({ begun }: Life): boolean {
    return this.flights.late.length > 0 || this.flights.lastLate >= begun;
  }

  /** A container, or a limited capability to one, as the model knows it; null when it is gone. */
  containerOf(held: Held): number {
    return held.cap.type === CapType.LIMITED ? (this.model.limiteds.get(held.id)?.container ?? 0) : held.id;
  }

  subjectsOf(held: Held, locked?: 'ignored'): Subject[] {
    if (held.cap.type !== CapType.LIMITED)
      return [{ kind: 'container', id: held.id, ...(locked && { locked }) }];
    const through = held.id;
    const id = this.containerOf(held);
    return [
      { kind: 'limited', id: through },
      { kind: 'container', id, through, ...(locked && { locked }) },
    ];
  }

  /** Forgets capabilities of what is gone. */
  forgetDead(): void {
    this.controls = this.controls.filter(({ id }) => this.model.controls.has(id));
    this.stale.push(...this.containers.filter(({ id }) => !this.model.containers.has(id)));
    this.containers = this.containers.filter(({ id }) => this.model.containers.has(id));
    this.limiteds = this.limiteds.filter(({ id }) => this.model.limiteds.has(id));
    this.pins = this.pins.filter(({ id }) => this.model.pins.has(id));
  }

  /** A partial result of an operation beside others: no more than the names allow, and less only for credit or pins. */
  loosely(reply: RpcReply, names: Outcome, what: string): number {
    const pages = pagesDone(reply);
    if (reply.errno === names.errno && pages === names.pages) return pages;
    const isForOthers =
      reply.errno === Errno.ENOMEM || (reply.errno === Errno.EBUSY && reply.words[1] === Reason.PINNED);
    this.same(
      isForOthers && pages <= names.pages,
      true,
      `${what}: ${Errno[reply.errno]} after ${pages} pages`,
    );
    return pages;
  }

  compare(reply: RpcReply, expected: Outcome, what: string): void {
    this.same(Errno[reply.errno], Errno[expected.errno], `${what}: errno (${reply.words.join(' ')})`);
    this.same(pagesDone(reply), expected.pages, `${what}: pages`);
  }

  same(actual: unknown, expected: unknown, what: string): void {
    if (actual !== expected) throw new Error(`${what}: ${String(actual)} instead of ${String(expected)}`);
  }

  /** Base frame of a page, from the server's records: undefined where it has no name, UNBOUND where it has no memory. */
  frameOf(container: number, page: number): number | undefined {
    const { store } = this.top.physmem;
    const entry = entryAt(store, objectIndex(container), page);
    if (entry === 0) return undefined;
    const block = store.frames.block[store.entries.frame[entry]!]!;
    return block === UNBOUND ? UNBOUND : block + page - store.entries.start[entry]!;
  }

  /** What a page of a container holds. */
  valueOf(container: number, page: number): number | undefined {
    const frame = this.frameOf(container, page);
    return frame === UNBOUND ? 0 : this.top.kernel.contents[frame ?? -1];
  }

  /** Sets the scene: controls under the root, tasks with spaces, a container in each control. */
  prepare(tasks: readonly number[], frames: readonly number[]): void {
    const { root } = this.top;
    for (const count of frames) {
      const cap = this.top.split(root, count);
      this.model.split(idOf(root), idOf(cap), count);
      this.controls.push({ cap, id: idOf(cap) });
    }
    for (const [i, task] of tasks.entries()) {
      const control = this.controls[i % this.controls.length]!;
      this.top.must(this.top.call(Op.CONTROL_SPONSOR, control.cap, [], [taskCap(task)]));
      this.model.spaces.set(task, control.id);
    }
    for (const control of this.controls) {
      const cap = this.top.container(control.cap);
      this.model.containers.set(idOf(cap), { control: control.id, names: new Map() });
      this.containers.push({ cap, id: idOf(cap) });
    }
  }
}
