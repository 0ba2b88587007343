/**
 * Decoded instructions, by physical page. A slot is one frame in one decode mode; its index gives for each byte offset
 * the arena position of the record that starts there. Records of one run lie behind each other, so that the next
 * instruction is the next record. Dropping an instruction patches its record to Form.Lookup, so that links and runs that
 * lead to it need not be found. When arena or slots are used up, everything is dropped.
 */
import type { Bus } from '../mem/bus.ts';
import type { SharedMemory } from '../mem/memory.ts';
import { Decoder, MAX_LENGTH } from './decode.ts';
import { selectForm } from './forms.ts';
import { Form } from './loop.ts';
import { I_ENTRY, I_FLAGS, I_LINK, I_OP, I_POS, I_REGS, RECORD_WORDS } from './record.ts';
import { ENTRIES } from './table/table.ts';

/** Decode modes: CS.D, and flat segments (cpu-core.ts). */
export const MODE_CODE32 = 1;
export const MODE_FLAT = 2;

const ARENA_RECORDS = 1 << 18;
const MAX_SLOTS = 512;
/** A run is cut after this many instructions; it goes on in the next run. */
const RUN_LIMIT = 64;
/** Records at the start of the arena: 0 is never used; each core has two for page-crossing instructions. */
const RESERVED = 64;

export class CodeCache {
  readonly ops = new Int32Array(ARENA_RECORDS * RECORD_WORDS);
  /** slot × 4096 + page offset → arena position; 0 = not decoded. */
  readonly index = new Int32Array(MAX_SLOTS * 4096);
  /** Counts the times that everything was dropped: an arena position is good within one generation. */
  generation = 0;
  private next = RESERVED * RECORD_WORDS;
  /** First slot of a frame + 1. */
  private readonly frameSlot = new Int32Array(1 << 20);
  private readonly slotFrame = new Int32Array(MAX_SLOTS);
  private readonly slotMode = new Int32Array(MAX_SLOTS);
  /** Next slot of the same frame + 1. */
  private readonly slotNext = new Int32Array(MAX_SLOTS);
  private slotCount = 0;
  private readonly decoder = new Decoder();

  constructor(
    private readonly memory: SharedMemory,
    private readonly bus: Bus,
  ) {
    bus.onCodeWrite(this);
  }

  /** Drops everything. */
  reset(): void {
    for (let slot = 0; slot < this.slotCount; slot++) {
      this.frameSlot[this.slotFrame[slot]] = 0;
      this.bus.unmarkCode(this.slotFrame[slot]);
    }
    this.index.fill(0, 0, this.slotCount * 4096);
    this.slotCount = 0;
    this.next = RESERVED * RECORD_WORDS;
    this.generation++;
  }

  /** Slot of a frame of the shared buffer in `mode`; makes one. The frame is marked: a write of all of it unmarks it. */
  slotOf(frame: number, mode: number): number {
    const known = this.findSlot(frame, mode);
    if (known >= 0) {
      this.bus.markCode(frame);
      return known;
    }
    if (this.slotCount === MAX_SLOTS) this.reset();
    const slot = this.slotCount++;
    this.slotFrame[slot] = frame;
    this.slotMode[slot] = mode;
    this.slotNext[slot] = this.frameSlot[frame];
    this.frameSlot[frame] = slot + 1;
    this.bus.markCode(frame);
    return slot;
  }

  /** Slot of `frame` in `mode` if there is one, else -1. The look-up of every jump to another page. */
  findSlot(frame: number, mode: number): number {
    for (let s = this.frameSlot[frame]; s !== 0; s = this.slotNext[s - 1]) {
      if (this.slotMode[s - 1] === mode) return s - 1;
    }
    return -1;
  }

  /**
   * Decodes the run at `offset` of `frame`, which is RAM or ROM throughout. Returns its arena position.
   */
  decodeRun(frame: number, mode: number, offset: number): number {
    const pa = frame * 4096;
    const rom = this.bus.map.romOfFrame(pa);
    const bytes = rom === null ? this.memory.u8 : rom.bytes;
    const start = rom === null ? this.bus.map.hostOffset(pa) : pa - rom.base;
    if (this.next + (RUN_LIMIT + 4) * RECORD_WORDS > this.ops.length) this.reset();
    const base = this.slotOf(frame, mode) * 4096;
    const first = this.next;
    let at = offset;
    for (let count = 0; count < RUN_LIMIT; count++) {
      const i = this.next;
      if (count > 0 && (at === 4096 || this.index[base + at] !== 0)) {
        this.pseudo(i, at === 4096 ? Form.End : Form.Goto, at, at === 4096 ? 0 : this.index[base + at]);
        return first;
      }
      this.index[base + at] = i;
      const length = this.decodeOne(mode, bytes, start + at, i, at);
      if (length === 0) {
        this.pseudo(i, Form.Crossing, at, 0);
        this.ops[i + I_FLAGS] = 0;
        this.next += 2 * RECORD_WORDS;
        return first;
      }
      this.next += RECORD_WORDS;
      at += length;
      if (ENTRIES[this.ops[i + I_ENTRY]].ends === true) break;
    }
    this.pseudo(this.next, at === 4096 ? Form.End : Form.Lookup, at, 0);
    return first;
  }

  /** Decodes the instruction at page offset `at`, found at `bytes[from]`; 0 when it crosses the end of the page. */
  private decodeOne(mode: number, bytes: Uint8Array, from: number, i: number, at: number): number {
    const code32 = (mode & MODE_CODE32) !== 0;
    const length = this.decoder.decode(bytes, from, 4096 - at, code32, this.ops, i, at);
    if (length > 0) this.ops[i + I_OP] = (mode & MODE_FLAT) !== 0 ? selectForm(this.ops, i) : Form.General;
    return length;
  }

  /**
   * Decodes an instruction from loose bytes (it crosses a page, or its frame is no RAM) into the core's private records.
   */
  decodeLoose(core: number, bytes: Uint8Array, count: number, mode: number, offset: number): number {
    const i = (1 + core * 2) * RECORD_WORDS;
    const code32 = (mode & MODE_CODE32) !== 0;
    const length = this.decoder.decode(bytes, 0, count, code32, this.ops, i, offset);
    if (length === 0) return 0;
    this.ops[i + I_OP] = Form.General;
    this.pseudo(i + RECORD_WORDS, Form.Lookup, offset + length, 0);
    return i;
  }

  /**
   * Keeps what decodeLoose read for the Crossing record at `i`: the instruction goes into the next record, and its bytes
   * in the second page into the words of the Crossing record, because writes to that page are not told.
   */
  keepCrossing(i: number, loose: number, bytes: Uint8Array, mode: number): void {
    const { ops } = this;
    const at = ops[i + I_POS];
    const length = ops[loose + I_POS] >>> 16;
    const tail = at + length - 4096;
    if (tail <= 0) return;
    ops.copyWithin(i + RECORD_WORDS, loose, loose + 2 * RECORD_WORDS);
    if ((mode & MODE_FLAT) !== 0) ops[i + RECORD_WORDS + I_OP] = selectForm(ops, i + RECORD_WORDS);
    ops.fill(0, i + I_REGS, i + I_REGS + 4);
    for (let n = 0; n < tail; n++) ops[i + I_REGS + (n >> 2)] |= bytes[length - tail + n] << ((n & 3) * 8);
    ops[i + I_FLAGS] = tail;
  }

  /** True if the kept instruction of the Crossing record at `i` ends with the bytes at host offset `host`. */
  tailMatches(i: number, host: number): boolean {
    const tail = this.ops[i + I_FLAGS];
    for (let n = 0; n < tail; n++) {
      const kept = (this.ops[i + I_REGS + (n >> 2)] >> ((n & 3) * 8)) & 255;
      if (this.memory.u8[host + n] !== kept) return false;
    }
    return tail > 0;
  }

  /**
   * Marks the instruction at `i`: translated code begins there. Its OP becomes the complement of the position of a copy
   * that the inner loop executes when it does not hand over. False when there is no room for the copy.
   */
  mark(i: number): boolean {
    const { ops } = this;
    if (this.next + 2 * RECORD_WORDS > ops.length) return false;
    const copy = this.next;
    ops.copyWithin(copy, i, i + RECORD_WORDS);
    this.next += RECORD_WORDS;
    const pos = ops[i + I_POS];
    this.pseudo(this.next, Form.Goto, (pos & 0xffff) + (pos >>> 16), i + RECORD_WORDS);
    ops[i + I_OP] = ~copy;
    return true;
  }

  /** Takes a mark back, unless the instruction has been dropped since. */
  unmark(i: number): void {
    const op = this.ops[i + I_OP];
    if (op < 0) this.ops[i + I_OP] = this.ops[~op + I_OP];
  }

  /** A record that is no instruction: Form.End, Form.Goto, Form.Lookup or Form.Crossing. */
  private pseudo(i: number, op: number, at: number, link: number): void {
    this.ops[i + I_OP] = op;
    this.ops[i + I_POS] = at;
    this.ops[i + I_LINK] = link;
    if (i === this.next) this.next += RECORD_WORDS;
  }

  /** Bytes of a frame are about to change: forgets the instructions that contain one of them. */
  codeWritten(frame: number, offset: number, length: number): void {
    for (let s = this.frameSlot[frame]; s !== 0; s = this.slotNext[s - 1]) {
      const base = (s - 1) * 4096;
      for (let at = Math.max(0, offset - MAX_LENGTH + 1); at < offset + length; at++) {
        const i = this.index[base + at];
        if (i === 0) continue;
        if (this.ops[i + I_OP] !== Form.Crossing && at + (this.ops[i + I_POS] >>> 16) <= offset) continue;
        this.index[base + at] = 0;
        this.ops[i + I_OP] = Form.Lookup;
      }
    }
    if (length === 4096) this.bus.unmarkCode(frame);
  }
}
