/** The disks of a scenario: `machine.disk` and `machine.busMaster`, and the rules that concern several of their keys. */
import { isDmaChannel } from '../../emu/arch/dma.ts';
import { HostError } from './host-error.ts';
import type { ScenarioFile } from './schema.ts';

export interface ScenarioDisk {
  /** A file's name, or null for a disk of `sizeBytes`, filled as `fill` says. */
  readonly image: string | null;
  /** 0 when there is an image. */
  readonly sizeBytes: number;
  readonly fill: 'zeroes' | 'numbers';
  /** Cycles per sector; null = as the cost model says. */
  readonly latencyCycles: number | null;
  /** Channel of the 8237; null = the usual one. A bus master has none. */
  readonly channel: number | null;
}

type DiskFile = NonNullable<ScenarioFile['machine']['disk']>;

/** @throws HostError that names the file and the key */
export function checkDisks({ machine }: ScenarioFile, file: string): void {
  for (const key of ['disk', 'busMaster'] as const) {
    const disk = machine[key];
    if (disk === undefined || (disk.image === undefined) !== (disk.size === undefined)) continue;
    const found = disk.image === undefined ? 'it has none of them' : 'not both';
    throw new HostError(`${file}: machine.${key} must have an image or a size, ${found}`);
  }
  for (const key of ['disk', 'busMaster'] as const) {
    const { image, fill } = machine[key] ?? {};
    if (image === undefined || fill === undefined) continue;
    throw new HostError(
      `${file}: machine.${key}.fill is for a disk with a size; this one has the image ${image}`,
    );
  }
  const channel = machine.disk?.channel;
  if (channel === undefined || isDmaChannel(channel)) return;
  throw new HostError(
    `${file}: machine.disk.channel must be 0 to 3 (bytes) or 5 to 7 (words), not ${channel}, which joins the controllers`,
  );
}

export function settleDisk(disk: DiskFile | undefined): ScenarioDisk | null {
  if (disk === undefined) return null;
  return {
    image: disk.image ?? null,
    sizeBytes: disk.size ?? 0,
    fill: disk.fill ?? 'zeroes',
    latencyCycles: disk.latency ?? null,
    channel: disk.channel ?? null,
  };
}
