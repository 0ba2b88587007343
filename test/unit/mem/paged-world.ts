/** A TestMachine with paging: directory at 0x10000, tables from 0x20000, all frames below 16 MiB mapped to themselves. */
import { R } from '../../../emu/arch/core-layout.ts';
import { CR0_PG, CR0_WP, PTE_P, PTE_U, PTE_W } from '../../../emu/arch/paging.ts';
import type { TlbGeometry } from '../../../emu/mem/index.ts';
import { TestMachine } from '../cpu/test-machine.ts';

export const DIRECTORY = 0x10000;
const TABLES = 0x20000;

export class PagedWorld extends TestMachine {
  constructor(options: { coreCount?: number; tlb?: TlbGeometry } = {}) {
    super(options);
    for (let n = 0; n < 4; n++) {
      this.write32(DIRECTORY + n * 4, (TABLES + n * 4096) | PTE_P | PTE_W | PTE_U);
      for (let page = 0; page < 1024; page++) {
        this.write32(TABLES + n * 4096 + page * 4, (((n << 10) | page) << 12) | PTE_P | PTE_W | PTE_U);
      }
    }
    for (const r of this.context.memory.r) {
      r[R.CR3] = DIRECTORY;
      r[R.CR0]! |= CR0_PG | CR0_WP;
    }
  }

  pteAddress(va: number): number {
    return TABLES + (va >>> 12) * 4;
  }

  pte(va: number): number {
    return this.read32(this.pteAddress(va));
  }

  setPte(va: number, value: number): void {
    this.write32(this.pteAddress(va), value);
  }

  /** mov eax, [va]; hlt at 0x1000. */
  readInstruction(va: number): number[] {
    return [0xa1, va, va >> 8, va >> 16, va >> 24, 0xf4].map((b) => b & 255);
  }

  /** mov [va], eax; hlt at 0x1000. */
  writeInstruction(va: number): number[] {
    return [0xa3, va, va >> 8, va >> 16, va >> 24, 0xf4].map((b) => b & 255);
  }
}
