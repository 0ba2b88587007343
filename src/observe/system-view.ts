/** A whole system as a view for the end report: physmem's records, and the counters of machine, kernel and server. */
import { CoreF } from '../../emu/arch/core-layout.ts';
import { Ev } from '../../emu/arch/events.ts';
import type { Machine } from '../../emu/machine.ts';
import { ACCESS_USER } from '../../emu/mem/index.ts';
import { KernelEv } from '../abi/events.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Physmem } from '../physmem/physmem.ts';
import type { CounterRow } from './counter-table.ts';
import type { SystemView } from './end-report.ts';
import { movingOf } from './moving.ts';
import { containersOf, controlsOf, framesOf, pinsOf, zoneBlocksOf } from './physmem-view.ts';
import type { PinsView } from './pin-text.ts';
import type { CoreTlb } from './tlb-text.ts';
import type { TraceRing } from './trace.ts';

/** A view of this moment. The arrays are copies; `walk` reads the tables as they are when it is called. */
export function systemView(machine: Machine, kernel: Kernel, physmem: Physmem, trace: TraceRing): SystemView {
  const frames = framesOf(physmem);
  return {
    frames,
    zones: zoneBlocksOf(frames, physmem.store.tuning.maxOrder),
    controls: controlsOf(physmem),
    containers: containersOf(physmem),
    pins: pinsViewOf(machine, physmem, trace),
    moving: movingOf(physmem),
    tlbs: tlbsOf(machine),
    walk: (core, va) => machine.mmu.explainWalk(core, va, ACCESS_USER),
    counters: countersOf(machine, kernel, physmem, trace),
  };
}

/** What is held in place, and what devices do with memory. */
function pinsViewOf(machine: Machine, physmem: Physmem, trace: TraceRing): PinsView {
  const { blockedCount, unallowedCount, lastBlocked: last } = machine.ioProtection;
  const unallowed = (['blocked', 'passed'] as const).flatMap((outcome) => {
    const count = outcome === 'blocked' ? blockedCount : unallowedCount;
    if (count === 0 || last === null) return [];
    const { channel: lastChannel, address: lastAddress, direction: lastDirection } = last;
    return [{ outcome, count, lastChannel, lastAddress, lastDirection }];
  });
  return {
    ...pinsOf(physmem, machine.cycles),
    devices: machine.dmaActivity(),
    unallowed,
    wraps: trace.count(Ev.DmaWrap),
  };
}

/** The TLB of every core. */
export function tlbsOf(machine: Machine): CoreTlb[] {
  const { data, instr } = machine.settings.tlb;
  const capacity = data.entries + (instr?.entries ?? 0);
  return machine.cores.map((_, core) => ({ core, capacity, entries: machine.tlb.entries(core) }));
}

/** What happened, per core where a core did it. */
export function countersOf(
  machine: Machine,
  kernel: Kernel,
  physmem: Physmem,
  trace: TraceRing,
): CounterRow[] {
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  const perCore = (label: string, values: readonly number[]): CounterRow => ({
    label,
    perCore: values,
    total: sum(values),
  });
  const counter = (label: string, index: CoreF): CounterRow =>
    perCore(
      label,
      machine.cores.map(({ f }) => f[index]!),
    );
  const events = (label: string, kind: number): CounterRow =>
    perCore(
      label,
      machine.cores.map((_, core) => trace.count(kind, core)),
    );
  const once = (label: string, total: number): CounterRow => ({ label, perCore: [], total });
  const k = kernel.counters;
  const p = physmem.counters;
  const loans =
    p.returnRequests + p.reclaimedFrames + p.lostSoftFrames === 0
      ? []
      : [
          once('requests to give frames back', p.returnRequests),
          once('extra frames taken by force', p.reclaimedFrames),
          once('soft frames reused', p.lostSoftFrames),
        ];
  const deferral =
    p.deferredPages === 0
      ? []
      : [
          once('page unmaps deferred', p.deferredPages),
          once('IPIs put off by that', p.deferredIpis),
          once('flushes of deferred unmaps', p.deferredFlushes),
        ];
  return [
    counter('instructions', CoreF.INSTRUCTIONS),
    { ...counter('cycles', CoreF.CYCLES), total: machine.cycles },
    counter('TLB misses', CoreF.TLB_MISSES),
    counter('page walks', CoreF.PAGE_WALKS),
    counter('traps', CoreF.TRAPS),
    counter('interrupts', CoreF.INTERRUPTS),
    events('page faults', KernelEv.PageFault),
    events('context switches', KernelEv.ContextSwitch),
    events('IPIs sent', Ev.IpiSend),
    events('TLB invalidations', Ev.TlbInvalidate),
    events('TLB flushes', Ev.TlbFlush),
    once('system calls', k.syscalls),
    once('messages (IPC)', k.ipcs),
    once('requests to physmem (RPC)', k.rpcs),
    once('shootdowns', k.shootdowns),
    once('of these on one core only', k.shootdownsLocal),
    once('shootdown IPIs', k.shootdownIpis),
    once('IPIs spared (lazy cores)', k.ipisAvoided),
    ...deferral,
    once('frames bound', p.boundFrames),
    once('frames zeroed', p.zeroedFrames),
    once('frames copied', p.copiedFrames),
    once('copy-on-write breaks', p.cowBreaks),
    ...loans,
    once('pages mapped', p.mappedPages),
    once('pages unmapped', p.unmappedPages),
  ];
}
