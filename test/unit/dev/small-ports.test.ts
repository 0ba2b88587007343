import { describe, expect, it } from 'vitest';
import { BootConfig } from '../../../emu/dev/boot-config.ts';
import { debugPorts } from '../../../emu/dev/debug-ports.ts';

describe('the debug ports', () => {
  const log: string[] = [];
  const ports = debugPorts({
    post: (core, code) => log.push(`post ${core} ${code}`),
    consoleByte: (core, byte) => log.push(`byte ${core} ${byte}`),
    exit: (core, value) => log.push(`exit ${core} ${value}`),
    handOver: (core) => log.push(`hand-over ${core}`),
  });
  const port = (n: number) => ports.find((p) => p.first === n)!;

  it('tell their listener who wrote what, and hand over only for the value 1', () => {
    port(0x80).write(0x80, 1, 0x21, 0);
    port(0xe9).write(0xe9, 1, 0x41, 1);
    port(0xf4).write(0xf4, 4, 0x12345, 2);
    port(0xf8).write(0xf8, 1, 2, 0);
    port(0xf8).write(0xf8, 1, 1, 0);
    expect(log).toEqual(['post 0 33', 'byte 1 65', 'exit 2 74565', 'hand-over 0']);
  });

  it('answer 0xE9 at the console port, so that a guest can tell that it is there', () => {
    expect(port(0xe9).read(0xe9, 1, 0)).toBe(0xe9);
    expect(port(0x80).read(0x80, 1, 0)).toBe(0xff);
  });
});

describe('the boot configuration', () => {
  const config = new BootConfig({ bootMode: 1, entry: 0x10000c, coreCount: 3, multibootInfo: 0x90000 });
  const word = (selector: number) => {
    config.write(0x510, 2, selector);
    return [0, 8, 16, 24].reduce((sum, shift) => sum + config.read(0x511) * 2 ** shift, 0);
  };

  it('gives signature, mode, entry, cores and multiboot address byte by byte', () => {
    expect([0, 1, 2, 3, 4].map(word)).toEqual([0x46434d50, 1, 0x10000c, 3, 0x90000]);
  });

  it('gives zeroes beyond a value and for an unknown selector', () => {
    word(2);
    expect(config.read(0x511)).toBe(0);
    expect(word(77)).toBe(0);
  });

  it('comes back from a snapshot in the middle of a word', () => {
    config.write(0x510, 2, 2);
    config.read(0x511);
    const other = new BootConfig({ bootMode: 0, entry: 0, coreCount: 1, multibootInfo: 0 });
    other.load(config.save());
    expect(other.read(0x511)).toBe(0x00);
    expect(other.read(0x511)).toBe(0x10);
  });
});
