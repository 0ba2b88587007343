import { describe, expect, it } from 'vitest';
import { DEFAULT_COSTS } from '../../../emu/arch/cost.ts';
import { machineSettings } from '../../../emu/machine-config.ts';

const rom = new Uint8Array(4096);

describe('the machine configuration', () => {
  it('is two cores and 32 MiB when nothing is said', () => {
    expect(machineSettings({ rom })).toMatchObject({
      cores: 2,
      ramBytes: 32 << 20,
      quantum: 1000,
      bare: null,
    });
  });

  it.each([
    [{ cores: 0 }, 'cores is 0'],
    [{ cores: 17 }, 'cores is 17'],
    [{ ramBytes: 1 << 20 }, 'ramBytes is 1048576'],
    [{ ramBytes: 2 ** 32 }, 'ramBytes is 4294967296'],
    [{ ramBytes: (4 << 20) + 1 }, 'not a multiple of 4096'],
    [{ quantum: 0 }, 'quantum is 0'],
    [{ quantum: 1.5 }, 'quantum is 1.5'],
    [{ seed: -1 }, 'seed is -1'],
    [{ rom: new Uint8Array(0) }, 'rom has 0 bytes'],
    [{ rom: new Uint8Array(5000) }, 'rom has 5000 bytes'],
    [{ costs: { ...DEFAULT_COSTS, instruction: 0 } }, 'costs.instruction is 0'],
    [{ costs: { ...DEFAULT_COSTS, pageWalk: -1 } }, 'costs.pageWalk is -1'],
  ])('refuses %o with one sentence', (change, message) => {
    expect(() => machineSettings({ rom, ...change })).toThrow(message);
  });
});
