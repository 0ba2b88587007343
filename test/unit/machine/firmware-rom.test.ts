import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { firmwareRom } from '../../../firmware/image.ts';
import {
  buildRom,
  FIRMWARE_DIR,
  installedToolchains,
  type RomRecord,
  sha256,
  sourcesHash,
} from '../../../tools/build-firmware.ts';

const record: RomRecord = JSON.parse(readFileSync(join(FIRMWARE_DIR, 'rom.json'), 'utf8'));
const rom = new Uint8Array(readFileSync(join(FIRMWARE_DIR, 'rom.bin')));
const remedy = 'run: npx tsx tools/build-firmware.ts';

describe('the firmware ROM', () => {
  it('was built from the sources that are here', () => {
    expect(sourcesHash(), remedy).toBe(record.sources);
  });

  it('is the one that was recorded, as a file and as a module', () => {
    expect(sha256(rom), remedy).toBe(record.rom);
    expect(sha256(firmwareRom()), remedy).toBe(record.rom);
  });

  it('has a jump at the reset vector', () => {
    expect(rom).toHaveLength(0x10000);
    expect([0xe9, 0xeb]).toContain(rom[0xfff0]);
  });

  it.skipIf(!installedToolchains().some(({ name }) => name === record.toolchain))(
    'comes out the same when it is built again (skipped without its toolchain)',
    () => {
      const toolchain = installedToolchains().find(({ name }) => name === record.toolchain)!;
      expect(sha256(buildRom(toolchain)), remedy).toBe(record.rom);
    },
  );

  it.skipIf(installedToolchains().length === 0)('can be built by every toolchain that is installed', () => {
    for (const toolchain of installedToolchains()) expect(buildRom(toolchain)).toHaveLength(0x10000);
  });
});
