/**
 * What all regions share, as one WebAssembly module. The loop between regions: from EIP through the flat instruction
 * table to the region of the page and the block that starts there, as long as there is one (measured: 14 ns from page to
 * page; through JavaScript 49). And the imports of regions as functions of this module: V8 compiles a wrapper for each
 * JavaScript function that a module imports, which took as long as compiling a small region itself.
 */
import { R } from '../../arch/core-layout.ts';
import type { SharedMemory } from '../../mem/memory.ts';
import { ENGINE_REGIONS, type MemoryLayout } from '../../mem/memory-layout.ts';
import type { TlbGeometry } from '../../mem/tlb-entry.ts';
import {
  BASE_WORD,
  Import,
  REGION_IMPORTS,
  REGION_TYPE,
  REGION_WORD,
  SITE_JUMP,
  SITE_WORD,
} from './region-frame.ts';
import { canWalk, WALK_LOCALS, walkCode } from './walk-code.ts';
import { Op } from './wasm-op.ts';
import {
  CodeWriter,
  type FunctionBody,
  type Label,
  moduleBytes,
  type NamedFunction,
  tableType,
} from './wasm-writer.ts';

/**
 * Runs from EIP until a region is left for another reason than a jump, the budget is used up, or there is no translated
 * code at EIP. `core`, `flat`, `instr`: byte offsets of core block and flat tables; `user`: 1 at CPL 3. Returns the
 * budget that is left; SITE_WORD tells why.
 */
export type Dispatch = (core: number, flat: number, instr: number, user: number, left: number) => number;

enum D {
  Core = 0,
  Flat = 1,
  Instr = 2,
  User = 3,
  Left = 4,
  Eip = 5,
  Word = 6,
  Region = 7,
  Entry = 8,
}

/** Bits of a flat word that allow fetching, by CPL 3 or not (FLAT_SUPER_READ, FLAT_USER_READ). */
const SUPER_READ = 1;
const READ_SHIFT = 2;

/** The module: exports `dispatch` (Dispatch) and the functions of REGION_IMPORTS, which it imports from JavaScript. */
export function dispatcherBytes({ layout, geometry }: SharedMemory): Uint8Array {
  const w = new CodeWriter();
  w.get(D.Core);
  w.const(SITE_JUMP);
  w.memory(Op.Store, SITE_WORD * 4);
  const out = w.open(Op.Block);
  const again = w.open(Op.Loop);
  findRegion(w, layout, out);
  findEntry(w, layout, out);
  run(w);
  // Another one, if this one jumped away and something is left.
  w.get(D.Core);
  w.memory(Op.Load, SITE_WORD * 4);
  w.opConst(Op.Eq, SITE_JUMP);
  w.get(D.Left);
  w.opConst(Op.Ne, 0);
  w.op(Op.And);
  w.brIf(again);
  w.close();
  w.close();
  w.get(D.Left);
  const type = REGION_TYPE;
  const dispatch = { name: 'dispatch', type, locals: { i32: D.Entry - D.Left, i64: 0 }, body: w };
  return moduleBytes({
    imports: REGION_IMPORTS,
    functions: [dispatch, ...REGION_IMPORTS.map((f, n) => walking(f, n, layout, geometry) ?? bridge(f, n))],
    table: type,
  });
}

/** FillRead or FillWrite with the usual page walk before the call, for geometries that walk-code.ts knows. */
function walking(
  f: NamedFunction,
  n: number,
  layout: MemoryLayout,
  geometry: TlbGeometry,
): FunctionBody | null {
  if (n === Import.Arith || !canWalk(geometry)) return null;
  const access = n === Import.FillWrite ? 'write' : 'read';
  return { ...f, locals: { i32: WALK_LOCALS, i64: 0 }, body: walkCode(layout, geometry, access, n) };
}

/** A function that calls import `n` with its own parameters. */
function bridge({ name, type }: NamedFunction, n: number): FunctionBody {
  const body = new CodeWriter();
  for (let local = 0; local < type.params; local++) body.get(local);
  body.call(n);
  return { name, type, locals: { i32: 0, i64: 0 }, body };
}

/** Number + 1 of the region of EIP's page in D.Region; to `out` when the instruction TLB or the cache has none. */
function findRegion(w: CodeWriter, layout: MemoryLayout, out: Label): void {
  const keys = layout.engine + ENGINE_REGIONS * 4096;
  w.get(D.Core);
  w.memory(Op.Load, R.EIP * 4);
  w.tee(D.Eip);
  w.opConst(Op.ShrU, 12);
  w.opConst(Op.Shl, 2);
  w.get(D.Instr);
  w.op(Op.Add);
  w.memory(Op.Load);
  w.tee(D.Word);
  w.const(SUPER_READ);
  w.get(D.User);
  w.opConst(Op.Mul, READ_SHIFT);
  w.op(Op.Shl);
  w.op(Op.And);
  w.op(Op.Eqz);
  w.brIf(out);
  // (host page − first page) × 2 + user, of two bytes each.
  w.get(D.Word);
  w.get(D.Eip);
  w.op(Op.Xor);
  w.opConst(Op.ShrU, 12);
  w.opConst(Op.Sub, layout.rom >>> 12);
  w.opConst(Op.Shl, 1);
  w.get(D.User);
  w.op(Op.Add);
  w.opConst(Op.Shl, 1);
  w.memory(Op.Load16U, keys);
  w.tee(D.Region);
  w.op(Op.Eqz);
  w.brIf(out);
  w.get(D.Region);
  w.opConst(Op.Sub, 1);
  w.set(D.Region);
}

/** Number of the block at EIP in D.Entry; to `out` when none starts there. */
function findEntry(w: CodeWriter, layout: MemoryLayout, out: Label): void {
  w.get(D.Region);
  w.opConst(Op.Shl, 12);
  w.get(D.Eip);
  w.opConst(Op.And, 4095);
  w.op(Op.Or);
  w.memory(Op.Load8U, layout.engine);
  w.tee(D.Entry);
  w.op(Op.Eqz);
  w.brIf(out);
}

function run(w: CodeWriter): void {
  w.get(D.Core);
  w.get(D.Region);
  w.memory(Op.Store, REGION_WORD * 4);
  w.get(D.Core);
  w.get(D.Eip);
  w.opConst(Op.And, -4096);
  w.tee(D.Word);
  w.memory(Op.Store, BASE_WORD * 4);
  w.get(D.Core);
  w.get(D.Flat);
  w.get(D.Word);
  w.get(D.Left);
  w.get(D.Entry);
  w.get(D.Region);
  w.callIndirect(tableType(REGION_IMPORTS.length, REGION_IMPORTS.length + 1));
  w.set(D.Left);
}
