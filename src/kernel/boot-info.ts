/** Reads the boot information block that the firmware left in RAM (emu/arch/boot-info.ts). */
import {
  BOOT_INFO_BASE,
  BOOT_INFO_E820_OFFSET,
  BOOT_INFO_MAGIC,
  BOOT_INFO_MODULES_OFFSET,
  BOOT_MODULE_ENTRY_BYTES,
  BOOT_MODULE_NAME_BYTES,
  type BootInfo,
  type BootModule,
  type E820Entry,
} from '../../emu/arch/boot-info.ts';
import type { MachinePort } from './machine-port.ts';

const E820_MAX = 16;
const MODULES_MAX = 32;
const E820_ENTRY_BYTES = 20;

/** The block as data, or one sentence that says what is wrong with it. */
export function readBootInfo(machine: MachinePort): BootInfo | string {
  const word = (offset: number): number => machine.read32(BOOT_INFO_BASE + offset) >>> 0;
  if (word(0) !== BOOT_INFO_MAGIC) {
    return `No boot information at 0x${BOOT_INFO_BASE.toString(16)}: the magic is 0x${word(0).toString(16)}.`;
  }
  const e820Count = word(12);
  const moduleCount = word(16);
  if (e820Count > E820_MAX)
    return `The boot information lists ${e820Count} memory ranges, at most ${E820_MAX} fit.`;
  if (moduleCount > MODULES_MAX)
    return `The boot information lists ${moduleCount} modules, at most ${MODULES_MAX} fit.`;
  return {
    coreCount: word(4),
    ramBytes: word(20),
    firmwareEnd: word(24),
    e820: Array.from({ length: e820Count }, (_, i): E820Entry => {
      const at = BOOT_INFO_E820_OFFSET + i * E820_ENTRY_BYTES;
      return {
        base: word(at) + word(at + 4) * 2 ** 32,
        length: word(at + 8) + word(at + 12) * 2 ** 32,
        type: word(at + 16),
      };
    }),
    modules: Array.from({ length: moduleCount }, (_, i): BootModule => readModule(machine, i)),
  };
}

function readModule(machine: MachinePort, index: number): BootModule {
  const at = BOOT_INFO_BASE + BOOT_INFO_MODULES_OFFSET + index * BOOT_MODULE_ENTRY_BYTES;
  const bytes = new Uint8Array(BOOT_MODULE_NAME_BYTES);
  machine.readBytes(at + 8, bytes);
  let name = '';
  for (const byte of bytes) {
    if (byte === 0) break;
    name += String.fromCharCode(byte);
  }
  return { name, start: machine.read32(at) >>> 0, end: machine.read32(at + 4) >>> 0 };
}
