import { describe, expect, it } from 'vitest';
import { physmem, shippedImage } from './shipped.ts';

/** A copy of the hello program with little-endian words put at offsets. */
function damaged(...patches: readonly [offset: number, bytes: 1 | 2 | 4, value: number][]): Uint8Array {
  const image = shippedImage('hello');
  const view = new DataView(image.buffer);
  for (const [offset, bytes, value] of patches) {
    if (bytes === 1) view.setUint8(offset, value);
    else if (bytes === 2) view.setUint16(offset, value, true);
    else view.setUint32(offset, value, true);
  }
  return image;
}

const PROGRAM_HEADERS = new DataView(shippedImage('hello').buffer).getUint32(28, true);
const segment = (index: number, field: number): number => PROGRAM_HEADERS + 32 * index + 4 * field;
const word = (offset: number): number => new DataView(shippedImage('hello').buffer).getUint32(offset, true);

describe('a program that cannot be loaded', () => {
  it.each<[string, Uint8Array, RegExp]>([
    ['a truncated header', shippedImage('hello').slice(0, 40), /ends inside the ELF header/],
    ['truncated bytes', shippedImage('hello').slice(0, 6000), /beyond the end of the file/],
    ['a 64-bit file', damaged([4, 1, 2]), /64-bit ELF file; build it with -m32/],
    ['another machine', damaged([18, 2, 40]), /machine 40; 3 \(Intel 80386\) is needed/],
    ['a shared object', damaged([16, 2, 3]), /a static executable is needed/],
    ['a dynamic program', damaged([segment(0, 0), 4, 3]), /link it with -static/],
    ['overlapping segments', damaged([segment(1, 2), 4, word(segment(0, 2))]), /overlap/],
    ['a segment that is too large', damaged([segment(0, 5), 4, 0x20000000]), /the limit is/],
    ['a segment in the kernel', damaged([segment(0, 2), 4, 0xffff0000]), /outside user space/],
    ['an entry point in nothing', damaged([24, 4, 0x10]), /entry point 0x10 is not in an executable segment/],
  ])('%s is one sentence that names the file, exit code 2', async (_, image, part) => {
    const { code, out, err } = await physmem(['run', 'my.elf'], { files: { 'my.elf': image } });
    expect(err).toMatch(part);
    expect(err).toMatch(/^physmem: my\.elf(, file offset \d+)?: [^\n]+\.\n$/);
    expect(code).toBe(2);
    expect(out).toBe('');
  });

  it('does not fit: too many arguments are refused by name', async () => {
    const files = { 'my.elf': shippedImage('hello') };
    const { code, err } = await physmem(['run', 'my.elf', ...Array<string>(32).fill('x'.repeat(200))], {
      files,
    });
    expect(code).toBe(2);
    expect(err).toContain('the arguments do not fit');
  });
});
