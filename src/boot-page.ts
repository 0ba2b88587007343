/**
 * Makes the bytes of a boot page (src/abi/boot-page.ts): what the root task finds at BOOT_PAGE_VA.
 */
import { BOOT_PAGE_MAGIC, BOOT_PAGE_MODULES_MAX } from './abi/boot-page.ts';

const PAGE_BYTES = 4096;
const HEADER_BYTES = 64;
const MODULE_BYTES = 48;
const MODULE_NAME_BYTES = 40;

export interface BootPage {
  readonly control: number;
  readonly starter: number;
  readonly cores: number;
  /** argv, the program's name first. */
  readonly args: readonly string[];
  readonly bootContainer: number;
  readonly heapStart: number;
  readonly modules: readonly { readonly name: string; readonly start: number; readonly sizeBytes: number }[];
}

/** The page, or null when arguments and module table do not fit into 4096 bytes. */
export function makeBootPage(page: BootPage): Uint8Array | null {
  const bytes = new Uint8Array(PAGE_BYTES);
  const view = new DataView(bytes.buffer);
  const moduleTable = HEADER_BYTES;
  const strings = moduleTable + page.modules.length * MODULE_BYTES;
  const text = utf8(page.args.map((arg) => `${arg}\0`).join(''));
  if (page.modules.length > BOOT_PAGE_MODULES_MAX || strings + text.length > PAGE_BYTES) return null;
  const header = [
    BOOT_PAGE_MAGIC,
    page.control,
    page.starter,
    page.cores,
    page.args.length,
    strings,
    page.modules.length,
    moduleTable,
    page.bootContainer,
    page.heapStart,
  ];
  for (const [i, word] of header.entries()) view.setUint32(i * 4, word, true);
  for (const [i, module] of page.modules.entries()) {
    const at = moduleTable + i * MODULE_BYTES;
    view.setUint32(at, module.start, true);
    view.setUint32(at + 4, module.sizeBytes, true);
    bytes.set(utf8(module.name).subarray(0, MODULE_NAME_BYTES - 1), at + 8);
  }
  bytes.set(text, strings);
  return bytes;
}

/** UTF-8 bytes of a text (there is no TextEncoder below the command line). */
function utf8(text: string): Uint8Array {
  const escaped = encodeURIComponent(text);
  const bytes: number[] = [];
  for (let i = 0; i < escaped.length; i++) {
    if (escaped[i] === '%') bytes.push(Number.parseInt(escaped.slice(i + 1, (i += 2) + 1), 16));
    else bytes.push(escaped.charCodeAt(i));
  }
  return Uint8Array.from(bytes);
}
