/**
 * VGA in text mode 3: 32 KiB of display memory at 0xB8000 (character and attribute bytes) and the CRTC's index
 * and data ports, of which start address and cursor registers mean something (IBM VGA technical reference,
 * CRT controller). No graphics modes, no palette, no retrace.
 */
import { PORT_CRTC_DATA, PORT_CRTC_INDEX, VGA_TEXT_BASE } from '../arch/address-map.ts';
import type { AccessSize, MmioRegion, PlainData, PortRange, Snapshotable } from '../arch/ports.ts';

export const VGA_COLUMNS = 80;
export const VGA_ROWS = 25;
const MEMORY_BYTES = 0x8000;
const CRTC_REGISTERS = 25;

enum Crtc {
  CursorStart = 0x0a,
  StartHigh = 0x0c,
  StartLow = 0x0d,
  CursorHigh = 0x0e,
  CursorLow = 0x0f,
}
const CURSOR_OFF = 0x20;

export class VgaText implements MmioRegion, Snapshotable {
  readonly name = 'vga-text';
  readonly base = VGA_TEXT_BASE;
  readonly sizeBytes = MEMORY_BYTES;
  readonly crtcPorts: PortRange;
  private readonly memory = new Uint8Array(MEMORY_BYTES);
  private readonly crtc = new Uint8Array(CRTC_REGISTERS);
  private index = 0;
  private changeCount = 0;

  constructor() {
    this.crtc[Crtc.CursorStart] = 0x0d;
    this.crtc[0x0b] = 0x0e;
    this.crtcPorts = {
      name: 'crtc',
      first: PORT_CRTC_INDEX,
      last: PORT_CRTC_DATA,
      read: (port) => (port === PORT_CRTC_INDEX ? this.index : (this.crtc[this.index] ?? 0xff)),
      write: (port, size, value) => this.writeCrtc(port, size, value),
    };
  }

  /** Grows with every change of the screen, so that a view redraws only when it must. */
  get version(): number {
    return this.changeCount;
  }

  /** The visible page: 80 × 25 cells, character in the low byte, attribute in the high byte. */
  cells(): Uint16Array {
    const start = ((this.crtc[Crtc.StartHigh]! << 8) | this.crtc[Crtc.StartLow]!) * 2;
    const cells = new Uint16Array(VGA_COLUMNS * VGA_ROWS);
    for (let i = 0; i < cells.length; i++) {
      const at = (start + 2 * i) % MEMORY_BYTES;
      cells[i] = this.memory[at]! | (this.memory[at + 1]! << 8);
    }
    return cells;
  }

  /** Cell number of the cursor on the visible page; -1 when it is off or elsewhere. */
  cursor(): number {
    if ((this.crtc[Crtc.CursorStart]! & CURSOR_OFF) !== 0) return -1;
    const start = (this.crtc[Crtc.StartHigh]! << 8) | this.crtc[Crtc.StartLow]!;
    const cell = ((this.crtc[Crtc.CursorHigh]! << 8) | this.crtc[Crtc.CursorLow]!) - start;
    return cell >= 0 && cell < VGA_COLUMNS * VGA_ROWS ? cell : -1;
  }

  read(pa: number, size: AccessSize): number {
    let value = 0;
    for (let i = 0; i < size; i++) value |= this.memory[(pa - this.base + i) % MEMORY_BYTES]! << (8 * i);
    return value >>> 0;
  }

  write(pa: number, size: AccessSize, value: number): void {
    for (let i = 0; i < size; i++) this.memory[(pa - this.base + i) % MEMORY_BYTES] = value >>> (8 * i);
    this.changeCount++;
  }

  save(): PlainData {
    return { memory: this.memory.slice(), crtc: this.crtc.slice(), index: this.index };
  }

  load(data: PlainData): void {
    const state = data as { memory: Uint8Array; crtc: Uint8Array; index: number };
    this.memory.set(state.memory);
    this.crtc.set(state.crtc);
    this.index = state.index;
    this.changeCount++;
  }

  private writeCrtc(port: number, size: AccessSize, value: number): void {
    if (port === PORT_CRTC_INDEX) {
      this.index = value & 0x1f;
      // A 16-bit OUT to the index port writes index and data at once.
      if (size === 2) this.writeCrtc(PORT_CRTC_DATA, 1, value >>> 8);
      return;
    }
    if (this.index < CRTC_REGISTERS) this.crtc[this.index] = value;
    this.changeCount++;
  }
}
