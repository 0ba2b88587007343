/**
 * Watches every use of a stale TLB entry (the machine's debug shadow) and keeps those that no rule excuses: a use is
 * fine while an operation still waits for this core's answer, or the core is dead and its operation refused, and when
 * the page table was only widened; and so is a read through a deferred unmap that keeps its conditions, which is counted.
 * All others are I18: the core used a translation after it was taken away.
 */
import { Ev } from '../../emu/arch/events.ts';
import { ACCESS_USER, ACCESS_WRITE } from '../../emu/mem/index.ts';
import { USER_TOP } from '../abi/message.ts';
import type { TraceEvent } from '../observe/trace.ts';
import { allowsStale } from '../physmem/check/deferred.ts';
import type { System } from '../system.ts';

export class StaleWatch {
  private readonly system: System;
  private readonly found: string[] = [];
  /** Reads through deferred unmaps, which are allowed. */
  deferredUses = 0;
  private readonly endListening: () => void;

  /** Turns the shadow on; the machine is slower with it. */
  constructor(system: System) {
    this.system = system;
    system.machine.tlb.setShadow('on');
    this.endListening = system.trace.listen((event) => {
      if (event.kind === Ev.StaleUse) this.judge(event);
    });
  }

  get hasFound(): boolean {
    return this.found.length > 0;
  }

  /** What was found since the last call. */
  take(): readonly string[] {
    return this.found.splice(0);
  }

  stop(): void {
    this.endListening();
    this.system.machine.tlb.setShadow('off');
  }

  /** Arguments: linear and physical address that the entry gives, EIP, whether it is a write. */
  private judge({ core, a, b, d }: TraceEvent): void {
    const { machine, kernel } = this.system;
    // Above there is the kernel's window, through which the processor itself looks at the TSS and the I/O bitmap.
    const access = (a >>> 0 < USER_TOP ? ACCESS_USER : 0) | (d === 1 ? ACCESS_WRITE : 0);
    const walk = machine.mmu.explainWalk(core, a >>> 0, access);
    if (walk.pa === b >>> 0) return;
    if (d !== 1 && this.isDeferred(core, a >>> 12, b >>> 12)) {
      this.deferredUses += 1;
      return;
    }
    const bit = 1 << core;
    const isExcused = kernel
      .describeShootdowns()
      .some(({ missingMask, isWaitedFor, gaveUp }) => (missingMask & bit) !== 0 && (isWaitedFor || gaveUp));
    if (isExcused || this.found.length > 0) return;
    const what = d === 1 ? 'wrote through' : 'read through';
    this.found.push(
      `I18: core ${core} ${what} a translation of 0x${(a >>> 0).toString(16)} that is gone (frame ${b >>> 12})`,
    );
  }

  private isDeferred(core: number, page: number, frame: number): boolean {
    const { kernel, physmem } = this.system;
    if (physmem === null) return false;
    return allowsStale(physmem.store, kernel.describeCores()[core]!.space, page, frame);
  }
}
