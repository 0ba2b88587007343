import { describe, expect, it } from 'vitest';
import { HostError } from '../../../src/scenario/host-error.ts';
import { checkScenario } from '../../../src/scenario/scenario.ts';
import { scenarioConfig } from '../../../src/scenario-system.ts';

const scenario = (machine: object) =>
  checkScenario({ name: 's', title: 't', look: 'l', root: { image: 'hello' }, machine }, 'disks.json');
const images = {
  image: (name: string) =>
    new Uint8Array(name === 'odd.img' ? 1000 : name === 'empty.img' ? 0 : 1024).fill(7),
};
const config = (machine: object) => scenarioConfig(scenario(machine), images);

describe('the disks of a scenario', () => {
  it('are not there unless they are asked for, and devices are looked at, not held back', () => {
    expect(config({})).toMatchObject({ dmaDisk: null, busMaster: null, ioProtection: 'report' });
  });

  it('have the bytes of an image or as many zeroes as are wanted', () => {
    const { dmaDisk, busMaster, ioProtection } = config({
      disk: { image: 'disk.img', latency: '4k', channel: 5 },
      busMaster: { size: '1M' },
      ioProtection: 'on',
    });
    expect(dmaDisk).toEqual({ image: new Uint8Array(1024).fill(7), sectorCycles: 4096, channel: 5 });
    expect(busMaster!.image).toHaveLength(1 << 20);
    expect(Object.keys(busMaster!)).toEqual(['image']);
    expect(ioProtection).toBe('on');
  });

  it('hold numbers when they are to be known: each word its own', () => {
    const { dmaDisk } = config({ disk: { size: '4k', fill: 'numbers' } });
    const words = new DataView(dmaDisk!.image.buffer);
    expect([0, 4, 512, 4092].map((at) => words.getUint32(at, true))).toEqual([0, 1, 128, 1023]);
  });

  it.each<[string, object, string]>([
    [
      'both',
      { disk: { image: 'a', size: 512 } },
      'disks.json: machine.disk must have an image or a size, not both',
    ],
    [
      'neither',
      { busMaster: {} },
      'disks.json: machine.busMaster must have an image or a size, it has none of them',
    ],
    [
      'half a sector',
      { disk: { size: 700 } },
      'disks.json: machine.disk.size must be a size from 512 to 1G in steps of 512, not 700',
    ],
    [
      'the channel that joins the controllers',
      { disk: { size: '1M', channel: 4 } },
      'disks.json: machine.disk.channel must be 0 to 3 (bytes) or 5 to 7 (words), not 4, which joins the controllers',
    ],
    [
      'a channel of a bus master',
      { busMaster: { size: '1M', channel: 3 } },
      "disks.json: unknown key 'channel' in machine.busMaster; known are fill, image, latency, size",
    ],
    [
      'a filling of an image',
      { disk: { image: 'a', fill: 'numbers' } },
      'disks.json: machine.disk.fill is for a disk with a size; this one has the image a',
    ],
    [
      'a latency below 0',
      { disk: { size: '1M', latency: -1 } },
      'disks.json: machine.disk.latency must be a whole number from 0 to 1000000000, not -1',
    ],
    [
      'protection that is neither on nor off',
      { ioProtection: 'yes' },
      "disks.json: machine.ioProtection must be on or report or off, not 'yes'",
    ],
    [
      'an image that ends in mid-sector',
      { disk: { image: 'odd.img' } },
      'machine.disk.image odd.img has 1000 bytes, one or more whole sectors of 512 are needed',
    ],
    [
      'an empty image',
      { busMaster: { image: 'empty.img' } },
      'machine.busMaster.image empty.img has 0 bytes, one or more whole sectors of 512 are needed',
    ],
  ])('with %s are refused in one sentence', (_what, machine, sentence) => {
    expect(() => config(machine)).toThrow(new HostError(sentence));
  });
});
