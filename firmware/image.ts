/**
 * The firmware as bytes, without a file access: rom.ts holds the parts of the ROM that are not filler, in base64.
 */
import { ROM_SIZE } from '../emu/arch/address-map.ts';
import { ROM_PARTS } from './rom.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const FILLER = 0xff;

/** A fresh copy of the 64 KiB ROM that tools/build-firmware.ts made. */
export function firmwareRom(): Uint8Array {
  const rom = new Uint8Array(ROM_SIZE).fill(FILLER);
  for (const [offset, text] of ROM_PARTS) decodeBase64(text, rom, offset);
  return rom;
}

/** Decodes base64 with padding into `out` from `at`. */
function decodeBase64(text: string, out: Uint8Array, at: number): void {
  let bits = 0;
  let bitCount = 0;
  for (const letter of text) {
    const digit = ALPHABET.indexOf(letter);
    if (digit < 0) break;
    bits = ((bits << 6) | digit) & 0xffff;
    bitCount += 6;
    if (bitCount >= 8) {
      bitCount -= 8;
      out[at++] = bits >> bitCount;
    }
  }
}
