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

const word = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);
const CODE = LOAD_ADDRESS + HEADER_BYTES;

/** IDT with one gate, for #UD, which leads to the UD2 itself: every instruction from then on faults. */
function endlessFault(): Uint8Array {
  const ud2 = CODE + 12;
  const table = CODE + 20;
  const pointer = CODE + 14;
  const gate = [...word((8 << 16) | (ud2 & 0xffff)), ...word((ud2 & 0xffff0000) | 0x8e00)];
  return flatImage(
    ...[0xbc, ...word(0x80000)],
    ...[0x0f, 0x01, 0x1d, ...word(pointer)],
    ...[0x0f, 0x0b],
    ...[7 * 8 - 1, 0, ...word(table)],
    ...new Array<number>(48).fill(0),
    ...gate,
  );
}
export const ENDLESS_FAULT_IMAGE = endlessFault();

/** Echoes what comes on the serial line to the debug console until a full stop comes, polling; then leaves with 1. */
export const ECHO_IMAGE = flatImage(
  ...[0x66, 0xba, 0xfd, 0x03, 0xec, 0xa8, 0x01, 0x74, 0xf7],
  ...[0x66, 0xba, 0xf8, 0x03, 0xec, 0xe6, 0xe9, 0x3c, 0x2e, 0x75, 0xeb],
  ...outByte(0xf4, 0),
  0xf4,
);

/** Reads sector 1 of disk 0 into RAM, adds 1 to its first byte, writes it to sector 0, leaves. Polls the status. */
export const DISK_IMAGE = flatImage(
  ...[0xbf, ...word(0x200000)],
  ...diskCommand(1, 0x20),
  ...[0x66, 0xba, 0xf0, 0x01, 0xb9, ...word(128), 0xf3, 0x6d],
  ...[0xfe, 0x05, ...word(0x200000)],
  ...[0xbe, ...word(0x200000)],
  ...diskCommand(0, 0x30),
  ...[0x66, 0xba, 0xf0, 0x01, 0xb9, ...word(128), 0xf3, 0x6f],
  ...[0x66, 0xba, 0xf7, 0x01, 0xec, 0xa8, 0x80, 0x75, 0xfb],
  ...outByte(0xf4, 0),
  0xf4,
);

/** LBA, count 1, the command; then waits for DRQ. */
function diskCommand(lba: number, command: number): number[] {
  const out = (port: number, value: number): number[] => [
    0x66,
    0xba,
    port & 0xff,
    port >> 8,
    0xb0,
    value,
    0xee,
  ];
  return [
    ...out(0x1f6, 0xe0),
    ...out(0x1f2, 1),
    ...out(0x1f3, lba),
    ...out(0x1f4, 0),
    ...out(0x1f5, 0),
    ...out(0x1f7, command),
    ...[0xec, 0xa8, 0x08, 0x74, 0xfb],
  ];
}
