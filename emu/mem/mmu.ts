/**
 * Translated access of a core: TLB look-up, page walk with A and D updates, page faults (SDM vol. 3 §4.3-4.10). This is
 * the slow path of every engine; hits go through the flat tables, which are filled here and nowhere else.
 * A fault is returned: R.FAULT_VECTOR, R.FAULT_ERROR and CR2 are set, PEND_FAULT is raised in r[PEND], and the result
 * of the access is 0 or -1. Rules chosen where the manual leaves a choice:
 *  - a write through an entry with D = 0 walks again (and so sees a changed table);
 *  - rights are those of the cached entry; a violation faults even if the table now allows it (a spurious fault),
 *    and the fault drops the entry, so that the retry walks (§4.10.4.1).
 */
import { CoreF, R } from '../arch/core-layout.ts';
import type { CostModel } from '../arch/cost.ts';
import { Ev } from '../arch/events.ts';
import {
  CR0_PG,
  CR0_WP,
  CR4_PGE,
  CR4_PSE,
  PDE_LARGE_FRAME_MASK,
  PDE_LARGE_RESERVED,
  PDE_PS,
  PF_PRESENT,
  PF_RESERVED,
  PTE_A,
  PTE_D,
  PTE_FRAME_MASK,
  PTE_G,
  PTE_P,
  PTE_PAT,
  PTE_U,
  PTE_W,
} from '../arch/paging.ts';
import type { AccessSize, EventPort } from '../arch/ports.ts';
import { VEC_PF } from '../arch/vectors.ts';
import type { Bus } from './bus.ts';
import { FRAME_CODE, FRAME_KIND, FRAME_OBSERVED, KIND_MMIO, KIND_RAM } from './bus-map.ts';
import type { SharedMemory } from './memory.ts';
import {
  CURRENT_EIP,
  FLAT_SUPER_READ,
  FLAT_SUPER_WRITE,
  FLAT_USER_READ,
  FLAT_USER_WRITE,
  PEND,
  PEND_ATTENTION,
  PEND_FAULT,
} from './memory-layout.ts';
import type { Tlb, TlbPlace } from './tlb.ts';
import {
  TAG_GLOBAL,
  TAG_LARGE,
  TAG_VALID,
  TLB_BASE,
  TLB_BITS,
  TLB_PDE_ADDR,
  TLB_PDE_VALUE,
  TLB_PTE_ADDR,
  TLB_PTE_VALUE,
  TLB_TAG,
} from './tlb-entry.ts';
import { ACCESS_FETCH, ACCESS_USER, ACCESS_WRITE, explainWalk, type WalkExplanation } from './walk.ts';

export class Mmu {
  private readonly frames: Uint8Array;
  private readonly i32: Int32Array;
  private readonly ramBase: number;
  // The arrays of `memory`, one load nearer.
  private readonly r: readonly Int32Array[];
  private readonly f: readonly Float64Array[];
  private readonly tlbArrays: readonly Int32Array[];
  private readonly flatData: readonly Int32Array[];
  private readonly flatInstr: readonly Int32Array[];

  constructor(
    readonly memory: SharedMemory,
    readonly bus: Bus,
    readonly tlb: Tlb,
    readonly costs: CostModel,
    readonly events: EventPort,
  ) {
    this.frames = bus.map.frames;
    this.i32 = memory.i32;
    this.ramBase = memory.layout.ram;
    this.r = memory.r;
    this.f = memory.f;
    this.tlbArrays = memory.tlb;
    this.flatData = memory.flatData;
    this.flatInstr = memory.flatInstr;
  }

  /** The A20 gate of all cores: 'open' lets address bit 20 through. */
  setA20(gate: 'open' | 'masked'): void {
    const mask = gate === 'open' ? -1 : ~(1 << 20);
    for (let core = 0; core < this.r.length; core++) {
      this.r[core][R.A20_MASK] = mask;
      this.tlb.dropFlat(core);
    }
  }

  /** See walk.ts; does not touch TLB or tables. */
  explainWalk(core: number, va: number, access: number): WalkExplanation {
    return explainWalk(this.bus, this.r[core], va, access);
  }

  /**
   * Physical address for an access of `core` to `va`, or -1 after a fault. `access`: ACCESS_* bits. Fills TLB and flat
   * table. The caller has brought f[CYCLES] up to date.
   */
  translate(core: number, va: number, access: number): number {
    const r = this.r[core];
    if ((r[R.CR0] & CR0_PG) === 0) return this.translateUnpaged(core, va, access);
    const part = (access & ACCESS_FETCH) !== 0 ? this.tlb.instr : this.tlb.data;
    const t = this.tlbArrays[core];
    let at = this.tlb.find(core, part, va);
    if (at >= 0) {
      const bits = t[at + TLB_BITS];
      if (violates(bits, r[R.CR0], access)) {
        this.tlb.removePage(core, va);
        return this.pageFault(core, va, access, PF_PRESENT);
      }
      if ((access & ACCESS_WRITE) !== 0 && (bits & PTE_D) === 0) {
        this.tlb.removePage(core, va);
        at = -1;
      } else if (this.tlb.shadow === 'on' && this.tlb.isStale(core, at)) {
        this.reportStale(core, va, at, access);
      }
    } else {
      this.f[core][CoreF.TLB_MISSES]++;
    }
    if (at < 0) {
      at = this.walk(core, va, access, part);
      if (at < 0) return -1;
    }
    const offsetMask = (t[at + TLB_TAG] & TAG_LARGE) !== 0 ? 0x3fffff : 0xfff;
    const pa = ((t[at + TLB_BASE] | (va & offsetMask)) & r[R.A20_MASK]) >>> 0;
    if (this.tlb.flatAllowed) this.fillFlat(core, va, pa, t[at + TLB_BITS], access);
    return pa;
  }

  /**
   * What a core may do at any time, unasked (SDM vol. 3 §4.10.2.3): caches the translation of `va`, as the tables say it
   * now, for a user's reads and fetches. Nothing happens where there is none, or the TLB has one already. A page that is
   * cached so counts as accessed; no fault, no cycles. For tests of code that must live with it.
   */
  speculate(core: number, va: number): void {
    const f = this.f[core];
    if ((this.r[core][R.CR0] & CR0_PG) === 0) return;
    const cycles = f[CoreF.CYCLES];
    const walks = f[CoreF.PAGE_WALKS];
    for (const access of [ACCESS_USER, ACCESS_USER | ACCESS_FETCH]) {
      const part = access === ACCESS_USER ? this.tlb.data : this.tlb.instr;
      const isThere = this.explainWalk(core, va, access).pa !== null;
      if (isThere && this.tlb.find(core, part, va) < 0) this.walk(core, va, access, part);
    }
    f[CoreF.CYCLES] = cycles;
    f[CoreF.PAGE_WALKS] = walks;
  }

  private translateUnpaged(core: number, va: number, access: number): number {
    const pa = (va & this.r[core][R.A20_MASK]) >>> 0;
    if (this.tlb.flatAllowed) {
      this.tlb.flat.noteUnpaged(core, va >>> 12);
      this.fillFlat(core, va, pa, PTE_W | PTE_U | PTE_D, access);
    }
    return pa;
  }

  /** Puts the page into the flat table with the rights that need no further look. */
  private fillFlat(core: number, va: number, pa: number, bits: number, access: number): void {
    const frame = this.frames[pa >>> 12];
    const host = (frame & FRAME_KIND) === KIND_RAM ? this.ramBase + pa : this.bus.map.hostOffset(pa);
    if (host < 0) return;
    let rights = (bits & PTE_U) !== 0 ? FLAT_SUPER_READ | FLAT_USER_READ : FLAT_SUPER_READ;
    const where = (host ^ va) & ~0xfff;
    if ((frame & FRAME_OBSERVED) !== 0) return;
    if ((access & ACCESS_FETCH) !== 0) {
      this.flatInstr[core][va >>> 12] = where | rights;
      return;
    }
    if ((frame & (FRAME_KIND | FRAME_CODE)) === KIND_RAM && (bits & PTE_D) !== 0) {
      if ((bits & PTE_W) !== 0) {
        rights |= (bits & PTE_U) !== 0 ? FLAT_SUPER_WRITE | FLAT_USER_WRITE : FLAT_SUPER_WRITE;
      } else if ((this.r[core][R.CR0] & CR0_WP) === 0) {
        rights |= FLAT_SUPER_WRITE;
      }
    }
    this.flatData[core][va >>> 12] = where | rights;
  }

  /** Reads both levels, sets A and D, fills the TLB. Entry offset or -1 after a fault. */
  private walk(core: number, va: number, access: number, part: TlbPlace): number {
    const r = this.r[core];
    const f = this.f[core];
    f[CoreF.PAGE_WALKS]++;
    f[CoreF.CYCLES] += this.costs.pageWalk;
    const pdeAddr = ((r[R.CR3] & PTE_FRAME_MASK) >>> 0) + (va >>> 22) * 4;
    const pde = this.readEntry(pdeAddr, core);
    if ((pde & PTE_P) === 0) return this.pageFault(core, va, access, 0);
    if ((pde & PDE_PS) !== 0 && (r[R.CR4] & CR4_PSE) !== 0) {
      return this.walkLarge(core, va, access, part, pdeAddr, pde);
    }
    const pteAddr = ((pde & PTE_FRAME_MASK) >>> 0) + ((va >>> 12) & 1023) * 4;
    const pte = this.readEntry(pteAddr, core);
    if ((pte & PTE_P) === 0) return this.pageFault(core, va, access, 0);
    if ((pte & PTE_PAT) !== 0 && (r[R.CR4] & CR4_PSE) !== 0) {
      return this.pageFault(core, va, access, PF_PRESENT | PF_RESERVED);
    }
    if (violates(pde & pte, r[R.CR0], access)) return this.pageFault(core, va, access, PF_PRESENT);
    this.setBits(core, pdeAddr, pde, PTE_A);
    const leaf = this.setBits(core, pteAddr, pte, (access & ACCESS_WRITE) !== 0 ? PTE_A | PTE_D : PTE_A);
    const global = (r[R.CR4] & CR4_PGE) !== 0 && (pte & PTE_G) !== 0 ? TAG_GLOBAL : 0;
    const at = this.tlb.insert(core, part, (va & PTE_FRAME_MASK) | TAG_VALID | global);
    const t = this.tlbArrays[core];
    t[at + TLB_BASE] = pte & PTE_FRAME_MASK;
    t[at + TLB_BITS] = (pde & pte & (PTE_W | PTE_U)) | (leaf & PTE_D);
    t[at + TLB_PTE_ADDR] = pteAddr;
    t[at + TLB_PTE_VALUE] = leaf;
    t[at + TLB_PDE_ADDR] = pdeAddr;
    t[at + TLB_PDE_VALUE] = pde;
    this.reportFill(core, va, leaf, 0);
    return at;
  }

  private walkLarge(
    core: number,
    va: number,
    access: number,
    part: TlbPlace,
    pdeAddr: number,
    pde: number,
  ): number {
    const r = this.r[core];
    if ((pde & PDE_LARGE_RESERVED) !== 0) return this.pageFault(core, va, access, PF_PRESENT | PF_RESERVED);
    if (violates(pde, r[R.CR0], access)) return this.pageFault(core, va, access, PF_PRESENT);
    const leaf = this.setBits(core, pdeAddr, pde, (access & ACCESS_WRITE) !== 0 ? PTE_A | PTE_D : PTE_A);
    const global = (r[R.CR4] & CR4_PGE) !== 0 && (pde & PTE_G) !== 0 ? TAG_GLOBAL : 0;
    const at = this.tlb.insert(core, part, (va & PDE_LARGE_FRAME_MASK) | TAG_VALID | TAG_LARGE | global);
    const t = this.tlbArrays[core];
    t[at + TLB_BASE] = pde & PDE_LARGE_FRAME_MASK;
    t[at + TLB_BITS] = leaf & (PTE_W | PTE_U | PTE_D);
    t[at + TLB_PTE_ADDR] = pdeAddr;
    t[at + TLB_PTE_VALUE] = leaf;
    t[at + TLB_PDE_ADDR] = pdeAddr;
    t[at + TLB_PDE_VALUE] = leaf;
    this.reportFill(core, va, leaf, 1);
    return at;
  }

  /** A table entry as the walker reads it: from RAM that nobody watches without the bus (measured: `bench cpu`). */
  private readEntry(pa: number, core: number): number {
    const frame = this.frames[pa >>> 12];
    if ((frame & (FRAME_KIND | FRAME_OBSERVED)) === KIND_RAM) return this.i32[(this.ramBase + pa) >>> 2];
    return this.bus.read(pa, 4, core) | 0;
  }

  /** Locked read-modify-write of a table entry; on one bus with one master at a time a plain write is that. */
  private setBits(core: number, entryAddr: number, value: number, bits: number): number {
    if ((value & bits) === bits) return value;
    this.bus.write(entryAddr, 4, value | bits, core);
    this.f[core][CoreF.CYCLES] += this.costs.lockedUpdate;
    return value | bits;
  }

  private pageFault(core: number, va: number, access: number, bits: number): number {
    const r = this.r[core];
    r[R.FAULT_VECTOR] = VEC_PF;
    r[R.FAULT_ERROR] = (access & (ACCESS_WRITE | ACCESS_USER)) | bits;
    r[R.CR2] = va;
    r[PEND] |= PEND_FAULT;
    return -1;
  }

  private reportFill(core: number, va: number, pte: number, large: number): void {
    const sink = this.events.sink;
    if (sink !== null) {
      sink.emit(Ev.TlbFill, core, this.f[core][CoreF.CYCLES], va >>> 0, pte >>> 0, large, 0);
    }
  }

  private reportStale(core: number, va: number, at: number, access: number): void {
    const sink = this.events.sink;
    if (sink === null) return;
    const t = this.tlbArrays[core];
    const offsetMask = (t[at + TLB_TAG] & TAG_LARGE) !== 0 ? 0x3fffff : 0xfff;
    const pa = (t[at + TLB_BASE] | (va & offsetMask)) >>> 0;
    const eip = this.r[core][CURRENT_EIP] >>> 0;
    const write = (access & ACCESS_WRITE) !== 0 ? 1 : 0;
    sink.emit(Ev.StaleUse, core, this.f[core][CoreF.CYCLES], va >>> 0, pa, eip, write);
  }

  /** Reads 1, 2 or 4 bytes at `va` as an unsigned number; 0 after a fault. `user`: ACCESS_USER or 0. */
  read(core: number, va: number, size: AccessSize, user: number): number {
    if ((va & 4095) + size > 4096) return this.readCrossing(core, va, size, user);
    const pa = this.translate(core, va, user);
    if (pa < 0) return 0;
    const value = this.bus.read(pa, size, core);
    if ((this.frames[pa >>> 12] & FRAME_KIND) === KIND_MMIO) this.afterMmio(core);
    return value;
  }

  /** Writes 1, 2 or 4 bytes at `va`; after a fault nothing is written. */
  write(core: number, va: number, size: AccessSize, value: number, user: number): void {
    if ((va & 4095) + size > 4096) {
      this.writeCrossing(core, va, size, value, user);
      return;
    }
    const pa = this.translate(core, va, user | ACCESS_WRITE);
    if (pa < 0) return;
    this.bus.write(pa, size, value, core);
    if ((this.frames[pa >>> 12] & FRAME_KIND) === KIND_MMIO) this.afterMmio(core);
  }

  /** True if `size` bytes (at most 4096) at `va` can be accessed; else the fault is set. Sets A and D as the access would. */
  probe(core: number, va: number, size: number, access: number): boolean {
    if (this.translate(core, va, access) < 0) return false;
    if ((va & 4095) + size <= 4096) return true;
    return this.translate(core, (va & ~4095) + 4096, access) >= 0;
  }

  private afterMmio(core: number): void {
    const r = this.r[core];
    this.f[core][CoreF.CYCLES] += this.costs.mmioAccess;
    if (r[R.ATTENTION] !== 0) r[PEND] |= PEND_ATTENTION;
  }

  private readCrossing(core: number, va: number, size: AccessSize, user: number): number {
    const inFirst = 4096 - (va & 4095);
    const first = this.translate(core, va, user);
    if (first < 0) return 0;
    const second = this.translate(core, va + inFirst, user);
    if (second < 0) return 0;
    let value = 0;
    for (let i = 0; i < size; i++) {
      const pa = i < inFirst ? first + i : second + i - inFirst;
      value |= this.bus.read(pa, 1, core) << (8 * i);
    }
    return value >>> 0;
  }

  private writeCrossing(core: number, va: number, size: AccessSize, value: number, user: number): void {
    const inFirst = 4096 - (va & 4095);
    const first = this.translate(core, va, user | ACCESS_WRITE);
    if (first < 0) return;
    const second = this.translate(core, va + inFirst, user | ACCESS_WRITE);
    if (second < 0) return;
    for (let i = 0; i < size; i++) {
      const pa = i < inFirst ? first + i : second + i - inFirst;
      this.bus.write(pa, 1, (value >>> (8 * i)) & 0xff, core);
    }
  }
}

/** The rights rule of SDM vol. 3 §4.6 for present pages; `bits`: W and U of both levels ANDed. */
function violates(bits: number, cr0: number, access: number): boolean {
  if ((access & ACCESS_USER) !== 0) {
    return (bits & PTE_U) === 0 || ((access & ACCESS_WRITE) !== 0 && (bits & PTE_W) === 0);
  }
  return (access & ACCESS_WRITE) !== 0 && (bits & PTE_W) === 0 && (cr0 & CR0_WP) !== 0;
}
