/**
 * A sector disk on a channel of the 8237, at the place and with the lines of the PC/XT's fixed-disk adapter; the
 * registers are its own (docs/dma.md). A command passes 1..128 sectors: `command` cycles to the first, then for every
 * CHUNK_BYTES its share of `sector` cycles on the medium and the controller's time on the bus. A channel that does not
 * answer within DMA_TIMEOUT_CYCLES ends the command with an error, so that every command ends.
 *
 *   port   read                  write
 *   +0     status                command
 *   +1     error                 control: 1 = interrupt at the end of a command
 *   +2     sectors left          sector count, 1..128
 *   +3     DMA channel
 *   +4..7  next sector           first sector (32 bits, little-endian)
 */
import { PORT_DMA_DISK } from '../arch/dma.ts';
import { Ev } from '../arch/events.ts';
import type {
  AccessSize,
  Clock,
  DeviceTimer,
  EventPort,
  IrqLine,
  PlainData,
  PortRange,
  Snapshotable,
} from '../arch/ports.ts';
import { type DiskImage, SECTOR_BYTES } from './disk-image.ts';
import type { DmaDevice, DmaRequestLine } from './dma-ports.ts';
import { SectorCursor } from './sector-cursor.ts';

export enum DiskReg {
  /** Read: status. */
  Command = 0,
  /** Read: error. */
  Control = 1,
  Count = 2,
  Channel = 3,
  Sector = 4,
}

export enum DiskCommand {
  /** Takes the interrupt request back. */
  Acknowledge = 0,
  /** Disk to memory, memory to disk. */
  Read = 1,
  Write = 2,
  /** Puts the number of sectors into the sector register, at once and without an interrupt. */
  Capacity = 3,
  /** Ends the command in progress, with an error. */
  Abort = 4,
  /** Everything as at power-on; the medium stays. */
  Reset = 5,
}

export enum DiskStatus {
  Busy = 0x80,
  Ready = 0x40,
  /** DREQ is high. */
  DataRequest = 0x08,
  Interrupt = 0x02,
  Error = 0x01,
}

export enum DiskError {
  None = 0,
  BadCommand = 0x01,
  /** Sector count 0 or above 128. */
  BadCount = 0x02,
  /** Sectors beyond the end of the disk. */
  NoSector = 0x04,
  Aborted = 0x08,
  /** No answer of the DMA channel. */
  NoDma = 0x10,
  /** Terminal count before the last byte. */
  ShortCount = 0x20,
  /** The channel's direction is not the command's. */
  WrongDirection = 0x40,
}

export const DISK_MAX_SECTORS = 128;
export const CHUNK_BYTES = 128;
export const DMA_TIMEOUT_CYCLES = 1_000_000;
export const CONTROL_INTERRUPT = 1;
/** Number of this disk in block events; 0 and 1 are the IDE drives. */
export const DMA_DISK_DRIVE = 2;

export interface DmaDiskPorts {
  readonly clock: Clock;
  readonly events: EventPort;
  readonly irq: IrqLine;
  readonly channel: number;
  readonly request: DmaRequestLine;
  readonly commandCycles: number;
  readonly sectorCycles: number;
}

/** `medium`: the head reads or writes a chunk. `dma`: DREQ is high, the timer guards the time-out. `end`: all is done. */
type Phase = 'idle' | 'seek' | 'medium' | 'dma' | 'end';

export class DmaDisk implements PortRange, DeviceTimer, DmaDevice, Snapshotable {
  readonly name = 'dma-disk';
  readonly first = PORT_DMA_DISK;
  readonly last = PORT_DMA_DISK + 7;
  private readonly ports: DmaDiskPorts;
  private readonly cursor: SectorCursor;
  private phase: Phase = 'idle';
  private command: DiskCommand = DiskCommand.Acknowledge;
  private error = DiskError.None;
  private control = 0;
  private count = 0;
  private sector = 0;
  /** Bytes of the command that have not passed the channel, and those of them that can pass now. */
  private leftBytes = 0;
  private ready = 0;
  private interrupt: 0 | 1 = 0;

  constructor(image: DiskImage, ports: DmaDiskPorts) {
    this.ports = ports;
    this.cursor = new SectorCursor(image);
  }

  get image(): DiskImage {
    return this.cursor.image;
  }

  /** The channel of the 8237 that it is wired to. */
  get channel(): number {
    return this.ports.channel;
  }

  get isBusy(): boolean {
    return this.phase !== 'idle';
  }

  get readyBytes(): number {
    return this.ready;
  }

  /** A wide access is one of consecutive bytes. */
  read(port: number, size: AccessSize): number {
    let value = 0;
    for (let i = 0; i < size; i++) value += this.readByte(port - this.first + i) * 2 ** (8 * i);
    return value;
  }

  write(port: number, size: AccessSize, value: number): void {
    for (let i = 0; i < size; i++) this.writeByte(port - this.first + i, (value >>> (8 * i)) & 0xff);
  }

  give(into: Uint8Array): void {
    if (this.command !== DiskCommand.Read || into.length > this.ready) {
      into.fill(0xff);
      if (this.isBusy) this.finish(DiskError.WrongDirection);
      return;
    }
    this.cursor.take(into);
    this.passed(into.length);
  }

  take(from: Uint8Array): void {
    if (this.command !== DiskCommand.Write || from.length > this.ready) {
      if (this.isBusy) this.finish(DiskError.WrongDirection);
      return;
    }
    this.cursor.put(from);
    this.passed(from.length);
  }

  terminalCount(): void {
    if (this.isBusy && this.leftBytes > 0) this.finish(DiskError.ShortCount);
  }

  fire(): void {
    if (this.phase === 'seek') this.begin();
    else if (this.phase === 'medium') this.mediumDone();
    else if (this.phase === 'dma') this.finish(DiskError.NoDma);
    else if (this.phase === 'end') this.finish(DiskError.None);
  }

  save(): PlainData {
    const { phase, command, error, control, count, sector, leftBytes, ready, interrupt } = this;
    const state = { phase, command, error, control, count, sector, leftBytes, ready, interrupt };
    return { state, cursor: this.cursor.save() };
  }

  load(data: PlainData): void {
    const saved = data as unknown as { state: object; cursor: PlainData };
    Object.assign(this, saved.state);
    this.cursor.load(saved.cursor);
  }

  private get status(): number {
    return (
      (this.isBusy ? DiskStatus.Busy : DiskStatus.Ready) |
      (this.ready > 0 ? DiskStatus.DataRequest : 0) |
      (this.interrupt === 1 ? DiskStatus.Interrupt : 0) |
      (this.error !== DiskError.None ? DiskStatus.Error : 0)
    );
  }

  private readByte(register: number): number {
    if (register >= DiskReg.Sector) return (this.sector >>> (8 * (register - DiskReg.Sector))) & 0xff;
    switch (register) {
      case DiskReg.Command:
        return this.status;
      case DiskReg.Control:
        return this.error;
      case DiskReg.Count:
        return this.count;
      default:
        return this.ports.channel;
    }
  }

  /** A busy disk listens to ACKNOWLEDGE, ABORT, RESET and its control register only. */
  private writeByte(register: number, value: number): void {
    if (register === DiskReg.Control) this.control = value & CONTROL_INTERRUPT;
    else if (register === DiskReg.Command) this.start(value);
    else if (this.isBusy) return;
    else if (register === DiskReg.Count) this.count = value;
    else if (register >= DiskReg.Sector) {
      const shift = 8 * (register - DiskReg.Sector);
      this.sector = ((this.sector & ~(0xff << shift)) | (value << shift)) >>> 0;
    }
    this.updateIrq();
  }

  private start(command: number): void {
    if (command === DiskCommand.Acknowledge) this.interrupt = 0;
    else if (command === DiskCommand.Reset) this.reset();
    else if (command === DiskCommand.Abort) {
      if (this.isBusy) this.finish(DiskError.Aborted);
    } else if (!this.isBusy) this.accept(command);
  }

  private accept(command: number): void {
    this.interrupt = 0;
    this.error = DiskError.None;
    if (command === DiskCommand.Capacity) {
      this.sector = this.image.sectorCount;
      return;
    }
    this.command = command;
    this.leftBytes = this.count * SECTOR_BYTES;
    this.report(Ev.DiskIssue, command, this.sector, this.count);
    this.wait('seek', this.ports.commandCycles);
  }

  private reset(): void {
    this.stop();
    this.error = DiskError.None;
    this.control = this.count = this.sector = this.leftBytes = this.interrupt = 0;
  }

  private wait(phase: Phase, cycles: number): void {
    this.phase = phase;
    this.ports.clock.arm(this, this.ports.clock.now() + cycles);
  }

  /** The command's first moment on the medium: what cannot be done is refused before a byte moves. */
  private begin(): void {
    if (this.command !== DiskCommand.Read && this.command !== DiskCommand.Write) {
      this.finish(DiskError.BadCommand);
    } else if (this.count === 0 || this.count > DISK_MAX_SECTORS) this.finish(DiskError.BadCount);
    else if (this.sector + this.count > this.image.sectorCount) this.finish(DiskError.NoSector);
    else {
      this.cursor.seek(this.sector);
      if (this.command === DiskCommand.Read) this.useMedium();
      else this.requestChunk();
    }
  }

  private useMedium(): void {
    this.wait('medium', Math.ceil((this.ports.sectorCycles * CHUNK_BYTES) / SECTOR_BYTES));
  }

  /** A chunk is ready for the channel, or on the medium. */
  private mediumDone(): void {
    if (this.leftBytes === 0) this.finish(DiskError.None);
    else this.requestChunk();
  }

  private requestChunk(): void {
    this.ready = CHUNK_BYTES;
    this.wait('dma', DMA_TIMEOUT_CYCLES);
    this.ports.request.set(1);
  }

  /** After the channel moved bytes: registers show how far the command is. */
  private passed(bytes: number): void {
    this.ready -= bytes;
    this.leftBytes -= bytes;
    this.count = Math.ceil(this.leftBytes / SECTOR_BYTES);
    this.sector = this.cursor.sector;
    if (this.ready > 0) return;
    this.ports.request.set(0);
    // The controller ends its bus cycle and its count first: the interrupt comes when the bytes are in memory.
    if (this.command === DiskCommand.Read && this.leftBytes === 0) this.wait('end', 0);
    else this.useMedium();
  }

  private stop(): void {
    this.ports.clock.cancel(this);
    this.ready = 0;
    this.ports.request.set(0);
    this.phase = 'idle';
  }

  private finish(error: DiskError): void {
    this.stop();
    this.error = error;
    this.interrupt = 1;
    this.updateIrq();
    this.report(Ev.DiskComplete, this.sector, this.count, error);
  }

  private updateIrq(): void {
    this.ports.irq.set(this.interrupt === 1 && this.control !== 0 ? 1 : 0);
  }

  private report(kind: Ev.DiskIssue | Ev.DiskComplete, b: number, c: number, d: number): void {
    this.ports.events.sink?.emit(kind, -1, this.ports.clock.now(), DMA_DISK_DRIVE, b, c, d);
  }
}
