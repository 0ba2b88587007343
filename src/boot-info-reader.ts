/**
 * Reads the boot information block that the firmware left in low RAM (emu/arch/boot-info.ts). The firmware is
 * ours, so a block that makes no sense is a Bug, not a guest's mistake.
 */
import {
  BOOT_INFO_BASE,
  BOOT_INFO_E820_OFFSET,
  BOOT_INFO_MAGIC,
  BOOT_INFO_MODULES_OFFSET,
  BOOT_MODULE_ENTRY_BYTES,
  BOOT_MODULE_NAME_BYTES,
  type BootInfo,
} from '../emu/arch/boot-info.ts';

const E820_ENTRY_BYTES = 20;
const TWO_TO_32 = 2 ** 32;

/** `readBytes` reads physical memory. Throws Error when the magic is missing. */
export function readBootInfo(readBytes: (pa: number, into: Uint8Array) => void): BootInfo {
  const bytes = new Uint8Array(4096);
  readBytes(BOOT_INFO_BASE, bytes);
  const view = new DataView(bytes.buffer);
  const word = (offset: number): number => view.getUint32(offset, true);
  if (word(0) !== BOOT_INFO_MAGIC) {
    throw new Error('the firmware handed over without a boot information block');
  }
  const wide = (offset: number): number => word(offset) + word(offset + 4) * TWO_TO_32;
  const e820 = Array.from({ length: word(12) }, (_, i) => {
    const at = BOOT_INFO_E820_OFFSET + i * E820_ENTRY_BYTES;
    return { base: wide(at), length: wide(at + 8), type: word(at + 16) };
  });
  const modules = Array.from({ length: word(16) }, (_, i) => {
    const at = BOOT_INFO_MODULES_OFFSET + i * BOOT_MODULE_ENTRY_BYTES;
    return { start: word(at), end: word(at + 4), name: nameAt(bytes, at + 8) };
  });
  return { coreCount: word(4), ramBytes: word(20), firmwareEnd: word(24), e820, modules };
}

function nameAt(bytes: Uint8Array, at: number): string {
  let name = '';
  for (let i = at; i < at + BOOT_MODULE_NAME_BYTES && bytes[i] !== 0; i++) {
    name += String.fromCharCode(bytes[i]!);
  }
  return name;
}
