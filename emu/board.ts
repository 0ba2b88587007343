/**
 * The board: which chips there are, at which addresses, on which lines. Wiring only; adding a device is one line
 * in each of the lists below that concern it. IRQ n goes to the 8259 pair and to input n of the I/O APIC (the 8259's output
 * to LINT0 of core 0), as the MP table says.
 */
import { IRQ_COM1, IRQ_IDE0, IRQ_KEYBOARD, IRQ_TIMER } from './arch/address-map.ts';
import { BOOT_BARE, BOOT_HOSTED } from './arch/boot-info.ts';
import type {
  Clock,
  DeviceTimer,
  DmaPort,
  EventPort,
  IrqLine,
  MmioRegion,
  PlainData,
  PortRange,
  Snapshotable,
} from './arch/ports.ts';
import { ApicBus } from './dev/apic-bus.ts';
import { BootConfig } from './dev/boot-config.ts';
import { Cmos } from './dev/cmos.ts';
import { type DebugPortListener, debugPorts } from './dev/debug-ports.ts';
import { DiskImage } from './dev/disk-image.ts';
import { IdeChannel } from './dev/ide.ts';
import type { CoreSignals } from './dev/interrupt-ports.ts';
import { IoApic } from './dev/ioapic.ts';
import { Kbc8042, type KbcLines } from './dev/kbc8042.ts';
import { ModuleWindow } from './dev/module-window.ts';
import { PicPair } from './dev/pic8259.ts';
import { Pit8254 } from './dev/pit8254.ts';
import { Uart16550 } from './dev/uart16550.ts';
import { VgaText } from './dev/vga-text.ts';
import { DmaBoard } from './dma-board.ts';
import type { MachineSettings } from './machine-config.ts';

/** What the chips need from the machine around them. */
export interface BoardPorts {
  readonly clock: Clock;
  readonly events: EventPort;
  readonly dmaMemory: DmaPort;
  readonly signals: CoreSignals;
  readonly debug: DebugPortListener;
  readonly kbcLines: KbcLines;
  chargeIpiSend(core: number): void;
  serialByte(byte: number): void;
}

export class Board implements Snapshotable {
  readonly apicBus: ApicBus;
  readonly ioApic: IoApic;
  readonly pic: PicPair;
  readonly pit: Pit8254;
  readonly uart: Uart16550;
  readonly cmos: Cmos;
  readonly vga: VgaText;
  readonly keyboard: Kbc8042;
  readonly bootConfig: BootConfig;
  readonly modules: ModuleWindow;
  /** The media of the two IDE drives; null = not connected. */
  readonly disks: readonly [DiskImage | null, DiskImage | null];
  readonly ide: IdeChannel;
  readonly dma: DmaBoard;
  private readonly debugRanges: readonly PortRange[];

  constructor(settings: MachineSettings, ports: BoardPorts) {
    this.apicBus = new ApicBus(settings.cores, {
      signals: ports.signals,
      clock: ports.clock,
      events: ports.events,
      ipiDeliverCycles: settings.costs.ipiDeliver,
      chargeIpiSend: (core) => ports.chargeIpiSend(core),
      broadcastEoi: (vector) => this.ioApic.endOfInterrupt(vector),
      acknowledgeExtInt: () => this.pic.acknowledge(),
    });
    this.ioApic = new IoApic(this.apicBus, settings.cores);
    this.pic = new PicPair((level) => this.apicBus.lapics[0]!.setLint0(level));
    const { clock, events } = ports;
    const { costs, cyclesPerSecond } = settings;
    this.pit = new Pit8254({ clock, irq: this.irqLine(IRQ_TIMER), cyclesPerSecond });
    const transmit = (byte: number) => ports.serialByte(byte);
    this.uart = new Uart16550({ clock, events, irq: this.irqLine(IRQ_COM1), transmit });
    const [disk0, disk1] = settings.disks.map((bytes) => (bytes === null ? null : new DiskImage(bytes)));
    this.disks = [disk0 ?? null, disk1 ?? null];
    this.ide = new IdeChannel(this.disks, {
      clock,
      events,
      irq: this.irqLine(IRQ_IDE0),
      commandCycles: costs.diskCommand,
      sectorCycles: costs.diskSector,
    });
    const irqLine = (irq: number) => this.irqLine(irq);
    this.dma = new DmaBoard(settings, { clock, events, memory: ports.dmaMemory, irqLine });
    this.keyboard = new Kbc8042(this.irqLine(IRQ_KEYBOARD), ports.kbcLines);
    this.vga = new VgaText();
    this.cmos = new Cmos({ ...settings, coreCount: settings.cores }, ports.clock);
    this.bootConfig = new BootConfig({
      bootMode: settings.bare === null ? BOOT_HOSTED : BOOT_BARE,
      entry: settings.bare?.entry ?? 0,
      coreCount: settings.cores,
      multibootInfo: settings.bare?.multibootInfo ?? 0,
    });
    this.modules = new ModuleWindow(settings.modules);
    this.debugRanges = debugPorts(ports.debug);
  }

  /** Register windows, for the bus. */
  get mmioRegions(): readonly MmioRegion[] {
    return [this.apicBus, this.ioApic, this.vga, this.modules];
  }

  /** Port ranges, for the I/O space. */
  get portRanges(): readonly PortRange[] {
    const single = [this.uart, this.cmos, this.vga.crtcPorts, this.bootConfig];
    const several = [this.pic, this.pit, this.keyboard, this.ide, this.dma].flatMap(
      (device) => device.portRanges,
    );
    return [...single, ...several, ...this.debugRanges];
  }

  /** Everything that may be armed at the clock. */
  get timers(): readonly DeviceTimer[] {
    const lapicTimers = this.apicBus.lapics.map((lapic) => lapic.timer);
    return [this.apicBus, ...lapicTimers, this.pit, this.uart, ...this.ide.timers, ...this.dma.timers];
  }

  save(): PlainData {
    return Object.fromEntries(this.devices().map(([name, device]) => [name, device.save()]));
  }

  load(data: PlainData): void {
    const states = data as { readonly [name: string]: PlainData };
    for (const [name, device] of this.devices()) device.load(states[name]);
  }

  /** Devices with state, by the name that they have in a snapshot. */
  private devices(): readonly (readonly [string, Snapshotable])[] {
    return [
      ['apic-bus', this.apicBus],
      ['ioapic', this.ioApic],
      ['pic', this.pic],
      ['pit', this.pit],
      ['uart', this.uart],
      ['ide', this.ide],
      ['dma', this.dma],
      ['keyboard', this.keyboard],
      ['vga', this.vga],
      ['cmos', this.cmos],
      ['boot-config', this.bootConfig],
    ];
  }

  /** An ISA interrupt: both controllers see it, the masked one ignores it. */
  private irqLine(irq: number): IrqLine {
    const toPic = this.pic.line(irq);
    const toIoApic = this.ioApic.line(irq);
    return {
      set: (level) => {
        toPic.set(level);
        toIoApic.set(level);
      },
      pulse: () => {
        toPic.pulse();
        toIoApic.pulse();
      },
    };
  }
}
