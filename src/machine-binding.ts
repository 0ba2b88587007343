/**
 * Binds the kernel's MachinePort to the machine of emu/: the only file that knows both. Physical addresses are
 * bytes; costs are charged by the kernel, except those of the local APIC, which the machine charges itself.
 */
import { CoreF, R } from '../emu/arch/core-layout.ts';
import type { Machine } from '../emu/machine.ts';
import type { MachinePort } from './kernel/machine-port.ts';

/** `consoleWrite` gets the guests' own output. The port refers to `machine` and keeps no state. */
export function bindMachine(machine: Machine, consoleWrite: (bytes: Uint8Array) => void): MachinePort {
  const { bus, tlb, cores, settings } = machine;
  return {
    coreCount: settings.cores,
    ramBytes: settings.ramBytes,
    costs: settings.costs,
    registers: (core) => cores[core]!.r,
    counters: (core) => cores[core]!.f,
    registersChanged: () => {},
    read32: (pa) => bus.read32(pa),
    write32: (pa, value) => bus.write32(pa, value),
    readBytes: (pa, into) => bus.readBytes(pa, into),
    writeBytes: (pa, from) => bus.writeBytes(pa, from),
    zeroFrames: (frame, count) => {
      for (let i = 0; i < count; i++) bus.zeroFrame(frame + i);
    },
    copyFrames: (from, to, count) => {
      for (let i = 0; i < count; i++) bus.copyFrame(to + i, from + i);
    },
    invalidatePage: (core, va) => tlb.invalidatePage(core, va),
    flushTlb: (core, globals) => (globals === 'keep' ? tlb.flushNonGlobal(core) : tlb.flushAll(core)),
    loadCr3: (core, pa) => {
      cores[core]!.r[R.CR3] = pa;
      tlb.flushNonGlobal(core);
    },
    sendIpi: (from, to, vector) => machine.sendIpi(from, to, vector),
    endOfInterrupt: (core) => machine.eoi(core),
    armTimer: (core, atCycles, vector) => machine.armCoreTimer(core, atCycles, vector),
    disarmTimer: (core) => machine.disarmCoreTimer(core),
    consoleWrite,
    emit: (kind, core, a, b, c, d) =>
      machine.events.sink?.emit(kind, core, cores[core]!.f[CoreF.CYCLES]!, a, b, c, d),
    exit: (status) => machine.exit(0, status),
  };
}
