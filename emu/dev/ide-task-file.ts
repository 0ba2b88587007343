/**
 * The task file of an ATA disk: the registers in which the host names a sector and a count, and the disk answers
 * (ATA/ATAPI-5 ch. 7). A sector is named by its number (LBA, 28 bits) or by cylinder, head and sector.
 */
import { DEFAULT_HEADS, DEFAULT_SECTORS_PER_TRACK } from './ide-identify.ts';
import { DEVICE_ALWAYS_ONE, DEVICE_LBA, DIAGNOSTIC_PASSED, IdeReg } from './ide-registers.ts';

export class TaskFile {
  error = DIAGNOSTIC_PASSED;
  features = 0;
  sectorCount = 1;
  lbaLow = 1;
  lbaMid = 0;
  lbaHigh = 0;
  device = DEVICE_ALWAYS_ONE;
  heads = DEFAULT_HEADS;
  sectorsPerTrack = DEFAULT_SECTORS_PER_TRACK;

  /** The signature of a disk and "passed", as after a reset. */
  reset(): void {
    Object.assign(this, new TaskFile());
  }

  read(register: IdeReg): number {
    switch (register) {
      case IdeReg.Error:
        return this.error;
      case IdeReg.SectorCount:
        return this.sectorCount;
      case IdeReg.LbaLow:
        return this.lbaLow;
      case IdeReg.LbaMid:
        return this.lbaMid;
      case IdeReg.LbaHigh:
        return this.lbaHigh;
      default:
        return this.device;
    }
  }

  write(register: IdeReg, value: number): void {
    if (register === IdeReg.Error) this.features = value;
    else if (register === IdeReg.SectorCount) this.sectorCount = value;
    else if (register === IdeReg.LbaLow) this.lbaLow = value;
    else if (register === IdeReg.LbaMid) this.lbaMid = value;
    else if (register === IdeReg.LbaHigh) this.lbaHigh = value;
    else if (register === IdeReg.Device) this.device = value | DEVICE_ALWAYS_ONE;
  }

  /** Sectors that the count asks for: 0 means 256. */
  get sectorsAsked(): number {
    return this.sectorCount === 0 ? 256 : this.sectorCount;
  }

  /** The sector that is named, -1 for a head or sector number that the geometry does not have. */
  get sector(): number {
    const high = this.device & 0xf;
    if ((this.device & DEVICE_LBA) !== 0) {
      return (high << 24) | (this.lbaHigh << 16) | (this.lbaMid << 8) | this.lbaLow;
    }
    const cylinder = (this.lbaHigh << 8) | this.lbaMid;
    if (this.lbaLow === 0 || this.lbaLow > this.sectorsPerTrack || high >= this.heads) return -1;
    return (cylinder * this.heads + high) * this.sectorsPerTrack + this.lbaLow - 1;
  }

  /** Names a sector in the form that the host used last. */
  setSector(sector: number): void {
    if ((this.device & DEVICE_LBA) !== 0) {
      this.setAddress(sector & 0xff, sector >>> 8, sector >>> 24);
      return;
    }
    const track = Math.floor(sector / this.sectorsPerTrack);
    const cylinder = Math.floor(track / this.heads);
    this.setAddress((sector % this.sectorsPerTrack) + 1, cylinder, track % this.heads);
  }

  private setAddress(low: number, middle: number, high: number): void {
    this.lbaLow = low;
    this.lbaMid = middle & 0xff;
    this.lbaHigh = (middle >>> 8) & 0xff;
    this.device = (this.device & 0xf0) | (high & 0xf);
  }
}
