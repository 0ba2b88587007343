/**
 * When a page is worth a translation: after so many interpreted instructions in it, more for pages whose code was written
 * before, and, however many pages change, at no more than a certain pace. Nothing here can be seen by a guest.
 */

/** How much longer a page waits for its next translation: after one that added code, after one whose code was written. */
const PATIENCE_GROWN = 1;
const PATIENCE_WRITTEN = 8;
const MAX_PATIENCE = 255;
const MAX_HEAT = 1 << 30;

/**
 * Translations of an engine that need no reason but heat, and interpreted instructions that earn one more. V8 holds 1 KiB
 * of each module for the two minutes in which it reports on lazy compilation, and some 35 bytes for ever, so that code
 * that changes all the time must not become modules all the time (`bench soak`, ADR 24).
 */
const FREE_TRANSLATIONS = 2048;
const PACE = 4_000_000;

/** A threshold of 1 is for tests that want everything translated, at once and each time. */
const EAGER = 1;

export class Heat {
  /** Instructions that the interpreter has done in a page since its last translation, by key. */
  private readonly heat: Int32Array;
  /** Thresholds that a page waits longer than others. */
  private readonly patience: Uint8Array;
  /** Translations that may be made now. */
  private credit: number;
  /** Interpreted instructions that count for the next translation that is earned. */
  private earned = 0;

  /**
   * @param keys number of keys (see RegionCache)
   * @param threshold instructions in a page before it is translated, at least 1
   * @param free translations that may be made before any is earned
   */
  constructor(
    keys: number,
    private readonly threshold: number,
    private readonly free = FREE_TRANSLATIONS,
  ) {
    this.credit = free;
    this.heat = new Int32Array(keys);
    this.patience = new Uint8Array(keys);
  }

  /** `count` instructions were interpreted in the page of `key`. True when it is to be translated now. */
  add(key: number, count: number): boolean {
    this.earn(count);
    const heat = this.heat[key] + count;
    const isHot = heat >= this.threshold * (1 + this.patience[key]) && this.credit > 0;
    this.heat[key] = isHot ? 0 : Math.min(heat, MAX_HEAT);
    return isHot;
  }

  /** `count` instructions were interpreted, wherever it was. */
  earn(count: number): void {
    this.earned += count;
    if (this.earned < PACE) return;
    this.credit += Math.floor(this.earned / PACE);
    this.earned %= PACE;
  }

  /** A translation of the page is tried. */
  spend(key: number): void {
    if (this.threshold === EAGER) return;
    this.credit--;
    this.wait(key, PATIENCE_GROWN);
  }

  /** Code of the page that was translated has been written. */
  written(key: number): void {
    if (this.threshold !== EAGER) this.wait(key, PATIENCE_WRITTEN);
  }

  /** The page can't be translated here. */
  refused(key: number): void {
    this.patience[key] = MAX_PATIENCE;
  }

  /** Begins anew, as when a snapshot is loaded: what comes then is the host's wish and not a guest's. */
  reset(): void {
    this.credit = this.free;
    this.earned = 0;
    this.heat.fill(0);
    this.patience.fill(0);
  }

  private wait(key: number, more: number): void {
    this.patience[key] = Math.min(MAX_PATIENCE, this.patience[key] + more);
  }
}
