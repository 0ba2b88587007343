/**
 * The part of the board that moves memory without a core: the 8237 pair, the disk on it, the bus master, and the
 * protection unit between all of them and the bus. Wiring only, and the one view of what devices aim at.
 */
import { LOW_RAM_END, VGA_HOLE_END } from './arch/address-map.ts';
import type { CostModel } from './arch/cost.ts';
import {
  BUS_MASTER_CHANNEL,
  DMA_DISK_CHANNEL,
  type IoProtectionMode,
  IRQ_BUS_MASTER,
  IRQ_DMA_DISK,
} from './arch/dma.ts';
import type {
  Clock,
  DeviceTimer,
  DmaPort,
  EventPort,
  IrqLine,
  PlainData,
  PortRange,
  Snapshotable,
} from './arch/ports.ts';
import { PAGE_SIZE } from './arch/types.ts';
import { BusMaster } from './dev/bus-master.ts';
import { DiskImage } from './dev/disk-image.ts';
import { DmaDisk } from './dev/dma-disk.ts';
import type { DmaQuietListener, DmaTarget } from './dev/dma-ports.ts';
import { Dma8237 } from './dev/dma8237.ts';
import { IoAccess, IoProtection } from './dev/io-protection.ts';
import type { BusMasterConfig, DmaDiskConfig } from './machine-config.ts';

export interface DmaSettings {
  readonly dmaDisk: DmaDiskConfig | null;
  readonly busMaster: BusMasterConfig | null;
  readonly ioProtection: IoProtectionMode;
  readonly ramBytes: number;
  readonly costs: CostModel;
}

export interface DmaBoardPorts {
  readonly clock: Clock;
  readonly events: EventPort;
  readonly memory: DmaPort;
  irqLine(irq: number): IrqLine;
}

export class DmaBoard implements Snapshotable {
  readonly protection: IoProtection;
  readonly controllers: Dma8237;
  readonly disk: DmaDisk | null;
  readonly busMaster: BusMaster | null;
  /** Told when a channel has stopped aiming at its memory: masked, at its end, reprogrammed, reset. */
  onQuiet: DmaQuietListener | null = null;

  constructor(settings: DmaSettings, ports: DmaBoardPorts) {
    const { clock, events } = ports;
    const { costs } = settings;
    const { ramBytes } = settings;
    const isRam = (pa: number) => pa < ramBytes && (pa < LOW_RAM_END || pa >= VGA_HOLE_END);
    const protectionPorts = { clock, events, memory: ports.memory, isRam };
    this.protection = new IoProtection(settings.ioProtection, ramBytes / PAGE_SIZE, protectionPorts);
    const memory = this.protection.masters;
    const quiet: DmaQuietListener = (channel) => this.onQuiet?.(channel);
    this.controllers = new Dma8237({ clock, events, memory, transferCycles: costs.dmaTransfer, quiet });
    this.disk = this.makeDisk(settings, ports);
    this.busMaster =
      settings.busMaster === null
        ? null
        : new BusMaster(new DiskImage(settings.busMaster.image), {
            clock,
            events,
            irq: ports.irqLine(IRQ_BUS_MASTER),
            memory: memory[BUS_MASTER_CHANNEL]!,
            commandCycles: costs.diskCommand,
            sectorCycles: settings.busMaster.sectorCycles ?? costs.diskSector,
            quiet,
          });
  }

  get portRanges(): readonly PortRange[] {
    return [...this.controllers.portRanges, ...this.devices];
  }

  get timers(): readonly DeviceTimer[] {
    return [this.controllers, ...this.devices];
  }

  /** Every range that a programmed or running transfer will touch, by channel; the bus master's last. */
  activity(): DmaTarget[] {
    return [...this.controllers.targets(), ...(this.busMaster?.targets() ?? [])];
  }

  /** Whether a device will touch one of `count` base frames; false = they are quiet. */
  isTarget(frame: number, count: number): boolean {
    const first = frame * PAGE_SIZE;
    const end = first + count * PAGE_SIZE;
    return this.activity().some(({ address, sizeBytes }) => address < end && address + sizeBytes > first);
  }

  /** The same, but for what the protection unit holds back: whether a device can still change or read these frames. */
  isReachable(frame: number, count: number): boolean {
    return this.activity().some((target) => this.canReach(target, frame, count));
  }

  /** What must be the same in two machines for one to load the other's snapshot; empty without these devices. */
  get shape(): string {
    const { disk, busMaster, protection } = this;
    return [
      disk === null ? '' : `, a DMA disk of ${disk.image.sectorCount} sectors on channel ${disk.channel}`,
      busMaster === null ? '' : `, a bus-master disk of ${busMaster.image.sectorCount} sectors`,
      { off: '', report: ', reports of I/O', on: ', I/O protection' }[protection.mode],
    ].join('');
  }

  save(): PlainData {
    return {
      controllers: this.controllers.save(),
      disk: this.disk?.save() ?? null,
      busMaster: this.busMaster?.save() ?? null,
      protection: this.protection.save(),
    };
  }

  load(data: PlainData): void {
    const state = data as { readonly [part: string]: PlainData };
    this.controllers.load(state['controllers']);
    this.disk?.load(state['disk']);
    this.busMaster?.load(state['busMaster']);
    this.protection.load(state['protection']);
  }

  private canReach(target: DmaTarget, frame: number, count: number): boolean {
    const { address, sizeBytes, channel, direction } = target;
    const first = Math.max(frame, Math.floor(address / PAGE_SIZE));
    const end = Math.min(frame + count, Math.ceil((address + sizeBytes) / PAGE_SIZE));
    if (this.protection.mode !== 'on') return first < end;
    const wanted = direction === 'to-memory' ? IoAccess.Write : IoAccess.Read;
    for (let at = first; at < end; at++) {
      if ((this.protection.rights(at, channel) & wanted) !== 0) return true;
    }
    return false;
  }

  private get devices(): readonly (DmaDisk | BusMaster)[] {
    return [this.disk, this.busMaster].filter((device) => device !== null);
  }

  private makeDisk({ dmaDisk, costs }: DmaSettings, ports: DmaBoardPorts): DmaDisk | null {
    if (dmaDisk === null) return null;
    const { image, channel = DMA_DISK_CHANNEL, sectorCycles } = dmaDisk;
    const { clock, events } = ports;
    const disk = new DmaDisk(new DiskImage(image), {
      clock,
      events,
      irq: ports.irqLine(IRQ_DMA_DISK),
      channel,
      request: this.controllers.line(channel),
      commandCycles: costs.diskCommand,
      sectorCycles: sectorCycles ?? costs.diskSector,
    });
    this.controllers.connect(channel, disk);
    return disk;
  }
}
