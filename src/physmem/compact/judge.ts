/**
 * The server's side of a policy: asks it, and holds every answer to the rules below before anything is done. A policy that
 * breaks one is stopped; the rest of the run goes on as under `none`, and the report says who broke what.
 */
import { PhysmemEv } from '../../abi/events.ts';
import type { PlainData } from '../plain-data.ts';
import type { Store } from '../store.ts';
import { type Goal, type Policy, PolicyEndlessError, type PolicyView, type Proposal } from './policy.ts';
import { countRegion, StoreView } from './view.ts';

/** What a policy must keep to; the numbers are those of the event `compact:policy_stopped`. */
export enum PolicyRule {
  /** It does not throw. */
  NO_THROW = 1,
  /** Its answers have the form that policy.ts says. */
  FORM = 2,
  /** Region and order are those of the zone and order that were asked for, naturally aligned. */
  REGION = 3,
  /** What it wants emptied can be: nothing pinned is in it. */
  PINS = 4,
  /** Nothing fixed (page tables, reserved …) is in it. */
  FIXED = 5,
  /** Something is in it: an empty region needs no work. */
  USE = 6,
  /** Targets are blocks of RAM, and not the block that is emptied. */
  TARGETS = 7,
  /** It comes to an end: no more proposals for one goal than there are blocks, twice over. */
  END = 8,
}

export interface PolicyStop {
  readonly policy: string;
  readonly rule: PolicyRule;
  /** A sentence that begins with what the policy did. */
  readonly sentence: string;
  readonly cycles: number;
}

export const POLICY_MEMORY_WORDS = 16;
const DEFAULT_BATCH = 64;

export class Compaction {
  readonly policy: Policy;
  readonly memory = new Int32Array(POLICY_MEMORY_WORDS);
  readonly #store: Store;
  readonly #view: PolicyView;
  /** Why the policy was stopped; null while it is in office. */
  stopped: PolicyStop | null = null;
  /** Per order: binds that waited for a block to be made, and those of them that got one. */
  readonly tried: Int32Array;
  readonly cured: Int32Array;
  /** Work in the background is under way; never when a snapshot is taken. */
  episode: 'off' | 'on' = 'off';
  /** `zones.turnover` when the policy was asked last. */
  lookedAt = 0;

  constructor(store: Store, policy: Policy) {
    this.#store = store;
    this.policy = policy;
    this.tried = new Int32Array(store.tuning.maxOrder + 1);
    this.cured = new Int32Array(store.tuning.maxOrder + 1);
    this.#view = new StoreView(store);
  }

  get batch(): number {
    return this.policy.batch ?? DEFAULT_BATCH;
  }

  get grouping(): 'on' | 'off' {
    return this.policy.grouping ?? 'off';
  }

  /** Whether a bind that finds no block waits until one is made. */
  onShortage(goal: Goal): 'compact' | 'fail' {
    const answer = this.#ask('onShortage', () => this.policy.onShortage(this.#view, goal));
    if (answer === undefined || answer === 'compact' || answer === 'fail') return answer ?? 'fail';
    this.#stop(PolicyRule.FORM, `onShortage answered ${show(answer)}, not 'compact' or 'fail'`);
    return 'fail';
  }

  background(state: 'resting' | 'working'): Goal | null {
    const goal = this.#ask('background', () => this.policy.background(this.#view, state));
    if (goal === undefined || goal === null) return null;
    const { zone, order } = goal;
    const isGoal = Number.isInteger(order) && order >= 0 && order <= this.#store.tuning.maxOrder;
    if (isGoal && this.#store.zones.zones[zone] !== undefined) return { zone, order };
    this.#stop(
      PolicyRule.FORM,
      `background answered ${show(goal)}, which is no zone and order of this system`,
    );
    return null;
  }

  /** A proposal that keeps the rules, or null. `asked`: proposals so far for this goal. */
  choose(goal: Goal, asked: number): Proposal | null {
    const answer = this.#ask('choose', () => this.policy.choose(this.#view, goal));
    if (answer === undefined || answer === null) return null;
    const fault = this.#fault(goal, answer, asked);
    if (fault === null) return { frame: answer.frame, order: answer.order, into: [...(answer.into ?? [])] };
    this.#stop(...fault);
    return null;
  }

  /** The policy's answer; undefined when it is stopped, or is now. */
  #ask<T>(question: string, answer: () => T): T | undefined {
    if (this.stopped !== null) return undefined;
    try {
      return answer();
    } catch (error) {
      const message = error instanceof Error ? error.message : show(error);
      if (error instanceof PolicyEndlessError)
        this.#stop(PolicyRule.END, `${question} did not end: ${message}`);
      else this.#stop(PolicyRule.NO_THROW, `${question} threw: ${message}`);
      return undefined;
    }
  }

  #fault(goal: Goal, answer: Proposal, asked: number): readonly [PolicyRule, string] | null {
    const { frame, order, into = [] } = answer;
    const { base, zones } = this.#store;
    if (!Number.isInteger(frame) || !Number.isInteger(order) || !Array.isArray(into)) {
      return [PolicyRule.FORM, `choose answered ${show(answer)}, which is no proposal`];
    }
    if (order !== goal.order)
      return [PolicyRule.REGION, `a region of order ${order} was proposed, ${goal.order} is wanted`];
    const { name, buddy } = zones.zones[goal.zone]!;
    const place = hexRange(frame, order);
    if (frame % 2 ** order !== 0) return [PolicyRule.REGION, `the proposed region ${place} is not aligned`];
    if (frame < buddy.base || frame + 2 ** order > buddy.end) {
      return [PolicyRule.REGION, `the proposed region ${place} is outside zone ${name}`];
    }
    const { movable, pinned, fixed } = countRegion(this.#store, frame, order);
    if (pinned > 0) return [PolicyRule.PINS, `the proposed region ${place} has ${pinned} pinned frames`];
    if (fixed > 0)
      return [PolicyRule.FIXED, `the proposed region ${place} has ${fixed} frames that cannot move`];
    if (movable === 0) return [PolicyRule.USE, `the proposed region ${place} is free already`];
    const own = frame >>> base.counts.shift;
    const isWhole = order === base.counts.shift;
    const wrong = into.find((block) => !(block in base.counts.free) || (isWhole && block === own));
    if (wrong !== undefined)
      return [PolicyRule.TARGETS, `block ${show(wrong)} is no target for the region ${place}`];
    const most = 2 * base.counts.blocks;
    return asked <= most
      ? null
      : [PolicyRule.END, `more than ${most} proposals came for one block of order ${order}`];
  }

  #stop(rule: PolicyRule, sentence: string): void {
    const cycles = this.#store.port.now();
    this.stopped = { policy: this.policy.name, rule, sentence, cycles };
    this.#store.port.emit(PhysmemEv.PolicyStopped, rule, 0, 0, 0);
  }

  save(): PlainData {
    return {
      memory: this.memory.slice(),
      tried: this.tried.slice(),
      cured: this.cured.slice(),
      lookedAt: this.lookedAt,
      stopped: this.stopped === null ? null : { ...this.stopped },
    };
  }

  load(saved: PlainData): void {
    const from = saved as unknown as SavedCompaction;
    this.memory.set(from.memory);
    this.tried.set(from.tried);
    this.cured.set(from.cured);
    this.lookedAt = from.lookedAt;
    this.episode = 'off';
    this.stopped = from.stopped === null ? null : { ...from.stopped };
  }
}

type SavedCompaction = Pick<Compaction, 'memory' | 'tried' | 'cured' | 'lookedAt' | 'stopped'>;

/** A value of a policy in a sentence. */
function show(value: unknown): string {
  const text = typeof value === 'function' ? 'a function' : JSON.stringify(value);
  return (text ?? String(value)).slice(0, 80);
}

/** Physical addresses of a region, as everywhere in reports. */
export function hexRange(frame: number, order: number): string {
  const hex = (address: number): string => `0x${address.toString(16).padStart(8, '0')}`;
  return `${hex(frame * 4096)}-${hex((frame + 2 ** order) * 4096 - 1)}`;
}
