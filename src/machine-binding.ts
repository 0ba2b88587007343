/**
 * Binds the kernel's MachinePort to the machine of emu/: the only file that knows both. Physical addresses are
 * bytes; costs are charged by the kernel, except those of the local APIC, which the machine charges itself.
 */
import { IOAPIC_BASE } from '../emu/arch/address-map.ts';
import { CoreF, R } from '../emu/arch/core-layout.ts';
import type { MmioRegion } from '../emu/arch/ports.ts';
import { IoAccess } from '../emu/dev/io-protection.ts';
import type { Machine } from '../emu/machine.ts';
import { ContainerRight } from './abi/rights.ts';
import type { MachinePort } from './kernel/machine-port.ts';

/** Low word of a redirection entry of the I/O APIC: fixed delivery to one local APIC, active high (82093AA, §3.2.4). */
const REDIRECT_LEVEL = 1 << 15;
const REDIRECT_MASKED = 1 << 16;
const IOAPIC_WINDOW = IOAPIC_BASE + 0x10;
const NO_CORE = -1;

/** Index of the low word of a line's redirection entry; the high word follows. */
const redirection = (line: number): number => 0x10 + 2 * line;

/** `consoleWrite` gets the guests' own output. The port refers to `machine` and keeps no state. */
export function bindMachine(machine: Machine, consoleWrite: (bytes: Uint8Array) => void): MachinePort {
  const { bus, tlb, cores, settings } = machine;
  const { ioApic } = machine.board;
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
      // The kernel counts on a flush, also where the TLB tells address spaces apart.
      tlb.selectSpace(core, pa);
      tlb.flushNonGlobal(core);
    },
    sendIpi: (from, to, vector) => machine.sendIpi(from, to, vector),
    endOfInterrupt: (core) => machine.eoi(core),
    armTimer: (core, atCycles, vector) => machine.armCoreTimer(core, atCycles, vector),
    disarmTimer: (core) => machine.disarmCoreTimer(core),
    routeLine: (line, core, vector, trigger) => {
      writeIoApic(ioApic, redirection(line) + 1, machine.lapics[core]!.apicId << 24);
      writeIoApic(ioApic, redirection(line), vector | (trigger === 'level' ? REDIRECT_LEVEL : 0));
    },
    maskLine: (line) => {
      const low = readIoApic(ioApic, redirection(line));
      writeIoApic(ioApic, redirection(line), low | REDIRECT_MASKED);
    },
    unmaskLine: (line) => {
      const low = readIoApic(ioApic, redirection(line));
      writeIoApic(ioApic, redirection(line), low & ~REDIRECT_MASKED);
    },
    isDmaReachable: (frame, count) => machine.isDmaReachable(frame, count),
    allowDevices: (frame, count, access) => machine.ioProtection.allow(frame, count, ioAccess(access)),
    denyDevices: (frame, count) => machine.ioProtection.deny(frame, count),
    consoleWrite,
    emit: (kind, core, a, b, c, d) =>
      machine.events.sink?.emit(kind, core, cores[core]!.f[CoreF.CYCLES]!, a, b, c, d),
    exit: (status) => machine.exit(0, status),
  };
}

/** What a device may do under rights on a container: what a core could do with these rights. */
const ioAccess = (access: number): number =>
  ((access & ContainerRight.READ) !== 0 ? IoAccess.Read : 0) |
  ((access & ContainerRight.WRITE) !== 0 ? IoAccess.Write : 0);

function readIoApic(ioApic: MmioRegion, index: number): number {
  ioApic.write(IOAPIC_BASE, 4, index, NO_CORE);
  return ioApic.read(IOAPIC_WINDOW, 4, NO_CORE);
}

function writeIoApic(ioApic: MmioRegion, index: number, value: number): void {
  ioApic.write(IOAPIC_BASE, 4, index, NO_CORE);
  ioApic.write(IOAPIC_WINDOW, 4, value, NO_CORE);
}
