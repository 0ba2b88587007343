/**
 * A load as a compiler farm makes it: objects of 1 to 32 pages come and live for an exponentially distributed number of
 * steps. A part of them is pinned while it lives.
 */
import { Errno } from '../abi/errno.ts';
import { PIN_CYCLES_MAX } from '../abi/rpcs.ts';
import type { CapRef } from '../abi/server.ts';
import type { Random } from './random.ts';
import type { ServerWorld } from './server-world.ts';

const CLASSES = 6;
const OBJECT_PAGES_MAX = 2 ** (CLASSES - 1);
/** Cycles of the task's own work in one step. */
const STEP_CYCLES = 20_000;
/** Mean lifetime in steps. */
const LIFETIME_STEPS = 100;
/** Names are handed out in regions of one page table each; the first page of a region stays, so that the table does. */
const REGION_PAGES = 1024;
/** Names for objects, as a multiple of the pages that live at most: places are powers of two, and not all of one size. */
const ROOM = 3;

interface LoadObject {
  readonly page: number;
  readonly pages: number;
  /** Log2 of the place that it has. */
  readonly class: number;
  readonly endsAt: number;
  readonly pins: readonly CapRef[];
}

export interface LoadOptions {
  /** Pages that live objects have together at most. */
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
  /** Free places of each class, and the first page that was never used. */
  readonly #places: number[][] = Array.from({ length: CLASSES }, () => []);
  #nextPage = 0;
  #step = 0;

  constructor(world: ServerWorld, random: Random, options: LoadOptions) {
    this.#world = world;
    this.#random = random;
    this.#options = options;
    this.#container = world.createContainer();
    for (let page = 0; page < ROOM * options.pages; page += REGION_PAGES) {
      world.allocate(this.#container, page, 1);
      world.touch(this.#container, page, 1);
    }
  }

  /** Makes objects until so many pages live. */
  fill(pages: number): void {
    while (this.livePages < pages && this.#make());
  }

  /** One step: what is over goes, and objects come until so many pages live. */
  step(pages: number): void {
    this.#step += 1;
    this.#drop(({ endsAt }) => endsAt <= this.#step);
    this.fill(pages);
    this.#world.think(STEP_CYCLES);
  }

  /** The load ends, and so do its pins; a share of its objects, at random, stays. */
  end(stays: number): void {
    this.#drop(() => !this.#random.happens(stays));
    for (const { pins } of this.#objects) for (const pin of pins) this.#world.unpin(pin);
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
      this.#places[object.class]!.push(object.page);
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

  /** A place for 2^order pages that does not lie across two regions. */
  #place(order: number): number {
    const free = this.#places[order]!.pop();
    if (free !== undefined) return free;
    const size = 2 ** order;
    let page = Math.ceil(this.#nextPage / size) * size;
    // The first page of each region is taken.
    if (page % REGION_PAGES === 0) page += OBJECT_PAGES_MAX;
    this.#nextPage = page + size;
    return page;
  }

  #make(): boolean {
    const pages = this.#size();
    const order = Math.ceil(Math.log2(pages));
    const isPinned = this.#random.happens(this.#options.pinned);
    const endsAt = this.#step + 1 + this.#random.exponential(LIFETIME_STEPS);
    const page = this.#place(order);
    if (this.#world.allocate(this.#container, page, pages) !== Errno.OK) {
      this.#places[order]!.push(page);
      this.refused += 1;
      return false;
    }
    this.#world.touch(this.#container, page, pages);
    const pins: CapRef[] = [];
    for (let i = 0; isPinned && i < pages; i += 1) {
      const pin = this.#world.pin(this.#container, page + i, PIN_CYCLES_MAX);
      if (pin !== null) pins.push(pin);
    }
    this.livePages += pages;
    this.#objects.push({ page, pages, class: order, endsAt, pins });
    return true;
  }
}
