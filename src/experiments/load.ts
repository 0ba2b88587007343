/**
 * A load as a compiler farm makes it: objects of 1 to 32 pages come and live for an exponentially distributed number of
 * steps. A part of them is pinned while it lives.
 */
import { Errno } from '../abi/errno.ts';
import { PIN_CYCLES_MAX } from '../abi/rpcs.ts';
import type { CapRef } from '../abi/server.ts';
import type { Random } from './random.ts';
import type { ServerWorld } from './server-world.ts';

const OBJECT_PAGES_MAX = 32;
/** Cycles of the task's own work in one step. */
const STEP_CYCLES = 20_000;

interface LoadObject {
  readonly page: number;
  readonly pages: number;
  readonly endsAt: number;
  readonly pins: readonly CapRef[];
}

export interface LoadOptions {
  /** Pages that live objects shall have together. */
  readonly pages: number;
  /** Share of the objects that are pinned. */
  readonly pinned: number;
}

export class Load {
  livePages = 0;
  /** Objects that could not be made. */
  refused = 0;
  readonly #world: ServerWorld;
  readonly #random: Random;
  readonly #container: CapRef;
  readonly #options: LoadOptions;
  #objects: LoadObject[] = [];
  /** Places of 32 pages for names that are free. */
  readonly #places: number[] = [];
  #nextPlace = 0;
  #step = 0;

  constructor(world: ServerWorld, random: Random, options: LoadOptions) {
    this.#world = world;
    this.#random = random;
    this.#options = options;
    this.#container = world.createContainer();
  }

  /** Makes objects until as many pages live as are wanted. */
  start(): void {
    while (this.livePages < this.#options.pages && this.#make());
  }

  /** One step: what is over goes, and objects come until as many pages live as before. */
  step(): void {
    this.#step += 1;
    this.#drop(({ endsAt }) => endsAt <= this.#step);
    this.start();
    this.#world.think(STEP_CYCLES);
  }

  /** The load ends: a share of its objects, at random, stays. */
  end(stays: number): void {
    this.#drop(() => !this.#random.happens(stays));
  }

  /** Frees what `isOver`. */
  #drop(isOver: (object: LoadObject) => boolean): void {
    const kept: LoadObject[] = [];
    for (const object of this.#objects) {
      if (!isOver(object)) {
        kept.push(object);
        continue;
      }
      for (const pin of object.pins) this.#world.unpin(pin);
      this.#world.deallocate(this.#container, object.page, object.pages);
      this.#places.push(object.page);
      this.livePages -= object.pages;
    }
    this.#objects = kept;
  }

  /** Small objects are many: a class of twice the size is half as likely. */
  #size(): number {
    let limit = 1;
    while (limit < OBJECT_PAGES_MAX && this.#random.happens(1 / 2)) limit *= 2;
    return 1 + this.#random.below(limit);
  }

  #make(): boolean {
    const pages = this.#size();
    const page = this.#places.pop() ?? this.#nextPlace;
    const isPinned = this.#random.happens(this.#options.pinned);
    // Mean lifetime: so long that a hundredth of the objects ends in a step.
    const endsAt = this.#step + 1 + this.#random.exponential(100);
    if (this.#world.allocate(this.#container, page, pages) !== Errno.OK) {
      this.#places.push(page);
      this.refused += 1;
      return false;
    }
    if (page === this.#nextPlace) this.#nextPlace += OBJECT_PAGES_MAX;
    this.#world.touch(this.#container, page, pages);
    const pins: CapRef[] = [];
    for (let i = 0; isPinned && i < pages; i += 1) {
      const pin = this.#world.pin(this.#container, page + i, PIN_CYCLES_MAX);
      if (pin !== null) pins.push(pin);
    }
    this.livePages += pages;
    this.#objects.push({ page, pages, endsAt, pins });
    return true;
  }
}
