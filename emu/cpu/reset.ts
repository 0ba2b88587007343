/**
 * Core state after power-up, INIT and SIPI (SDM vol. 3 §9.1, table 9-1; §8.4). Writes the core block only; the caller
 * flushes the core's TLB.
 */
import { R, RunState, Seg } from '../arch/core-layout.ts';
import type { SharedMemory } from '../mem/memory.ts';

/** EDX at reset: family 6, model 8, stepping 1, as CPUID leaf 1 says. */
export const CPU_SIGNATURE = 0x00000681;
const REAL_DATA_ATTR = 0x9300;
const CR0_AFTER_RESET = 0x60000010;

/**
 * Power-up or INIT state of a core: real mode at F000:FFF0 (base FFFF0000). INIT keeps CR0.CD/NW and the counters.
 * `next`: what the core does then; application processors wait for a SIPI.
 */
export function resetCore(
  memory: SharedMemory,
  core: number,
  kind: 'power-on' | 'init',
  next: RunState,
): void {
  const r = memory.r[core];
  const kept = kind === 'init' ? r[R.CR0] & 0x60000000 : 0x60000000;
  const a20 = kind === 'init' ? r[R.A20_MASK] : -1;
  r.fill(0, 0, 96);
  r.fill(0, 128, 256);
  if (kind === 'power-on') memory.f[core].fill(0, 48, 64);
  r[R.EDX] = CPU_SIGNATURE;
  r[R.EIP] = 0xfff0;
  r[R.EFLAGS] = 2;
  r[R.CR0] = (CR0_AFTER_RESET & ~0x60000000) | kept;
  r[R.DR6] = 0xffff0ff0 | 0;
  r[R.DR7] = 0x400;
  for (let s = Seg.ES; s <= Seg.GS; s++) {
    r[R.LIMIT + s] = 0xffff;
    r[R.ATTR + s] = REAL_DATA_ATTR;
  }
  r[R.SEL + Seg.CS] = 0xf000;
  r[R.BASE + Seg.CS] = 0xffff0000 | 0;
  r[R.ATTR + Seg.CS] = 0x9b00;
  r[R.LIMIT + Seg.LDTR] = 0xffff;
  r[R.ATTR + Seg.LDTR] = 0x8200;
  r[R.LIMIT + Seg.TR] = 0xffff;
  r[R.ATTR + Seg.TR] = 0x8b00;
  r[R.GDT_LIMIT] = 0xffff;
  r[R.IDT_LIMIT] = 0xffff;
  r[R.SIPI_VECTOR] = -1;
  r[R.A20_MASK] = a20;
  r[R.RUN_STATE] = next;
}

/** SIPI: a core in WaitSipi starts in real mode at page `vector` (CS = vector << 8, IP = 0). Else ignored. */
export function startCore(memory: SharedMemory, core: number, vector: number): void {
  const r = memory.r[core];
  if (r[R.RUN_STATE] !== RunState.WaitSipi) return;
  r[R.SEL + Seg.CS] = (vector << 8) & 0xffff;
  r[R.BASE + Seg.CS] = (vector << 12) & 0xff000;
  r[R.EIP] = 0;
  r[R.SIPI_VECTOR] = -1;
  r[R.RUN_STATE] = RunState.Running;
}
