/** A static ELF around a few bytes of machine code: root tasks for benches, without a compiler. */
import { IMAGE_BASE } from '../../src/abi/boot-page.ts';

const HEADER_BYTES = 52;
const PROGRAM_HEADER_BYTES = 32;
const CODE_OFFSET = 4096;
const READ_WRITE_EXECUTE = 7;

/** The code is loaded at IMAGE_BASE and entered at its first byte; `dataBytes` zero bytes follow it in the same segment. */
export function tinyElf(code: readonly number[], dataBytes = 0): Uint8Array {
  const file = new Uint8Array(CODE_OFFSET + code.length);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  view.setUint16(16, 2, true); // ET_EXEC
  view.setUint16(18, 3, true); // EM_386
  view.setUint32(20, 1, true);
  view.setUint32(24, IMAGE_BASE, true);
  view.setUint32(28, HEADER_BYTES, true);
  view.setUint16(40, HEADER_BYTES, true);
  view.setUint16(42, PROGRAM_HEADER_BYTES, true);
  view.setUint16(44, 1, true);
  const header = [
    1,
    CODE_OFFSET,
    IMAGE_BASE,
    IMAGE_BASE,
    code.length,
    code.length + dataBytes,
    READ_WRITE_EXECUTE,
    4096,
  ];
  for (const [i, word] of header.entries()) view.setUint32(HEADER_BYTES + i * 4, word, true);
  file.set(code, CODE_OFFSET);
  return file;
}
