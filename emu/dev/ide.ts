/**
 * The primary IDE channel: the cable between the ports 1F0-1F7, 3F6 and up to two disks, with IRQ 14 (ATA/ATAPI-5
 * ch. 7, ISA wiring as in the IBM PC/AT). Both disks hear every write of the task file, the selected one answers. A
 * missing second disk reads as 0, since the first answers for it; a channel without disks floats: all ones.
 */
import { PORT_IDE0, PORT_IDE0_CONTROL } from '../arch/address-map.ts';
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
import type { DiskImage } from './disk-image.ts';
import { IdeDrive } from './ide-drive.ts';
import { CONTROL_NO_INTERRUPT, CONTROL_RESET, DEVICE_SELECT_1, IdeCommand, IdeReg } from './ide-registers.ts';

export interface IdePorts {
  readonly clock: Clock;
  readonly events: EventPort;
  readonly irq: IrqLine;
  /** Cycles from a command to its first data or its end; cycles per further sector. */
  readonly commandCycles: number;
  readonly sectorCycles: number;
}

/** Drive 0 and drive 1; null where nothing is connected. */
export type IdeDisks = readonly [DiskImage | null, DiskImage | null];

export class IdeChannel implements Snapshotable {
  readonly portRanges: readonly PortRange[];
  private readonly drives: readonly (IdeDrive | null)[];
  private readonly ports: IdePorts;
  private selected = 0;
  private control = 0;

  constructor(disks: IdeDisks, ports: IdePorts) {
    this.ports = ports;
    const { clock, events, commandCycles, sectorCycles } = ports;
    const interruptChanged = () => this.updateIrq();
    const drivePorts = { clock, events, commandCycles, sectorCycles, interruptChanged };
    this.drives = disks.map((image, unit) => (image === null ? null : new IdeDrive(unit, image, drivePorts)));
    this.portRanges = [this.commandBlock(), this.controlBlock()];
  }

  get timers(): readonly DeviceTimer[] {
    return this.present;
  }

  save(): PlainData {
    const drives = this.drives.map((drive) => drive?.save() ?? null);
    return { selected: this.selected, control: this.control, drives };
  }

  load(data: PlainData): void {
    const state = data as { selected: number; control: number; drives: readonly PlainData[] };
    this.selected = state.selected;
    this.control = state.control;
    for (const [unit, drive] of this.drives.entries()) drive?.load(state.drives[unit]);
  }

  private get present(): readonly IdeDrive[] {
    return this.drives.filter((drive) => drive !== null);
  }

  private get current(): IdeDrive | null {
    return this.drives[this.selected] ?? null;
  }

  /** What the bus shows for a disk that is not there. */
  private get absent(): number {
    return this.present.length === 0 ? 0xff : 0;
  }

  private commandBlock(): PortRange {
    return {
      name: 'ide0',
      first: PORT_IDE0,
      last: PORT_IDE0 + 7,
      read: (port, size) => (port === PORT_IDE0 ? this.readData(size) : this.read(port - PORT_IDE0)),
      write: (port, size, value) => {
        if (port === PORT_IDE0) this.writeData(size, value);
        else this.write(port - PORT_IDE0, value & 0xff);
      },
    };
  }

  private controlBlock(): PortRange {
    return {
      name: 'ide0-control',
      first: PORT_IDE0_CONTROL,
      last: PORT_IDE0_CONTROL,
      read: () => this.current?.alternateStatus ?? this.absent,
      write: (_port, _size, value) => this.writeControl(value & 0xff),
    };
  }

  private read(register: IdeReg): number {
    const drive = this.current;
    if (drive !== null) return drive.read(register);
    // Drive 0 shows its own task file for a missing drive 1, but no status.
    if (register === IdeReg.Status || this.selected === 0) return this.absent;
    return this.drives[0]?.read(register) ?? this.absent;
  }

  private write(register: IdeReg, value: number): void {
    if (register === IdeReg.Status) {
      this.command(value);
      return;
    }
    for (const drive of this.present) drive.write(register, value);
    if (register !== IdeReg.Device) return;
    this.selected = (value & DEVICE_SELECT_1) !== 0 ? 1 : 0;
    this.updateIrq();
  }

  /** The data register is 16 bits wide; a 32-bit access is two, an 8-bit one loses a half. */
  private readData(size: AccessSize): number {
    const drive = this.current;
    if (drive === null) return this.absent === 0 ? 0 : 0xffffffff;
    const low = drive.readWord();
    return size === 4 ? (low | (drive.readWord() << 16)) >>> 0 : low;
  }

  private writeData(size: AccessSize, value: number): void {
    this.current?.writeWord(value & 0xffff);
    if (size === 4) this.current?.writeWord(value >>> 16);
  }

  /** EXECUTE DEVICE DIAGNOSTIC is for both disks, whichever is selected; drive 0 answers. */
  private command(value: number): void {
    if (value !== IdeCommand.Diagnostic) this.current?.start(value);
    else {
      this.selected = 0;
      for (const drive of this.present) drive.startDiagnostic();
    }
  }

  private writeControl(value: number): void {
    const before = this.control;
    this.control = value;
    const [was, is] = [before & CONTROL_RESET, value & CONTROL_RESET];
    if (was === 0 && is !== 0) for (const drive of this.present) drive.holdReset();
    if (was !== 0 && is === 0) {
      this.selected = 0;
      for (const drive of this.present) drive.startReset();
    }
    this.updateIrq();
  }

  private updateIrq(): void {
    const isOpen = (this.control & CONTROL_NO_INTERRUPT) === 0;
    this.ports.irq.set(isOpen ? (this.current?.interruptRequest ?? 0) : 0);
  }
}
