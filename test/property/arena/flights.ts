/**
 * Operations of the server in flight side by side, as a kernel drives them, in an order that the program decides: each
 * stands at a wait (a shootdown that is not acknowledged, a pause, an event) until the program lets it go on.
 */
import type { Operation, RpcReply, ShootdownBatch, Wait, WaitResult } from '../../../src/abi/server.ts';
import { NEVER } from '../../../src/physmem/guard.ts';
import type { BenchTop } from '../../unit/physmem/bench-top.ts';

type AnyOperation = Operation<RpcReply | undefined> | Operation<void>;

/** When an operation ran, and whether anything else did meanwhile. */
export interface Life {
  readonly begun: number;
  overlapped: boolean;
}

export interface Flight {
  readonly what: string;
  readonly task: number;
  /** Containers that it works on. */
  readonly uses: readonly number[];
  readonly life: Life;
  readonly done: (reply: RpcReply | null, life: Life) => void;
}

interface Aloft extends Flight {
  readonly operation: AnyOperation;
  wait: Wait;
  /** What it goes on with when its event has come; null while it has not. */
  result: WaitResult | null;
}

export class Flights {
  readonly aloft: Aloft[] = [];
  /** Batches that a core has not answered in time. */
  readonly late: ShootdownBatch[] = [];
  /** Counts starts and ends of operations. */
  clock = 0;
  waits = 0;
  /** When the last late answer came. */
  lastLate = -1;
  readonly #top: BenchTop;

  constructor(top: BenchTop) {
    this.#top = top;
    top.kernel.onWake = (key) => {
      for (const flight of this.aloft) {
        if (flight.wait.kind === 'event' && flight.wait.key === key) flight.result = 'done';
      }
    };
  }

  get isEmpty(): boolean {
    return this.aloft.length === 0;
  }

  /** Starts an operation and runs it to its first wait. `start` gives the server's answer. */
  begin(flight: Omit<Flight, 'life'>, start: () => RpcReply | AnyOperation | null): void {
    this.clock += 1;
    const life: Life = { begun: this.clock, overlapped: this.aloft.length + this.late.length > 0 };
    for (const other of this.aloft) other.life.overlapped = true;
    const answer = start();
    if (answer === null) flight.done(null, life);
    else if ('errno' in answer) flight.done(answer, life);
    else this.#fly({ ...flight, life }, answer);
    this.#adopt();
  }

  /** Work that the server goes on with by itself. */
  #adopt(): void {
    const { spawned } = this.#top.kernel;
    for (let work = spawned.shift(); work !== undefined; work = spawned.shift()) {
      const operation = work;
      this.begin({ what: 'background', task: 0, uses: [], done: () => {} }, () => operation);
    }
  }

  #fly(flight: Flight, operation: AnyOperation): void {
    const step = operation.next('done');
    if (step.done === true) this.#end(flight, step.value ?? undefined);
    else this.aloft.push({ ...flight, operation, wait: step.value, result: null });
  }

  #end(flight: Flight, reply: RpcReply | undefined): void {
    this.clock += 1;
    flight.done(reply ?? null, flight.life);
  }

  /** Lets the n-th operation that can go on take a step. Returns whether there was one. */
  advance(n: number, answers: 'in time' | 'late'): boolean {
    const can = this.aloft.filter(({ wait, result }) => wait.kind !== 'event' || result !== null);
    if (can.length === 0) return false;
    const flight = can[n % can.length]!;
    this.waits += 1;
    const step = flight.operation.next(this.#resultOf(flight, answers));
    flight.result = null;
    if (step.done !== true) flight.wait = step.value;
    else {
      this.aloft.splice(this.aloft.indexOf(flight), 1);
      this.#end(flight, step.value ?? undefined);
    }
    this.#adopt();
    return true;
  }

  #resultOf({ wait, result, life }: Aloft, answers: 'in time' | 'late'): WaitResult {
    if (wait.kind === 'event') return result!;
    if (wait.kind === 'pause') return 'done';
    if (answers === 'in time') {
      this.#top.kernel.acknowledge(wait.batch);
      return 'done';
    }
    this.late.push(wait.batch);
    life.overlapped = true;
    return 'limbo';
  }

  /** Time passes; waits with a deadline end. */
  pass(cycles: number): void {
    this.#top.kernel.time += cycles;
    for (const flight of this.aloft) {
      const { wait } = flight;
      if (wait.kind === 'event' && wait.deadlineCycles <= this.#top.kernel.time) flight.result ??= 'timeout';
    }
  }

  /** When all wait for events: time passes to the first deadline. Returns whether there is one. */
  #skipToDeadline(): boolean {
    const deadlines = this.aloft.map(({ wait }) => (wait.kind === 'event' ? wait.deadlineCycles : 0));
    const first = Math.min(...deadlines);
    if (first === NEVER) return false;
    this.pass(Math.max(0, first - this.#top.kernel.time));
    return true;
  }

  answerLate(): void {
    const batch = this.late.pop();
    if (batch === undefined) return;
    this.#top.kernel.acknowledge(batch);
    this.#top.physmem.lateAnswer(batch);
    this.lastLate = this.clock;
  }

  /** Runs everything to its end. @throws when nothing can go on (I38) */
  land(): void {
    for (let steps = 0; this.aloft.length > 0; steps += 1) {
      this.pass(1000);
      if (steps < 20_000 && (this.advance(steps, 'in time') || this.#skipToDeadline())) continue;
      const waits = this.aloft.map(({ what, wait }) => `${what} waits for ${JSON.stringify(wait)}`);
      throw new Error(`I38: nothing can go on: ${waits.join('; ')}`);
    }
    while (this.late.length > 0) this.answerLate();
  }
}
