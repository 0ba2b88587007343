/** Tiny flat multiboot images with machine code written by hand. */
const HEADER_BYTES = 32;
const LOAD_ADDRESS = 0x100000;
const MAGIC = 0x1badb002;
const HAS_ADDRESSES = 1 << 16;

/** A multiboot image that is loaded at 1 MiB and entered at the first byte of `code`. */
export function flatImage(...code: readonly number[]): Uint8Array {
  const image = new Uint8Array(HEADER_BYTES + code.length);
  const view = new DataView(image.buffer);
  const checksum = -(MAGIC + HAS_ADDRESSES) >>> 0;
  const entry = LOAD_ADDRESS + HEADER_BYTES;
  const words = [MAGIC, HAS_ADDRESSES, checksum, LOAD_ADDRESS, LOAD_ADDRESS, 0, 0, entry];
  for (const [i, word] of words.entries()) view.setUint32(4 * i, word, true);
  image.set(code, HEADER_BYTES);
  return image;
}

const outByte = (port: number, value: number): number[] => [0xb0, value, 0xe6, port];

/** Writes a letter to the debug console and 3 to the exit port: status 7. */
export const HELLO_IMAGE = flatImage(...outByte(0xe9, 0x48), ...outByte(0xf4, 3), 0xf4);
/** Jumps to itself. */
export const LOOP_IMAGE = flatImage(0xeb, 0xfe);
/** CLI, HLT. */
export const HALT_IMAGE = flatImage(0xfa, 0xf4, 0xeb, 0xfc);
/** LIDT of an empty table (at its own first bytes), then UD2: triple fault. */
export const TRIPLE_FAULT_IMAGE = flatImage(
  ...[0x0f, 0x01, 0x1d, 0x30, 0x00, 0x10, 0x00],
  ...[0x0f, 0x0b],
  ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
);
