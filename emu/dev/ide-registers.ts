/**
 * Registers, bits and commands of an ATA device (ATA/ATAPI-5, T13/1321D: ch. 7 registers, ch. 8 commands). Port offsets
 * are from 1F0; the control block is the one port 3F6.
 *
 *   offset   read            write             status   7    6     5   4    3    2..1   0
 *   0        data            data                      |BSY|DRDY | DF |DSC | DRQ |  0  | ERR|
 *   1        error           features
 *   2        sector count    sector count      device   7    6    5    4    3..0
 *   3 4 5    LBA 7-0 .. 23-16                          | 1 | LBA | 1 | DEV | LBA 27-24 or head |
 *   6        device          device
 *   7        status          command           control  2 SRST, 1 nIEN
 *   (3F6)    altern. status  device control
 */
export enum IdeReg {
  Data = 0,
  Error = 1,
  SectorCount = 2,
  LbaLow = 3,
  LbaMid = 4,
  LbaHigh = 5,
  Device = 6,
  Status = 7,
}

export enum Status {
  Busy = 0x80,
  Ready = 0x40,
  Fault = 0x20,
  SeekDone = 0x10,
  DataRequest = 0x08,
  Error = 0x01,
}

/** A device that waits for a command. */
export const STATUS_IDLE = Status.Ready | Status.SeekDone;

export enum IdeError {
  /** Command not known, not allowed or with impossible parameters. */
  Aborted = 0x04,
  /** The sector does not exist. */
  IdNotFound = 0x10,
}

/** Error register after a reset or EXECUTE DEVICE DIAGNOSTIC: the device passed. */
export const DIAGNOSTIC_PASSED = 0x01;

export const DEVICE_ALWAYS_ONE = 0xa0;
export const DEVICE_LBA = 0x40;
export const DEVICE_SELECT_1 = 0x10;

export const CONTROL_RESET = 0x04;
export const CONTROL_NO_INTERRUPT = 0x02;

export enum IdeCommand {
  Recalibrate = 0x10,
  ReadSectors = 0x20,
  ReadSectorsOnce = 0x21,
  WriteSectors = 0x30,
  WriteSectorsOnce = 0x31,
  ReadVerify = 0x40,
  ReadVerifyOnce = 0x41,
  Seek = 0x70,
  Diagnostic = 0x90,
  InitializeParameters = 0x91,
  ReadMultiple = 0xc4,
  WriteMultiple = 0xc5,
  SetMultiple = 0xc6,
  StandbyNow = 0xe0,
  IdleNow = 0xe1,
  Standby = 0xe2,
  Idle = 0xe3,
  CheckPower = 0xe5,
  FlushCache = 0xe7,
  Identify = 0xec,
  SetFeatures = 0xef,
}

/** SET FEATURES subcommands that change nothing here and are accepted: write cache, look-ahead, reset defaults. */
export const ACCEPTED_FEATURES: readonly number[] = [0x02, 0x82, 0x55, 0xaa, 0x66, 0xcc];
/** SET FEATURES: transfer mode in the sector count register. */
export const FEATURE_TRANSFER_MODE = 0x03;
/** Transfer modes of a device without DMA: PIO default, and PIO modes 0 to 4 with flow control. */
export const PIO_MODES: readonly number[] = [0x00, 0x01, 0x08, 0x09, 0x0a, 0x0b, 0x0c];

export const isMultiple = (command: number): boolean =>
  command === IdeCommand.ReadMultiple || command === IdeCommand.WriteMultiple;

export const isWrite = (command: number): boolean =>
  command === IdeCommand.WriteSectors ||
  command === IdeCommand.WriteSectorsOnce ||
  command === IdeCommand.WriteMultiple;

/** Commands that move sectors between the host and the medium. */
export const isTransfer = (command: number): boolean =>
  isWrite(command) ||
  command === IdeCommand.ReadSectors ||
  command === IdeCommand.ReadSectorsOnce ||
  command === IdeCommand.ReadMultiple;
