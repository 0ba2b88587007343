/**
 * The page walk of translated code as WebAssembly: Mmu.translate (emu/mem/mmu.ts) for a miss where nothing is unusual.
 * Both entries are present and accessed, in RAM that nobody watches, they allow the access, and the page is plain RAM;
 * 4 KiB pages that are not global, a FIFO TLB without address-space tags, no event sink. Anything else: nothing is done,
 * and the MMU is asked. Measured by `npm run bench engines` (TLB fill): 3.3 times as fast as through JavaScript.
 */
import { CORE_BLOCK_BYTES, R } from '../../arch/core-layout.ts';
import {
  CR0_PG,
  CR0_WP,
  PDE_PS,
  PTE_A,
  PTE_D,
  PTE_FRAME_MASK,
  PTE_G,
  PTE_P,
  PTE_PAT,
  PTE_U,
  PTE_W,
} from '../../arch/paging.ts';
import { FRAME_CODE, FRAME_KIND, FRAME_OBSERVED, KIND_RAM } from '../../mem/bus-map.ts';
import {
  FLAT_SUPER_READ,
  FLAT_USER_READ,
  FLAT_WORDS,
  type MemoryLayout,
  USED_BYTES,
} from '../../mem/memory-layout.ts';
import type { TlbGeometry } from '../../mem/tlb-entry.ts';
import {
  TAG_PAGE,
  TAG_VALID,
  TLB_BASE,
  TLB_BITS,
  TLB_ENTRY_WORDS,
  TLB_ORDER,
  TLB_PDE_ADDR,
  TLB_PDE_VALUE,
  TLB_PTE_ADDR,
  TLB_PTE_VALUE,
  TLB_STATE_LARGE,
  TLB_STATE_WORDS,
  TLB_TAG,
} from '../../mem/tlb-entry.ts';
import { WALK_CORE_WORD, WALK_TLB_WORD, WALKS_WORD } from './region-frame.ts';
import { Op } from './wasm-op.ts';
import { CodeWriter, type Label } from './wasm-writer.ts';

/** The ways of a set are looked at one behind the other, without a loop. */
const MOST_WAYS = 8;
const ENTRY_BYTES = TLB_ENTRY_WORDS * 4;
const STATE_BYTES = TLB_STATE_WORDS * 4;

/** Parameters of FillRead and FillWrite (region-frame.ts), then locals. */
enum L {
  Va = 0,
  Site = 1,
  Left = 2,
  Core = 3,
  Tlb = 4,
  /** First entry of the set, then the entry that is filled, as byte offsets. */
  Set = 5,
  Entry = 6,
  Tag = 7,
  PdeAddr = 8,
  Pde = 9,
  PteAddr = 10,
  Pte = 11,
  /** Kind and flags of the page's frame; its physical address; the word of the flat table. */
  Frame = 12,
  Pa = 13,
  Word = 14,
}
export const WALK_LOCALS = L.Word - L.Left;

/** True if walkCode can be made for this TLB. */
export const canWalk = ({ data, instr, replacement, tags }: TlbGeometry): boolean =>
  instr !== null && replacement === 'fifo' && (tags ?? 0) === 0 && data.ways <= MOST_WAYS;

/** Body of FillRead or FillWrite; `ask`: number of the import that asks the MMU. */
export function walkCode(
  layout: MemoryLayout,
  geometry: TlbGeometry,
  access: 'read' | 'write',
  ask: number,
): CodeWriter {
  const w = new CodeWriter();
  const unusual = w.open(Op.Block);
  begin(w, unusual);
  missSet(w, geometry, unusual);
  readEntries(w, layout, access, unusual);
  lookAtPage(w, layout, access, unusual);
  // From here on it is done.
  makeRoom(w, layout, geometry);
  fillEntry(w, layout);
  fillFlat(w, layout);
  w.get(L.Word);
  w.op(Op.Return);
  w.close();
  w.get(L.Va);
  w.get(L.Site);
  w.get(L.Left);
  w.call(ask);
  return w;
}

/** Running core and its TLB. To `unusual` when fills are told, without paging, and with entries of 4 MiB. */
function begin(w: CodeWriter, unusual: Label): void {
  w.const(0);
  w.memory(Op.Load, WALK_CORE_WORD * 4);
  w.set(L.Core);
  w.const(0);
  w.memory(Op.Load, WALK_TLB_WORD * 4);
  w.tee(L.Tlb);
  w.op(Op.Eqz);
  w.brIf(unusual);
  w.get(L.Core);
  w.memory(Op.Load, R.CR0 * 4);
  w.opConst(Op.And, CR0_PG);
  w.op(Op.Eqz);
  w.brIf(unusual);
  w.get(L.Tlb);
  w.memory(Op.Load, TLB_STATE_LARGE * 4);
  w.brIf(unusual);
}

/** The set of L.Va in L.Set, its first free entry in L.Entry (0 = none). To `unusual` when it has the page. */
function missSet(w: CodeWriter, { data }: TlbGeometry, unusual: Label): void {
  w.get(L.Va);
  w.opConst(Op.ShrU, 12);
  w.opConst(Op.And, data.entries / data.ways - 1);
  w.opConst(Op.Mul, data.ways * ENTRY_BYTES);
  w.get(L.Tlb);
  w.op(Op.Add);
  w.opConst(Op.Add, STATE_BYTES);
  w.set(L.Set);
  w.const(0);
  w.set(L.Entry);
  for (let way = data.ways - 1; way >= 0; way--) {
    w.get(L.Set);
    w.memory(Op.Load, way * ENTRY_BYTES);
    w.tee(L.Tag);
    w.get(L.Va);
    w.opConst(Op.And, PTE_FRAME_MASK);
    w.opConst(Op.Or, TAG_VALID);
    w.op(Op.Xor);
    w.opConst(Op.And, TAG_PAGE);
    w.op(Op.Eqz);
    w.brIf(unusual);
    w.get(L.Entry);
    w.get(L.Set);
    w.opConst(Op.Add, way * ENTRY_BYTES);
    w.get(L.Tag);
    w.opConst(Op.And, TAG_VALID);
    w.op(Op.Select);
    w.set(L.Entry);
  }
}

/** To `unusual` unless the frame of the address in `local` is RAM that nobody watches; leaves it in L.Frame. */
function plainFrame(w: CodeWriter, layout: MemoryLayout, local: L, unusual: Label): void {
  w.get(local);
  w.opConst(Op.ShrU, 12);
  w.memory(Op.Load8U, layout.frames);
  w.tee(L.Frame);
  w.opConst(Op.And, FRAME_KIND | FRAME_OBSERVED);
  w.opConst(Op.Ne, KIND_RAM);
  w.brIf(unusual);
}

/** To `unusual` unless `local` under `mask` is `value`. */
function expectBits(w: CodeWriter, local: L, mask: number, value: number, unusual: Label): void {
  w.get(local);
  w.opConst(Op.And, mask);
  w.opConst(Op.Ne, value);
  w.brIf(unusual);
}

/** Entry at `table` (on the stack, a page) plus 4 × (L.Va >>> shift & 1023): address and value. */
function readEntry(
  w: CodeWriter,
  layout: MemoryLayout,
  shift: 22 | 12,
  address: L,
  value: L,
  unusual: Label,
): void {
  w.opConst(Op.And, PTE_FRAME_MASK);
  w.get(L.Va);
  w.opConst(Op.ShrU, shift);
  w.opConst(Op.And, 1023);
  w.opConst(Op.Shl, 2);
  w.op(Op.Or);
  w.set(address);
  plainFrame(w, layout, address, unusual);
  w.get(address);
  w.memory(Op.Load, layout.ram);
  w.set(value);
}

/** Both levels; to `unusual` unless they allow the access and need no bit set. */
function readEntries(w: CodeWriter, layout: MemoryLayout, access: 'read' | 'write', unusual: Label): void {
  const rights = PTE_P | PTE_A | (access === 'write' ? PTE_W : 0);
  w.get(L.Core);
  w.memory(Op.Load, R.CR3 * 4);
  readEntry(w, layout, 22, L.PdeAddr, L.Pde, unusual);
  expectBits(w, L.Pde, rights | PDE_PS, rights, unusual);
  w.get(L.Pde);
  readEntry(w, layout, 12, L.PteAddr, L.Pte, unusual);
  const leaf = rights | (access === 'write' ? PTE_D : 0);
  expectBits(w, L.Pte, leaf | PTE_PAT | PTE_G, leaf, unusual);
  // A user's access needs U in both.
  w.get(L.Core);
  w.memory(Op.Load, R.CPL * 4);
  w.opConst(Op.Eq, 3);
  w.get(L.Pde);
  w.get(L.Pte);
  w.op(Op.And);
  w.opConst(Op.And, PTE_U);
  w.op(Op.Eqz);
  w.op(Op.And);
  w.brIf(unusual);
}

/** Physical address in L.Pa, rights of the flat word in L.Word, as Mmu.fillFlat finds them. */
function lookAtPage(w: CodeWriter, layout: MemoryLayout, access: 'read' | 'write', unusual: Label): void {
  w.get(L.Pte);
  w.opConst(Op.And, PTE_FRAME_MASK);
  w.get(L.Core);
  w.memory(Op.Load, R.A20_MASK * 4);
  w.op(Op.And);
  w.set(L.Pa);
  plainFrame(w, layout, L.Pa, unusual);
  if (access === 'write') expectBits(w, L.Frame, FRAME_CODE, 0, unusual);
  w.const(FLAT_SUPER_READ | FLAT_USER_READ);
  w.const(FLAT_SUPER_READ);
  w.get(L.Pde);
  w.get(L.Pte);
  w.op(Op.And);
  w.tee(L.Tag);
  w.opConst(Op.And, PTE_U);
  w.op(Op.Select);
  w.set(L.Word);
  // Without W and WP the kernel may write what the user may not: left to the MMU.
  w.get(L.Tag);
  w.opConst(Op.And, PTE_W);
  w.op(Op.Eqz);
  w.get(L.Core);
  w.memory(Op.Load, R.CR0 * 4);
  w.opConst(Op.And, CR0_WP);
  w.op(Op.Eqz);
  w.op(Op.And);
  w.brIf(unusual);
  addWriteRights(w);
}

/** The right to write, the bit above the right to read in L.Word, needs W in both entries, D, and no code there. */
function addWriteRights(w: CodeWriter): void {
  w.get(L.Word);
  w.opConst(Op.Shl, 1);
  w.const(0);
  w.get(L.Tag);
  w.opConst(Op.And, PTE_W);
  w.op(Op.Eqz);
  w.get(L.Pte);
  w.opConst(Op.And, PTE_D);
  w.op(Op.Eqz);
  w.op(Op.Or);
  w.get(L.Frame);
  w.opConst(Op.And, FRAME_CODE);
  w.op(Op.Or);
  w.op(Op.Eqz);
  w.op(Op.Select);
  w.get(L.Word);
  w.op(Op.Or);
  w.set(L.Word);
}

/** The next entry of a full set goes (FIFO), and its page leaves the flat table. */
function makeRoom(w: CodeWriter, layout: MemoryLayout, { data }: TlbGeometry): void {
  w.get(L.Entry);
  w.op(Op.Eqz);
  w.open(Op.If);
  w.get(L.Set);
  w.get(L.Set);
  w.memory(Op.Load, TLB_ORDER * 4);
  w.tee(L.Entry);
  w.opConst(Op.Add, 1);
  w.opConst(Op.And, data.ways - 1);
  w.memory(Op.Store, TLB_ORDER * 4);
  w.get(L.Entry);
  w.opConst(Op.Mul, ENTRY_BYTES);
  w.get(L.Set);
  w.op(Op.Add);
  w.tee(L.Entry);
  w.memory(Op.Load, TLB_TAG * 4);
  flatAddress(w);
  w.const(0);
  w.memory(Op.Store, layout.flatData);
  w.close();
}

/** Turns the address on the stack into the byte offset of its page's word in the flat data table, without the table's. */
function flatAddress(w: CodeWriter): void {
  w.opConst(Op.ShrU, 12);
  w.opConst(Op.Shl, 2);
  w.get(L.Core);
  w.opConst(Op.Mul, (FLAT_WORDS * 4) / CORE_BLOCK_BYTES);
  w.op(Op.Add);
}

function fillEntry(w: CodeWriter, layout: MemoryLayout): void {
  const put = (word: number, value: () => void): void => {
    w.get(L.Entry);
    value();
    w.memory(Op.Store, word * 4);
  };
  put(TLB_TAG, () => {
    w.get(L.Va);
    w.opConst(Op.And, PTE_FRAME_MASK);
    w.opConst(Op.Or, TAG_VALID);
  });
  put(TLB_BASE, () => {
    w.get(L.Pte);
    w.opConst(Op.And, PTE_FRAME_MASK);
  });
  put(TLB_BITS, () => {
    w.get(L.Tag);
    w.opConst(Op.And, PTE_W | PTE_U);
    w.get(L.Pte);
    w.opConst(Op.And, PTE_D);
    w.op(Op.Or);
  });
  put(TLB_PTE_ADDR, () => w.get(L.PteAddr));
  put(TLB_PTE_VALUE, () => w.get(L.Pte));
  put(TLB_PDE_ADDR, () => w.get(L.PdeAddr));
  put(TLB_PDE_VALUE, () => w.get(L.Pde));
  markUsed(w, layout);
}

/** The bit of L.Entry in Tlb.used; a walk is counted. L.Tag is changed. */
function markUsed(w: CodeWriter, layout: MemoryLayout): void {
  w.get(L.Entry);
  w.get(L.Tlb);
  w.op(Op.Sub);
  w.opConst(Op.Sub, STATE_BYTES);
  w.opConst(Op.ShrU, Math.log2(ENTRY_BYTES));
  w.tee(L.Entry);
  w.opConst(Op.ShrU, 5);
  w.opConst(Op.Shl, 2);
  w.get(L.Core);
  w.opConst(Op.Mul, USED_BYTES / CORE_BLOCK_BYTES);
  w.op(Op.Add);
  w.tee(L.Tag);
  w.get(L.Tag);
  w.memory(Op.Load, layout.used);
  w.const(1);
  w.get(L.Entry);
  w.op(Op.Shl);
  w.op(Op.Or);
  w.memory(Op.Store, layout.used);
  w.get(L.Core);
  w.get(L.Core);
  w.memory(Op.Load, WALKS_WORD * 4);
  w.opConst(Op.Add, 1);
  w.memory(Op.Store, WALKS_WORD * 4);
}

/** L.Word becomes the flat word, which is stored. */
function fillFlat(w: CodeWriter, layout: MemoryLayout): void {
  w.get(L.Va);
  flatAddress(w);
  w.get(L.Pa);
  w.opConst(Op.Add, layout.ram);
  w.get(L.Va);
  w.op(Op.Xor);
  w.opConst(Op.And, ~0xfff);
  w.get(L.Word);
  w.op(Op.Or);
  w.tee(L.Word);
  w.memory(Op.Store, layout.flatData);
}
