/**
 * One ATA disk: task file, commands, PIO transfers (ATA/ATAPI-5 ch. 8, PIO data-in and data-out protocols ch. 9). A
 * command keeps the device busy for `diskCommand` cycles, each further block for `diskSector` per sector; only the
 * first block of a write is wanted at once, as drivers expect that do not wait for DRQ. Not modelled: DMA, LBA48,
 * power states (all answer "active"), security, SMART, media errors.
 */
import { Ev } from '../arch/events.ts';
import type { Clock, DeviceTimer, EventPort, PlainData, Snapshotable } from '../arch/ports.ts';
import { type DiskImage, SECTOR_BYTES } from './disk-image.ts';
import { cylindersOf, identityBlock, MAX_MULTIPLE } from './ide-identify.ts';
import {
  ACCEPTED_FEATURES,
  FEATURE_TRANSFER_MODE,
  IdeCommand,
  IdeError,
  IdeReg,
  isMultiple,
  isTransfer,
  isWrite,
  PIO_MODES,
  STATUS_IDLE,
  Status,
} from './ide-registers.ts';
import { TaskFile } from './ide-task-file.ts';

export interface IdeDrivePorts {
  readonly clock: Clock;
  readonly events: EventPort;
  readonly commandCycles: number;
  readonly sectorCycles: number;
  /** The drive's interrupt request has changed. */
  interruptChanged(): void;
}

/** What the drive does when its time has come; 'idle' and 'data' wait for the host. */
type Phase = 'idle' | 'data' | 'reset' | 'command' | 'read-block' | 'write-block';

export class IdeDrive implements DeviceTimer, Snapshotable {
  readonly name: string;
  readonly image: DiskImage;
  private readonly unit: number;
  private readonly ports: IdeDrivePorts;
  private readonly file = new TaskFile();
  private readonly buffer = new Uint8Array(MAX_MULTIPLE * SECTOR_BYTES);
  /** Bytes of the buffer that the block in transfer has, and how many of them have passed. */
  private blockBytes = 0;
  private position = 0;
  private phase: Phase = 'idle';
  private status = STATUS_IDLE;
  private command = 0;
  /** The next sector of the transfer, and how many are left, that one included. */
  private sector = 0;
  private left = 0;
  private interrupt: 0 | 1 = 0;
  /** Sectors per block of READ and WRITE MULTIPLE. On from the start, as QEMU's disk and late real ones have it. */
  private multiple = MAX_MULTIPLE;

  constructor(unit: number, image: DiskImage, ports: IdeDrivePorts) {
    this.name = `ide0-drive-${unit}`;
    this.unit = unit;
    this.image = image;
    this.ports = ports;
  }

  /** INTRQ before the channel's gates. */
  get interruptRequest(): 0 | 1 {
    return this.interrupt;
  }

  /** Status without the side effect of reading it. */
  get alternateStatus(): number {
    return this.status;
  }

  /** Any register but the data register; reading status takes the interrupt request back. */
  read(register: IdeReg): number {
    if (register !== IdeReg.Status) return this.file.read(register);
    this.setInterrupt(0);
    return this.status;
  }

  /** Task file registers; a busy device, or one that transfers data, ignores them. */
  write(register: IdeReg, value: number): void {
    if ((this.status & (Status.Busy | Status.DataRequest)) === 0) this.file.write(register, value);
  }

  /** The command register. A busy device ignores it; a transfer in progress is given up. */
  start(command: number): void {
    if ((this.status & Status.Busy) !== 0) return;
    this.command = command;
    this.file.error = 0;
    this.setInterrupt(0);
    if (!isTransfer(command)) {
      this.wait('command', this.ports.commandCycles);
      return;
    }
    this.sector = this.file.sector;
    this.left = this.file.sectorsAsked;
    this.report(Ev.DiskIssue, command, this.sector, this.left);
    const isRefused = isMultiple(command) && this.multiple === 0;
    if (isRefused || !isWrite(command)) this.wait('command', this.ports.commandCycles);
    else this.wantBlock('quietly');
  }

  /** SRST going up: everything stops. */
  holdReset(): void {
    this.ports.clock.cancel(this);
    this.setInterrupt(0);
    this.status = Status.Busy;
    this.phase = 'reset';
  }

  /** SRST going down: signature and self-test result after a while, no interrupt. */
  startReset(): void {
    this.command = 0;
    this.wait('reset', this.ports.commandCycles);
  }

  /** EXECUTE DEVICE DIAGNOSTIC: the same, with an interrupt at the end. */
  startDiagnostic(): void {
    this.setInterrupt(0);
    this.command = IdeCommand.Diagnostic;
    this.wait('reset', this.ports.commandCycles);
  }

  /** Next 16 bits of the block, ones when none is wanted. */
  readWord(): number {
    if (this.phase !== 'data' || isWrite(this.command)) return 0xffff;
    const word = this.buffer[this.position]! | (this.buffer[this.position + 1]! << 8);
    this.advance();
    return word;
  }

  /** Next 16 bits of the block; dropped when none is wanted. */
  writeWord(word: number): void {
    if (this.phase !== 'data' || !isWrite(this.command)) return;
    this.buffer[this.position] = word;
    this.buffer[this.position + 1] = word >> 8;
    this.advance();
  }

  fire(): void {
    switch (this.phase) {
      case 'reset':
        this.finishReset();
        break;
      case 'command':
        this.execute();
        break;
      case 'read-block':
        this.offerBlock();
        break;
      case 'write-block':
        this.takeBlock();
        break;
    }
  }

  save(): PlainData {
    const { blockBytes, position, phase, status, command, sector, left, interrupt, multiple } = this;
    const state = { blockBytes, position, phase, status, command, sector, left, interrupt, multiple };
    return { state, file: { ...this.file }, buffer: this.buffer.slice(), image: this.image.save() };
  }

  load(data: PlainData): void {
    const saved = data as unknown as { state: object; file: object; buffer: Uint8Array; image: PlainData };
    Object.assign(this, saved.state);
    Object.assign(this.file, saved.file);
    this.buffer.set(saved.buffer);
    this.image.load(saved.image);
  }

  private setInterrupt(level: 0 | 1): void {
    this.interrupt = level;
    this.ports.interruptChanged();
  }

  /** Busy for `cycles`, then `phase` is carried out. */
  private wait(phase: Phase, cycles: number): void {
    this.phase = phase;
    this.status = Status.Busy;
    this.ports.clock.arm(this, this.ports.clock.now() + cycles);
  }

  private finish(): void {
    this.phase = 'idle';
    this.status = STATUS_IDLE;
    this.setInterrupt(1);
  }

  private fail(error: IdeError): void {
    this.phase = 'idle';
    this.file.error = error;
    this.status = STATUS_IDLE | Status.Error;
    this.setInterrupt(1);
  }

  private finishReset(): void {
    this.file.reset();
    this.phase = 'idle';
    this.status = STATUS_IDLE;
    if (this.command === IdeCommand.Diagnostic) this.setInterrupt(1);
  }

  /** Carries out a command whose time has come. */
  private execute(): void {
    switch (this.command) {
      case IdeCommand.ReadSectors:
      case IdeCommand.ReadSectorsOnce:
        this.offerBlock();
        break;
      case IdeCommand.ReadMultiple:
      case IdeCommand.WriteMultiple:
        if (this.multiple === 0) this.fail(IdeError.Aborted);
        else this.offerBlock();
        break;
      case IdeCommand.Identify:
        this.offerIdentity();
        break;
      case IdeCommand.ReadVerify:
      case IdeCommand.ReadVerifyOnce:
        this.verify(this.file.sector, this.file.sectorsAsked);
        break;
      case IdeCommand.Seek:
        this.verify(this.file.sector, 1);
        break;
      case IdeCommand.SetMultiple:
        this.setMultiple();
        break;
      case IdeCommand.InitializeParameters:
        this.initializeParameters();
        break;
      case IdeCommand.SetFeatures:
        this.setFeatures();
        break;
      case IdeCommand.CheckPower:
        this.file.sectorCount = 0xff;
        this.finish();
        break;
      case IdeCommand.Recalibrate:
      case IdeCommand.FlushCache:
      case IdeCommand.StandbyNow:
      case IdeCommand.IdleNow:
      case IdeCommand.Standby:
      case IdeCommand.Idle:
        this.finish();
        break;
      default:
        this.fail(IdeError.Aborted);
    }
  }

  private verify(first: number, count: number): void {
    const bad = first < 0 ? first : Math.max(first, this.image.sectorCount);
    if (first >= 0 && first + count <= this.image.sectorCount) this.finish();
    else this.failAt(bad);
  }

  private setMultiple(): void {
    const count = this.file.sectorCount;
    const isPower = (count & (count - 1)) === 0;
    if (!isPower || count > MAX_MULTIPLE) {
      this.multiple = 0;
      this.fail(IdeError.Aborted);
      return;
    }
    this.multiple = count;
    this.finish();
  }

  private initializeParameters(): void {
    const heads = (this.file.device & 0xf) + 1;
    if (
      this.file.sectorCount === 0 ||
      cylindersOf(this.image.sectorCount, heads, this.file.sectorCount) === 0
    ) {
      this.fail(IdeError.Aborted);
      return;
    }
    this.file.heads = heads;
    this.file.sectorsPerTrack = this.file.sectorCount;
    this.finish();
  }

  private setFeatures(): void {
    const isMode = this.file.features === FEATURE_TRANSFER_MODE && PIO_MODES.includes(this.file.sectorCount);
    if (isMode || ACCEPTED_FEATURES.includes(this.file.features)) this.finish();
    else this.fail(IdeError.Aborted);
  }

  private offerIdentity(): void {
    const { unit, multiple } = this;
    const { heads, sectorsPerTrack } = this.file;
    this.buffer.set(
      identityBlock({ sectorCount: this.image.sectorCount, unit, heads, sectorsPerTrack, multiple }),
    );
    this.left = 0;
    this.openBlock(1);
    this.setInterrupt(1);
  }

  /** Ends the command at a sector that does not exist: address and remaining count stay readable. */
  private failAt(sector: number): void {
    if (sector >= 0) this.file.setSector(sector);
    this.fail(IdeError.IdNotFound);
  }

  /** Sectors of the next block. */
  private get blockSectors(): number {
    return isMultiple(this.command) ? Math.min(this.multiple, this.left) : 1;
  }

  /** Whether the next block exists; if not, the command ends. */
  private blockExists(): boolean {
    const end = this.sector + this.blockSectors;
    if (this.sector >= 0 && end <= this.image.sectorCount) return true;
    this.file.sectorCount = this.left & 0xff;
    this.report(Ev.DiskComplete, this.sector, this.left, IdeError.IdNotFound);
    this.failAt(this.sector < 0 ? -1 : Math.max(this.sector, this.image.sectorCount));
    return false;
  }

  private openBlock(sectors: number): void {
    this.blockBytes = sectors * SECTOR_BYTES;
    this.position = 0;
    this.phase = 'data';
    this.status = STATUS_IDLE | Status.DataRequest;
  }

  /** PIO data-in: the next block is in the buffer, the host is told. */
  private offerBlock(): void {
    if (!this.blockExists()) return;
    const sectors = this.blockSectors;
    for (let i = 0; i < sectors; i++) this.image.read(this.sector + i, this.buffer, i * SECTOR_BYTES);
    this.openBlock(sectors);
    this.setInterrupt(1);
  }

  /** PIO data-out: the buffer is free. The first block is wanted without an interrupt. */
  private wantBlock(how: 'quietly' | 'with interrupt'): void {
    if (!this.blockExists()) return;
    this.openBlock(this.blockSectors);
    if (how === 'with interrupt') this.setInterrupt(1);
  }

  /** After each word: the end of the block is the drive's turn. */
  private advance(): void {
    this.position += 2;
    if (this.position < this.blockBytes) return;
    const sectors = this.blockBytes / SECTOR_BYTES;
    if (isWrite(this.command)) this.wait('write-block', this.ports.sectorCycles * sectors);
    else if (this.command === IdeCommand.Identify) this.rest();
    else {
      this.passed(sectors);
      if (this.left > 0) this.wait('read-block', this.ports.sectorCycles * this.blockSectors);
      else this.complete();
    }
  }

  private takeBlock(): void {
    const sectors = this.blockBytes / SECTOR_BYTES;
    for (let i = 0; i < sectors; i++) this.image.write(this.sector + i, this.buffer, i * SECTOR_BYTES);
    this.passed(sectors);
    if (this.left > 0) this.wantBlock('with interrupt');
    else {
      this.complete();
      this.setInterrupt(1);
    }
  }

  /** The registers show the last sector that went over, and how many are left. */
  private passed(sectors: number): void {
    this.sector += sectors;
    this.left -= sectors;
    this.file.sectorCount = this.left & 0xff;
    this.file.setSector(this.sector - 1);
  }

  private complete(): void {
    this.report(Ev.DiskComplete, this.sector, 0, 0);
    this.rest();
  }

  /** The end of a PIO data-in command has no interrupt of its own. */
  private rest(): void {
    this.phase = 'idle';
    this.status = STATUS_IDLE;
  }

  private report(kind: Ev.DiskIssue | Ev.DiskComplete, a: number, b: number, c: number): void {
    this.ports.events.sink?.emit(kind, -1, this.ports.clock.now(), this.unit, a, b, c);
  }
}
