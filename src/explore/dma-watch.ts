/**
 * Watches every access of a device and every frame that changes hands (physmem.md §4 pin, I20, I24): a device may touch
 * pinned or quarantined frames only, and no frame that a device can still reach may be freed, handed out or moved. It
 * asks the machine what devices aim at, and physmem what a frame is; what a driver is allowed it does not look up.
 */
import { PhysmemEv } from '../abi/events.ts';
import type { TraceEvent } from '../observe/trace.ts';
import { FRAME_STATE_NAMES } from '../physmem/base-frames.ts';
import type { System } from '../system.ts';
import { isHeldForDevices } from '../system-check.ts';

const PAGE_BYTES = 4096;

export class DmaWatch {
  private readonly system: System;
  private readonly found: string[] = [];
  private readonly endListening: () => void;

  constructor(system: System) {
    this.system = system;
    system.machine.ioProtection.observer = (channel, pa, sizeBytes, direction) => {
      const first = Math.floor(pa / PAGE_BYTES);
      for (let frame = first; frame * PAGE_BYTES < pa + sizeBytes; frame++) {
        this.judgeAccess(frame, `channel ${channel}, a ${direction} of ${sizeBytes} bytes`);
      }
    };
    this.endListening = system.trace.listen((event) => this.judgeChange(event));
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
    this.system.machine.ioProtection.observer = null;
  }

  private judgeAccess(frame: number, what: string): void {
    const { physmem } = this.system;
    if (physmem === null || this.hasFound || isHeldForDevices(physmem, frame)) return;
    const { base } = physmem.store;
    const state = FRAME_STATE_NAMES[base.state[base.headOf(frame)]!];
    this.found.push(`I20: ${what} hits base frame ${frame}, which is ${state} and not pinned`);
  }

  /** Arguments of the events: base frame and order; of a move: from, to, order. */
  private judgeChange({ kind, a, b, c }: TraceEvent): void {
    if (kind === PhysmemEv.FrameFree) this.mustBeQuiet(a, b, 'freed');
    else if (kind === PhysmemEv.FrameAlloc) this.mustBeQuiet(a, b, 'handed out');
    else if (kind === PhysmemEv.Move) this.mustBeQuiet(a, c, 'moved away');
  }

  private mustBeQuiet(head: number, order: number, what: string): void {
    if (this.hasFound || !this.system.machine.isDmaReachable(head, 2 ** order)) return;
    this.found.push(`I20: base frame ${head}, order ${order}, is ${what}, and a device can still reach it`);
  }
}
