/**
 * The boot medium: a read-only archive of boot modules in an address window, which the firmware finds and copies
 * to RAM. Layout in emu/arch/boot-info.ts. Writes go nowhere. The bytes are configuration, not state: a snapshot
 * does not hold them.
 */
import { MODULE_WINDOW_BASE, MODULE_WINDOW_MAX } from '../arch/address-map.ts';
import { BOOT_MODULE_ENTRY_BYTES, BOOT_MODULE_NAME_BYTES, MODULE_ARCHIVE_MAGIC } from '../arch/boot-info.ts';
import type { AccessSize, MmioRegion } from '../arch/ports.ts';
import { PAGE_SIZE } from '../arch/types.ts';

export interface ModuleImage {
  /** At most 39 bytes of ASCII; longer names are cut. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

const MAX_MODULES = 32;
const pageUp = (n: number) => Math.ceil(n / PAGE_SIZE) * PAGE_SIZE;

/** The archive's bytes. Throws RangeError when there are too many modules or too many bytes. */
export function buildModuleArchive(modules: readonly ModuleImage[]): Uint8Array {
  if (modules.length > MAX_MODULES)
    throw new RangeError(`${modules.length} boot modules, at most ${MAX_MODULES}`);
  let end = pageUp(8 + modules.length * BOOT_MODULE_ENTRY_BYTES);
  const offsets = modules.map((module) => {
    const offset = end;
    end = pageUp(end + module.bytes.length);
    return offset;
  });
  if (end > MODULE_WINDOW_MAX) {
    throw new RangeError(`boot modules take ${end} bytes, the window has ${MODULE_WINDOW_MAX}`);
  }
  const archive = new Uint8Array(end);
  const view = new DataView(archive.buffer);
  view.setUint32(0, MODULE_ARCHIVE_MAGIC, true);
  view.setUint32(4, modules.length, true);
  for (const [i, module] of modules.entries()) {
    const header = 8 + i * BOOT_MODULE_ENTRY_BYTES;
    view.setUint32(header, offsets[i]!, true);
    view.setUint32(header + 4, module.bytes.length, true);
    for (let k = 0; k < Math.min(module.name.length, BOOT_MODULE_NAME_BYTES - 1); k++) {
      archive[header + 8 + k] = module.name.charCodeAt(k);
    }
    archive.set(module.bytes, offsets[i]!);
  }
  return archive;
}

export class ModuleWindow implements MmioRegion {
  readonly name = 'modules';
  readonly base = MODULE_WINDOW_BASE;
  readonly sizeBytes: number;
  private readonly archive: Uint8Array;
  private readonly view: DataView;

  constructor(modules: readonly ModuleImage[]) {
    this.archive = buildModuleArchive(modules);
    this.view = new DataView(this.archive.buffer);
    this.sizeBytes = this.archive.length;
  }

  read(pa: number, size: AccessSize): number {
    // The bus splits what crosses a page, and the archive is whole pages: an access never reaches over its end.
    const at = pa - this.base;
    if (size === 4) return this.view.getUint32(at, true);
    return size === 2 ? this.view.getUint16(at, true) : this.archive[at]!;
  }

  write(): void {}
}
