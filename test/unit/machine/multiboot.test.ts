import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ImageError } from '../../../emu/image-error.ts';
import { planMultiboot } from '../../../emu/multiboot.ts';

const MAGIC = 0x1badb002;
const RAM = 16 << 20;

/** A file of little-endian words. */
function words(byteCount: number, at: Record<number, number>): Uint8Array {
  const bytes = new Uint8Array(byteCount);
  const view = new DataView(bytes.buffer);
  for (const [offset, value] of Object.entries(at)) view.setUint32(Number(offset), value >>> 0, true);
  return bytes;
}

/** Flat image with the header at offset 16. */
const flat = (change: Record<number, number> = {}, byteCount = 256) =>
  words(byteCount, {
    16: MAGIC,
    20: 0x10003,
    24: -(MAGIC + 0x10003),
    28: 0x100010,
    32: 0x100000,
    36: 0,
    40: 0x102000,
    44: 0x100030,
    ...change,
  });

/** ELF32 executable with one segment of 64 bytes at offset 0x100 and the multiboot header at 0x100. */
const elf = (change: Record<number, number> = {}) =>
  words(0x140, {
    0: 0x464c457f,
    4: 0x00010101,
    16: 0x00030002,
    20: 1,
    24: 0x10000c,
    28: 52,
    40: 0x00200034,
    44: 1,
    52: 1,
    56: 0x100,
    60: 0x80100000,
    64: 0x100000,
    68: 0x40,
    72: 0x2000,
    256: MAGIC,
    260: 0,
    264: -MAGIC,
    ...change,
  });

const plan = (image: Uint8Array, more = {}) => planMultiboot({ image, ramBytes: RAM, ...more });

describe('the multiboot loader', () => {
  it('loads a flat image by its address fields, from the header’s distance to the load address', () => {
    const { entry, writes } = plan(flat());
    expect(entry).toBe(0x100030);
    expect(writes[0]).toEqual({ address: 0x100000, bytes: flat() });
  });

  it('stops at load_end_addr', () => {
    expect(plan(flat({ 36: 0x100080 })).writes[0]!.bytes).toHaveLength(0x80);
  });

  it('loads ELF segments at their physical addresses, and takes a physical entry as it is', () => {
    const { entry, writes } = plan(elf());
    expect(entry).toBe(0x10000c);
    expect(writes[0]!.address).toBe(0x100000);
    expect(writes[0]!.bytes).toHaveLength(0x40);
  });

  it('turns a virtual entry of a kernel linked high into the load address', () => {
    expect(plan(elf({ 24: 0x8010000c })).entry).toBe(0x10000c);
  });

  it('describes memory, command line and modules in the information structure', () => {
    const modules = [{ bytes: Uint8Array.from([1, 2, 3]), commandLine: 'initrd' }];
    const { writes, multibootInfo } = plan(elf(), { commandLine: 'quiet', modules });
    const { address, bytes } = writes.at(-1)!;
    expect(address).toBe(multibootInfo);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const at = (pa: number) => view.getUint32(pa - address, true);
    const text = (pa: number) => {
      const from = pa - address;
      return String.fromCharCode(...bytes.subarray(from, bytes.indexOf(0, from)));
    };
    const field = (offset: number) => at(address + offset);
    expect(field(0)).toBe(0x24d);
    expect([field(4), field(8)]).toEqual([639, RAM / 1024 - 1024]);
    expect(text(field(16))).toBe('quiet');
    expect(field(20)).toBe(1);
    const start = at(field(24));
    expect([start, at(field(24) + 4)]).toEqual([0x102000, 0x102003]);
    expect(text(at(field(24) + 8))).toBe('initrd');
    expect(writes).toContainEqual({ address: 0x102000, bytes: modules[0]!.bytes });
    expect(field(44)).toBe(4 * 24);
    const last = field(48) + 3 * 24;
    expect([at(last), at(last + 4), at(last + 12), at(last + 20)]).toEqual([20, 1 << 20, RAM - (1 << 20), 1]);
    expect(text(field(64))).toBe('physmem firmware');
  });

  it.each<[string, Uint8Array, string]>([
    ['no header', new Uint8Array(9000), 'no multiboot header'],
    ['an empty file', new Uint8Array(0), 'no multiboot header'],
    ['a bad checksum', flat({ 24: 1 }), 'no multiboot header'],
    ['a header beyond 8192', words(9000, { 8192: MAGIC, 8196: 0, 8200: -MAGIC }), 'no multiboot header'],
    ['an unknown requirement', flat({ 20: 0x10009, 24: -(MAGIC + 0x10009) }), 'offset 0x14 require 0x8'],
    ['a load address above the header', flat({ 32: 0x100020 }), 'do not fit a header at offset 0x10'],
    ['a load that ends before it starts', flat({ 36: 0x0fff00 }), 'load_end_addr 0xfff00'],
    ['a load area beyond the file', flat({ 36: 0x101000 }), 'the file at 0x100'],
    ['a bss that ends inside the load', flat({ 40: 0x100010 }), 'bss_end_addr 0x100010'],
    ['an entry outside', flat({ 44: 0x200000 }), 'entry point 0x200000'],
    ['more memory than there is', flat({ 40: 0x2000000 }), 'RAM ends at 0xffffff'],
    [
      'a place that the firmware uses',
      flat({ 28: 0x2010, 32: 0x2000, 40: 0, 44: 0x2030 }),
      'below 1 MiB only',
    ],
    ['neither ELF nor addresses', flat({ 20: 0, 24: -MAGIC }), 'the file is not ELF'],
    ['64-bit ELF', elf({ 4: 0x00010102 }), 'ELF class and data is 0x102'],
    ['a shared object', elf({ 16: 0x00030003 }), 'e_type is 0x3'],
    ['another processor', elf({ 16: 0x003e0002 }), 'e_machine is 0x3e'],
    ['no segments', elf({ 44: 0 }), 'no loadable segment'],
    ['a table beyond the file', elf({ 28: 0x1000 }), 'program header at offset 0x1000'],
    ['a segment beyond the file', elf({ 56: 0x130 }), 'segment at offset 0x130'],
    ['more file than memory', elf({ 72: 0x10 }), 'p_filesz 0x40'],
    ['overlapping segments', elf({ 44: 2, 84: 1, 88: 0, 96: 0x101000, 100: 16, 104: 16 }), 'overlap'],
  ])('refuses %s with one sentence', (_what, image, message) => {
    expect(() => plan(image)).toThrow(ImageError);
    expect(() => plan(image)).toThrow(message);
  });

  it('refuses modules and command lines that do not fit', () => {
    const bytes = new Uint8Array(15 << 20);
    expect(() => plan(flat(), { modules: [{ bytes, commandLine: '' }] })).toThrow('module 1 ends at');
    expect(() => plan(flat(), { commandLine: 'x'.repeat(70_000) })).toThrow('command lines do not fit');
  });

  it('throws nothing but ImageError, and writes nothing outside RAM, for any damaged file', () => {
    const damage = fc.array(fc.tuple(fc.nat(0x13f), fc.integer({ min: 0, max: 255 })), { maxLength: 6 });
    fc.assert(
      fc.property(fc.boolean(), damage, fc.nat(0x140), (isElf, bytes, cut) => {
        const image = isElf ? elf() : flat({}, 0x140);
        for (const [offset, value] of bytes) image[offset] = value;
        try {
          for (const write of plan(image.subarray(0, 0x140 - (cut % 7 === 0 ? cut : 0))).writes) {
            expect(write.address + write.bytes.length).toBeLessThanOrEqual(RAM);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(ImageError);
        }
      }),
      { numRuns: 5000 },
    );
  });
});
