import { describe, expect, it } from 'vitest';
import { MODULE_ARCHIVE_MAGIC } from '../../../emu/arch/boot-info.ts';
import { buildModuleArchive, ModuleWindow } from '../../../emu/dev/module-window.ts';

const BASE = 0xe0000000;

describe('the module window', () => {
  const modules = [
    { name: 'root', bytes: Uint8Array.from([1, 2, 3, 4, 5]) },
    { name: 'x'.repeat(60), bytes: new Uint8Array(5000).fill(7) },
  ];
  const window = new ModuleWindow(modules);
  const word = (offset: number) => window.read(BASE + offset, 4);

  it('has the archive of boot-info.ts: magic, count, headers, page-aligned bytes', () => {
    expect([word(0), word(4)]).toEqual([MODULE_ARCHIVE_MAGIC, 2]);
    expect([word(8), word(12)]).toEqual([0x1000, 5]);
    expect([word(56), word(60)]).toEqual([0x2000, 5000]);
    expect(word(0x1000)).toBe(0x04030201);
    expect(word(0x1004)).toBe(5);
    expect(window.read(BASE + 0x2000 + 4999, 1)).toBe(7);
    expect(window.sizeBytes).toBe(0x4000);
  });

  it('cuts a name so that its terminating zero stays', () => {
    expect(window.read(BASE + 64 + 38, 1)).toBe(0x78);
    expect(window.read(BASE + 64 + 39, 1)).toBe(0);
  });

  it('cannot be written', () => {
    window.write();
    expect(word(0)).toBe(MODULE_ARCHIVE_MAGIC);
  });

  it('is an empty archive without modules', () => {
    const empty = new ModuleWindow([]);
    expect(empty.read(BASE + 4, 4)).toBe(0);
  });

  it('refuses more modules than the boot information can list', () => {
    const many = Array.from({ length: 33 }, () => ({ name: 'm', bytes: new Uint8Array(1) }));
    expect(() => buildModuleArchive(many)).toThrow('33 boot modules, at most 32');
  });
});
