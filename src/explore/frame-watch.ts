/**
 * Watches memory change hands, and the answers of cores: what no check between two operations can see. A block that is
 * freed must be in no TLB (I19, I20), a block that is bound must read as zeroes (I29), a shootdown must be answered in
 * time (physmem.md §6.5: that it was not is reported, no rule is broken by it).
 */
import { KernelEv, PhysmemEv } from '../abi/events.ts';
import type { TraceEvent } from '../observe/trace.ts';
import type { System } from '../system.ts';

const PAGE_SHIFT = 12;
const PAGE_BYTES = 4096;

export class FrameWatch {
  private readonly system: System;
  private readonly endListening: () => void;
  private readonly broken: string[] = [];
  private readonly slow: string[] = [];

  constructor(system: System) {
    this.system = system;
    this.endListening = system.trace.listen((event) => this.judge(event));
  }

  get hasFound(): boolean {
    return this.broken.length + this.slow.length > 0;
  }

  /** Rules broken since the last call. */
  take(): readonly string[] {
    return this.broken.splice(0);
  }

  /** Answers that did not come in time since the last call. */
  takeLate(): readonly string[] {
    return this.slow.splice(0);
  }

  stop(): void {
    this.endListening();
  }

  private judge({ kind, a, b, c, d }: TraceEvent): void {
    if (kind === PhysmemEv.FrameFree) this.mustBeUnseen(a, 1 << b);
    else if (kind === PhysmemEv.Bind) this.mustBeZero(c, 1 << d);
    else if (kind === KernelEv.ShootdownTimeout)
      this.slow.push(`shootdown ${a} was not answered in time by the cores of mask 0x${b.toString(16)}`);
  }

  /** Cores that flush before they run user code again are excused. */
  private mustBeUnseen(first: number, count: number): void {
    const { machine, kernel } = this.system;
    for (const { core, flushPending, dead } of kernel.describeCores()) {
      if (flushPending || dead) continue;
      for (const { user, pa, va, sizeBytes } of machine.tlb.entries(core)) {
        const frame = pa >>> PAGE_SHIFT;
        if (!user || frame >= first + count || frame + sizeBytes / PAGE_BYTES <= first) continue;
        this.broken.push(
          `I19: base frame ${frame} is free, and the TLB of core ${core} has it at 0x${va.toString(16)}`,
        );
        return;
      }
    }
  }

  private mustBeZero(first: number, count: number): void {
    const page = new Uint8Array(PAGE_BYTES);
    for (let frame = first; frame < first + count; frame++) {
      this.system.machine.bus.readBytes(frame << PAGE_SHIFT, page);
      if (page.every((byte) => byte === 0)) continue;
      this.broken.push(`I29: base frame ${frame} is handed out with what was left in it`);
      return;
    }
  }
}
