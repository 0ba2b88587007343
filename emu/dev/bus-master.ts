/**
 * A disk that is its own bus master: 32 address bits, a list of descriptors in RAM (docs/dma.md). The device reads
 * the whole list when a command begins, refuses it before a byte moves if it cannot be done, and then passes
 * CHUNK_BYTES at a time, each in its share of `diskSector` cycles. Registers are 32 bits wide; narrower writes are
 * dropped.
 *
 *   port   read                    write                       descriptor, 16 bytes, little-endian
 *   +0     status                  command                     +0   physical address of the first byte
 *   +4     list address            list address, multiple of 4 +4   length in bytes, 1 or more
 *   +8     first sector            first sector                +8   1 = disk to memory, 0 = memory to disk
 *   +12    descriptors left        number of descriptors       +12  0
 *   +16    error                   control: 1 = interrupt
 *   +20    bytes moved
 *   +24    sectors of the disk
 */
import { BUS_MASTER_CHANNEL, PORT_BUS_MASTER } from '../arch/dma.ts';
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
import type { DmaQuietListener, DmaTarget, MasterPort } from './dma-ports.ts';
import {
  DESCRIPTOR_BYTES,
  type Descriptor,
  listError,
  MAX_DESCRIPTORS,
  readDescriptors,
  TransferError,
} from './scatter-list.ts';
import { SectorCursor } from './sector-cursor.ts';

export enum MasterReg {
  /** Read: status. */
  Command = 0,
  List = 4,
  Sector = 8,
  Count = 12,
  /** Read: error. */
  Control = 16,
  Moved = 20,
  Capacity = 24,
}

export enum MasterCommand {
  Acknowledge = 0,
  Start = 1,
  /** Ends the command in progress, with an error. */
  Abort = 4,
  /** Everything as at power-on; the medium stays. */
  Reset = 5,
}

export enum MasterStatus {
  Busy = 0x80,
  Ready = 0x40,
  Interrupt = 0x02,
  Error = 0x01,
}

const CHUNK_BYTES = 128;
const CONTROL_INTERRUPT = 1;
/** Number of this disk in block events. */
export const BUS_MASTER_DRIVE = 3;

export interface BusMasterPorts {
  readonly clock: Clock;
  readonly events: EventPort;
  readonly irq: IrqLine;
  readonly memory: MasterPort;
  readonly commandCycles: number;
  readonly sectorCycles: number;
  readonly quiet: DmaQuietListener;
}

type Phase = 'idle' | 'seek' | 'move';

export class BusMaster implements PortRange, DeviceTimer, Snapshotable {
  readonly name = 'bus-master';
  readonly first = PORT_BUS_MASTER;
  readonly last = PORT_BUS_MASTER + 31;
  private readonly ports: BusMasterPorts;
  private readonly cursor: SectorCursor;
  private phase: Phase = 'idle';
  private error = TransferError.None;
  private control = 0;
  private listAddress = 0;
  private sector = 0;
  private count = 0;
  private movedBytes = 0;
  private interrupt: 0 | 1 = 0;
  /** The list of the command; the first one is under way, `doneBytes` of it have moved. */
  private list: readonly Descriptor[] = [];
  private doneBytes = 0;
  private readonly chunk = new Uint8Array(CHUNK_BYTES);

  constructor(image: DiskImage, ports: BusMasterPorts) {
    this.ports = ports;
    this.cursor = new SectorCursor(image);
  }

  get image(): DiskImage {
    return this.cursor.image;
  }

  get isBusy(): boolean {
    return this.phase !== 'idle';
  }

  read(port: number, size: AccessSize): number {
    const word = this.register((port - this.first) & ~3);
    const shifted = word >>> (8 * (port & 3));
    return size === 4 ? shifted : shifted & (size === 1 ? 0xff : 0xffff);
  }

  write(port: number, size: AccessSize, value: number): void {
    if (size !== 4) return;
    const register = port - this.first;
    if (register === MasterReg.Control) this.control = value & CONTROL_INTERRUPT;
    else if (register === MasterReg.Command) this.start(value);
    else if (this.isBusy) return;
    else if (register === MasterReg.List) this.listAddress = value;
    else if (register === MasterReg.Sector) this.sector = value;
    else if (register === MasterReg.Count) this.count = value;
    this.updateIrq();
  }

  fire(): void {
    if (this.phase === 'seek') this.begin();
    else if (this.phase === 'move') this.moveChunk();
  }

  /** What a command under way will still touch; before it has read its list, the list. */
  targets(): DmaTarget[] {
    const common = { device: this.name, channel: BUS_MASTER_CHANNEL, state: 'running' } as const;
    if (this.phase === 'seek') {
      const sizeBytes = Math.min(this.count, MAX_DESCRIPTORS) * DESCRIPTOR_BYTES;
      return [{ ...common, address: this.listAddress, sizeBytes, direction: 'from-memory' }];
    }
    return this.list.map(({ address, length, direction }, i) => {
      const done = i === 0 ? this.doneBytes : 0;
      return { ...common, address: address + done, sizeBytes: length - done, direction };
    });
  }

  save(): PlainData {
    const { phase, error, control, listAddress, sector, count, movedBytes, interrupt, doneBytes } = this;
    const state = { phase, error, control, listAddress, sector, count, movedBytes, interrupt, doneBytes };
    return { state, list: this.list.map((descriptor) => ({ ...descriptor })), cursor: this.cursor.save() };
  }

  load(data: PlainData): void {
    const saved = data as unknown as { state: object; list: readonly Descriptor[]; cursor: PlainData };
    Object.assign(this, saved.state);
    this.list = [...saved.list];
    this.cursor.load(saved.cursor);
  }

  private register(register: number): number {
    switch (register) {
      case MasterReg.Command:
        return (
          (this.isBusy ? MasterStatus.Busy : MasterStatus.Ready) |
          (this.interrupt === 1 ? MasterStatus.Interrupt : 0) |
          (this.error !== TransferError.None ? MasterStatus.Error : 0)
        );
      case MasterReg.List:
        return this.listAddress;
      case MasterReg.Sector:
        return this.sector;
      case MasterReg.Count:
        return this.phase === 'move' ? this.list.length : this.count;
      case MasterReg.Control:
        return this.error;
      case MasterReg.Moved:
        return this.movedBytes;
      case MasterReg.Capacity:
        return this.image.sectorCount;
      default:
        return 0;
    }
  }

  private start(command: number): void {
    if (command === MasterCommand.Acknowledge) this.interrupt = 0;
    else if (command === MasterCommand.Reset) this.reset();
    else if (command === MasterCommand.Abort) {
      if (this.isBusy) this.finish(TransferError.Aborted);
    } else if (command === MasterCommand.Start && !this.isBusy) {
      this.interrupt = 0;
      this.error = TransferError.None;
      this.movedBytes = 0;
      this.wait('seek', this.ports.commandCycles);
    }
  }

  private reset(): void {
    this.stop();
    this.error = TransferError.None;
    this.control = this.listAddress = this.sector = this.count = this.movedBytes = this.interrupt = 0;
  }

  private wait(phase: Phase, cycles: number): void {
    this.phase = phase;
    this.ports.clock.arm(this, this.ports.clock.now() + cycles);
  }

  /** Reads the list and looks at all of it. */
  private begin(): void {
    const { listAddress, count, sector } = this;
    if (count === 0 || count > MAX_DESCRIPTORS || listAddress % 4 !== 0) {
      this.finish(TransferError.BadList);
      return;
    }
    const bytes = new Uint8Array(count * DESCRIPTOR_BYTES);
    if (this.ports.memory.read(listAddress, bytes) === 'blocked') {
      this.finish(TransferError.Blocked);
      return;
    }
    const list = readDescriptors(bytes);
    const error = typeof list === 'number' ? list : listError(list, this.image.sectorCount - sector);
    if (typeof list === 'number' || error !== TransferError.None) {
      this.finish(error);
      return;
    }
    const sectors = list.reduce((sum, { length }) => sum + length, 0) / SECTOR_BYTES;
    this.reportBlock(Ev.DiskIssue, MasterCommand.Start, sector, sectors);
    this.list = list;
    this.doneBytes = 0;
    this.cursor.seek(sector);
    this.next();
  }

  /** Bytes that move next: not past the end of the descriptor or of the sector. */
  private get chunkBytes(): number {
    return Math.min(CHUNK_BYTES, this.list[0]!.length - this.doneBytes, this.cursor.bytesInSector);
  }

  private next(): void {
    if (this.doneBytes === 0) this.report(Ev.DmaStart, this.list[0]!.length);
    this.wait('move', Math.ceil((this.ports.sectorCycles * this.chunkBytes) / SECTOR_BYTES));
  }

  private moveChunk(): void {
    const { address, length, direction } = this.list[0]!;
    const bytes = this.chunk.subarray(0, this.chunkBytes);
    const pa = address + this.doneBytes;
    if (direction === 'to-memory') this.cursor.take(bytes);
    const { memory } = this.ports;
    const outcome = direction === 'to-memory' ? memory.write(pa, bytes) : memory.read(pa, bytes);
    if (outcome === 'blocked') {
      this.finish(TransferError.Blocked);
      return;
    }
    if (direction === 'from-memory') this.cursor.put(bytes);
    this.doneBytes += bytes.length;
    this.movedBytes += bytes.length;
    if (this.doneBytes === length) this.descriptorDone();
    else this.next();
  }

  private descriptorDone(): void {
    this.report(Ev.DmaDone, this.doneBytes);
    this.list = this.list.slice(1);
    this.doneBytes = 0;
    if (this.list.length === 0) this.finish(TransferError.None);
    else this.next();
  }

  private stop(): void {
    const wasBusy = this.isBusy;
    this.ports.clock.cancel(this);
    if (this.list.length > 0) this.report(Ev.DmaDone, this.doneBytes);
    this.list = [];
    this.doneBytes = 0;
    this.phase = 'idle';
    if (wasBusy) this.ports.quiet(BUS_MASTER_CHANNEL);
  }

  private finish(error: TransferError): void {
    const wasMoving = this.phase === 'move';
    const left = this.list.reduce((sum, { length }) => sum + length, -this.doneBytes);
    this.stop();
    this.error = error;
    this.interrupt = 1;
    this.updateIrq();
    if (wasMoving)
      this.reportBlock(Ev.DiskComplete, this.cursor.sector, Math.ceil(left / SECTOR_BYTES), error);
  }

  private updateIrq(): void {
    this.ports.irq.set(this.interrupt === 1 && this.control !== 0 ? 1 : 0);
  }

  private report(kind: Ev.DmaStart | Ev.DmaDone, sizeBytes: number): void {
    const { events, clock } = this.ports;
    const { address, direction } = this.list[0]!;
    const isWrite = direction === 'to-memory' ? 1 : 0;
    events.sink?.emit(kind, -1, clock.now(), BUS_MASTER_CHANNEL, address, sizeBytes, isWrite);
  }

  private reportBlock(kind: Ev.DiskIssue | Ev.DiskComplete, b: number, c: number, d: number): void {
    this.ports.events.sink?.emit(kind, -1, this.ports.clock.now(), BUS_MASTER_DRIVE, b, c, d);
  }
}
