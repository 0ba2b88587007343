/** The configuration of the system that a scenario describes: where src/scenario meets src/system.ts. */
import { engineFrom, type UnicornSource } from '../emu/engine-choice.ts';
import { namedPolicy } from './physmem/compact/named.ts';
import type { Policy } from './physmem/compact/policy.ts';
import { HostError, quoted } from './scenario/host-error.ts';
import { fetchImages, type ImageSource } from './scenario/image-source.ts';
import type { Scenario } from './scenario/scenario.ts';
import type { ScenarioDisk } from './scenario/scenario-disks.ts';
import type { SystemConfig } from './system.ts';

const SECTOR_BYTES = 512;

const noUnicorn: UnicornSource = () => {
  throw new HostError('The engine unicorn needs a library of the system: it runs from the command line only');
};

/**
 * @param unicorn where the engine of that name comes from
 * @param policy what the scenario names, unless it is a file: then the caller has loaded it
 * @throws HostError when a program or a disk image is not there, a disk image is not one, or the engine is not to be had
 */
export function scenarioConfig(
  scenario: Scenario,
  images: ImageSource,
  unicorn: UnicornSource = noUnicorn,
  policy: Policy = shippedPolicy(scenario),
): SystemConfig {
  const { machine, seed, faults, poison, deferredUnmap, shootdownBy } = scenario;
  const { root, modules } = fetchImages(scenario, images);
  const { disk, busMaster } = machine;
  return {
    root,
    rootKind: scenario.root.kind,
    modules,
    cores: machine.cores,
    engine: engineFrom(machine.engine, unicorn),
    ramBytes: machine.ramBytes,
    seed,
    quantumInstructions: machine.quantumInstructions,
    timeSliceCycles: machine.timeSliceCycles,
    tlb: machine.tlb,
    speculation: machine.speculation,
    costs: machine.costs,
    dmaDisk: disk && {
      ...diskConfig('disk', disk, images),
      ...(disk.channel !== null && { channel: disk.channel }),
    },
    busMaster: busMaster && diskConfig('busMaster', busMaster, images),
    ioProtection: machine.ioProtection,
    faults,
    poison,
    deferredUnmap,
    shootdownBy,
    policy,
  };
}

/** A policy that is a file of somebody's must be loaded by who can read files. */
function shippedPolicy({ policy }: Scenario): Policy {
  if (policy.kind === 'shipped') return namedPolicy(policy.spec);
  throw new HostError(`the policy ${quoted(policy.path)} is a file, and was not loaded`);
}

/** The bytes of a disk: of its image, or as it is to be filled. */
function diskConfig(key: 'disk' | 'busMaster', disk: ScenarioDisk, images: ImageSource) {
  const { image: name, latencyCycles } = disk;
  const image = name === null ? filledDisk(disk) : images.image(name);
  if (image.length === 0 || image.length % SECTOR_BYTES !== 0) {
    const what = `machine.${key}.image ${name} has ${image.length} bytes`;
    throw new HostError(`${what}, one or more whole sectors of ${SECTOR_BYTES} are needed`);
  }
  return { image, ...(latencyCycles !== null && { sectorCycles: latencyCycles }) };
}

/** Numbers are little-endian, as the guest reads them. */
function filledDisk({ sizeBytes, fill }: ScenarioDisk): Uint8Array {
  const image = new Uint8Array(sizeBytes);
  if (fill === 'zeroes') return image;
  const view = new DataView(image.buffer);
  for (let at = 0; at < sizeBytes; at += 4) view.setUint32(at, at / 4, true);
  return image;
}
