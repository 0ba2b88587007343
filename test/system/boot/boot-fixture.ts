/** A machine with the real firmware, and what it left in low RAM. */
import {
  BOOT_INFO_BASE,
  BOOT_INFO_E820_OFFSET,
  BOOT_INFO_MODULES_OFFSET,
  BOOT_MODULE_ENTRY_BYTES,
} from '../../../emu/arch/boot-info.ts';
import { R, RunState } from '../../../emu/arch/core-layout.ts';
import { Machine } from '../../../emu/machine.ts';
import type { MachineConfig } from '../../../emu/machine-config.ts';
import { firmwareRom } from '../../../firmware/image.ts';

export interface Booting {
  readonly machine: Machine;
  /** Everything that was sent to the serial line so far. */
  console(): string;
  /** Number of hand-overs so far. */
  handOvers(): number;
}

/** A machine at reset, with a kernel that takes over and lets every core rest. */
export function makeMachine(config: Partial<MachineConfig> = {}): Booting {
  const machine = new Machine({ rom: firmwareRom(), ramBytes: 4 << 20, ...config });
  let text = '';
  let handOvers = 0;
  machine.console = (byte) => {
    text += String.fromCharCode(byte);
  };
  machine.attach({
    handOver: () => {
      handOvers++;
      for (const { r } of machine.cores) r[R.RUN_STATE] = RunState.Halted;
    },
    trap: () => {},
    interrupt: (core) => machine.eoi(core),
  });
  return { machine, console: () => text, handOvers: () => handOvers };
}

/** Runs the firmware to its hand-over. */
export function boot(config: Partial<MachineConfig> = {}): Booting {
  const booting = makeMachine(config);
  booting.machine.run({ maxInstructions: 10_000_000, until: () => booting.handOvers() > 0 });
  return booting;
}

/** The boot information block, as its picture in emu/arch/boot-info.ts says. */
export function readBootInfo(machine: Machine) {
  const word = (offset: number) => machine.bus.read32(BOOT_INFO_BASE + offset) >>> 0;
  const e820 = Array.from({ length: word(12) }, (_, i) => {
    const at = BOOT_INFO_E820_OFFSET + 20 * i;
    return { base: word(at), length: word(at + 8), type: word(at + 16) };
  });
  const modules = Array.from({ length: word(16) }, (_, i) => {
    const at = BOOT_INFO_MODULES_OFFSET + BOOT_MODULE_ENTRY_BYTES * i;
    const name = new Uint8Array(40);
    machine.bus.readBytes(BOOT_INFO_BASE + at + 8, name);
    return { start: word(at), end: word(at + 4), name: String.fromCharCode(...name).replace(/\0.*$/s, '') };
  });
  return {
    magic: word(0),
    coreCount: word(4),
    bspApicId: word(8),
    ramBytes: word(20),
    firmwareEnd: word(24),
    apicIds: Array.from({ length: word(4) }, (_, i) => word(32 + 4 * i)),
    e820,
    modules,
  };
}
