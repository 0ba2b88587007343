/**
 * Configuration that the board gives to its firmware, one byte at a time: selector at 0x510, bytes at 0x511.
 * The selectors are listed in emu/arch/boot-info.ts. Reading beyond a value, or an unknown one, gives zeroes.
 */
import { PORT_CONFIG_DATA, PORT_CONFIG_SELECT } from '../arch/address-map.ts';
import type { PlainData, PortRange, Snapshotable } from '../arch/ports.ts';

export interface BootConfigValues {
  readonly bootMode: number;
  readonly entry: number;
  readonly coreCount: number;
  readonly multibootInfo: number;
}

const SIGNATURE = 0x46434d50; // 'PMCF'

export class BootConfig implements PortRange, Snapshotable {
  readonly name = 'boot-config';
  readonly first = PORT_CONFIG_SELECT;
  readonly last = PORT_CONFIG_DATA;
  private words: readonly number[];
  private selector = 0;
  private position = 0;

  constructor(values: BootConfigValues) {
    this.words = [];
    this.set(values);
  }

  /** Replaces the values; the firmware reads them anew at the next reset. */
  set(values: BootConfigValues): void {
    this.words = [SIGNATURE, values.bootMode, values.entry, values.coreCount, values.multibootInfo];
  }

  read(port: number): number {
    if (port === this.first) return 0xff;
    const word = this.words[this.selector] ?? 0;
    return this.position < 4 ? (word >>> (8 * this.position++)) & 0xff : 0;
  }

  write(port: number, _size: number, value: number): void {
    if (port !== this.first) return;
    this.selector = value & 0xffff;
    this.position = 0;
  }

  save(): PlainData {
    return { words: [...this.words], selector: this.selector, position: this.position };
  }

  load(data: PlainData): void {
    const state = data as { words: readonly number[]; selector: number; position: number };
    this.words = state.words;
    this.selector = state.selector;
    this.position = state.position;
  }
}
