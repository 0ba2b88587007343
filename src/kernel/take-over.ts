/**
 * The kernel takes the cores over from the firmware: GDTs and TSSs in RAM, an address space for cores without a
 * task, and the register blocks of all cores in protected mode with paging (SDM vol. 3 §9.8, §2.5). Every core is
 * idle afterwards: halted at CPL 3 with interrupts on, so that the machine hands its interrupts to the kernel.
 */
import { Flag, R, RunState, Seg } from '../../emu/arch/core-layout.ts';
import {
  CR0_ET,
  CR0_NE,
  CR0_PE,
  CR0_PG,
  CR0_WP,
  CR4_PGE,
  CR4_PSE,
  PTE_P,
  PTE_U,
  PTE_W,
} from '../../emu/arch/paging.ts';
import { MESSAGE_FRAME_VA } from '../abi/message.ts';
import type { KernelContext } from './context.ts';
import {
  CORE_BLOCK_IN_PAGE,
  coreBlockVa,
  descriptorHigh,
  descriptorLow,
  GDT_BYTES,
  KERNEL_CODE,
  KERNEL_DATA,
  NO_IO_MAP,
  NULL_SEGMENT,
  SEL_KERNEL_DATA,
  SEL_THREAD,
  SEL_TSS,
  SEL_USER_CODE,
  SEL_USER_DATA,
  type SegmentDef,
  TSS_ATTRIBUTES,
  TSS_ESP0,
  TSS_IOMAP,
  TSS_OFFSET,
  TSS_SS0,
  threadSegment,
  tssBytes,
  tssVa,
  USER_CODE,
  USER_DATA,
} from './layout.ts';
import type { MemoryPlan } from './memory-plan.ts';
import { setSegment } from './segments.ts';
import { kernelPagePte } from './space.ts';

const SYSTEM_PDE = 1023;

/** Fills the kernel's frames and loads every core. The cores' memory of the firmware is gone afterwards. */
export function takeOver(k: KernelContext, plan: MemoryPlan): void {
  k.state.kernelFrame = plan.kernelFrame;
  k.state.idleDirectory = plan.idleDirectory;
  k.state.freeIoBitmaps.push(...plan.ioBitmaps);
  k.machine.zeroFrames(plan.kernelFrame, 3);
  k.machine.write32(
    plan.idleDirectory * 4096 + SYSTEM_PDE * 4,
    ((plan.idleSystemTable << 12) | PTE_P | PTE_W | PTE_U) >>> 0,
  );
  k.machine.write32(plan.idleSystemTable * 4096, kernelPagePte(k));
  for (const core of k.state.cores) {
    buildTables(k, core.number);
    loadCore(k, core.number);
  }
}

const tssSegment = (core: number): SegmentDef => ({
  base: tssVa(core),
  limitBytes: tssBytes(core) - 1,
  attributes: TSS_ATTRIBUTES,
});

/** GDT and TSS of one core. No port is open to ring 3. */
function buildTables(k: KernelContext, core: number): void {
  const at = k.state.kernelFrame * 4096 + core * CORE_BLOCK_IN_PAGE;
  const gdt: readonly SegmentDef[] = [
    NULL_SEGMENT,
    KERNEL_CODE,
    KERNEL_DATA,
    USER_CODE,
    USER_DATA,
    threadSegment(MESSAGE_FRAME_VA),
    tssSegment(core),
  ];
  gdt.forEach((segment, index) => {
    k.machine.write32(at + index * 8, descriptorLow(segment));
    k.machine.write32(at + index * 8 + 4, descriptorHigh(segment));
  });
  k.machine.write32(at + TSS_OFFSET + TSS_ESP0, coreBlockVa(core) + CORE_BLOCK_IN_PAGE);
  k.machine.write32(at + TSS_OFFSET + TSS_SS0, SEL_KERNEL_DATA);
  k.machine.write32(at + TSS_OFFSET + TSS_IOMAP, (NO_IO_MAP << 16) >>> 0);
}

function loadCore(k: KernelContext, core: number): void {
  const r = k.registers[core]!;
  r.fill(0, R.EAX, R.EFLAGS + 1);
  r[R.EFLAGS] = Flag.ONE | Flag.IF;
  r[R.CR0] = CR0_PE | CR0_PG | CR0_WP | CR0_NE | CR0_ET;
  r[R.CR2] = 0;
  r[R.CR4] = CR4_PSE | CR4_PGE;
  r[R.GDT_BASE] = coreBlockVa(core);
  r[R.GDT_LIMIT] = GDT_BYTES - 1;
  r[R.IDT_BASE] = 0;
  r[R.IDT_LIMIT] = 0;
  setSegment(r, Seg.CS, SEL_USER_CODE, USER_CODE);
  for (const segment of [Seg.SS, Seg.DS, Seg.ES, Seg.FS]) setSegment(r, segment, SEL_USER_DATA, USER_DATA);
  setSegment(r, Seg.GS, SEL_THREAD, threadSegment(MESSAGE_FRAME_VA));
  setSegment(r, Seg.LDTR, 0, NULL_SEGMENT);
  setSegment(r, Seg.TR, SEL_TSS, tssSegment(core));
  r[R.CPL] = 3;
  r[R.SHADOW] = 0;
  r[R.RUN_STATE] = RunState.Halted;
  k.machine.registersChanged(core);
  k.machine.loadCr3(core, k.state.idleDirectory * 4096);
  k.machine.flushTlb(core, 'drop');
}
