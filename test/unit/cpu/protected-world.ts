/**
 * A small protected-mode environment in a TestMachine: GDT at 0x500, IDT at 0x2000, TSS at 0x3000. Handlers are single
 * HLT instructions at 0x4000 + vector × 16, so that a test can look at the stack that a delivery left.
 *
 *   GDT: 08 code0  10 data0  18 code3  20 data3  28 TSS  30 call gate to code0:5000, DPL 3, 1 parameter
 *        38 not-present data  40 read-only data3  48 expand-down data0 (limit FFF, B)  50 LDT  58 conforming code0
 */
import { R, Seg } from '../../../emu/arch/core-layout.ts';
import { TestMachine } from './test-machine.ts';

export const GDT = 0x500;
export const IDT = 0x2000;
export const TSS = 0x3000;
export const HANDLER = 0x4000;
export const STACK0 = 0x9000;
export const STACK3 = 0x8000;

const HLT = 0xf4;

export class ProtectedWorld extends TestMachine {
  constructor() {
    super();
    this.descriptor(1, 0, 0xfffff, 0x9b, 0xc);
    this.descriptor(2, 0, 0xfffff, 0x93, 0xc);
    this.descriptor(3, 0, 0xfffff, 0xfb, 0xc);
    this.descriptor(4, 0, 0xfffff, 0xf3, 0xc);
    this.descriptor(5, TSS, 0xff, 0x89, 0);
    this.write32(GDT + 0x30, (0x08 << 16) | 0x5000);
    this.write32(GDT + 0x34, 0xec01);
    this.descriptor(7, 0, 0xfffff, 0x13, 0xc);
    this.descriptor(8, 0, 0xfffff, 0xf1, 0xc);
    this.descriptor(9, 0, 0xfff, 0x97, 4);
    this.descriptor(11, 0, 0xfffff, 0x9f, 0xc);
    for (let vector = 0; vector < 256; vector++) {
      this.gate(vector, vector === 0x80 ? 0xef : 0x8e);
      this.load(HANDLER + vector * 16, [HLT]);
    }
    this.write32(TSS + 4, STACK0);
    this.write32(TSS + 8, 0x10);
    this.write32(TSS + 100, 0x68 << 16);
    this.load(TSS + 0x68, new Uint8Array(0x98).fill(0xff));
    this.start();
  }

  /** Ring 0, stack at STACK0, tables loaded. */
  private start(): void {
    const r = this.r;
    r[R.GDT_BASE] = GDT;
    r[R.GDT_LIMIT] = 12 * 8 - 1;
    r[R.IDT_BASE] = IDT;
    r[R.IDT_LIMIT] = 0x7ff;
    r[R.SEL + Seg.TR] = 0x28;
    r[R.BASE + Seg.TR] = TSS;
    r[R.LIMIT + Seg.TR] = 0xff;
    r[R.ATTR + Seg.TR] = 0x8b00;
    r[R.ESP] = STACK0;
  }

  /** Ring 3 with its stack at STACK3. */
  user(): void {
    this.enterUser();
    this.r[R.ESP] = STACK3;
  }

  descriptor(index: number, base: number, limit: number, access: number, flags: number): void {
    this.write32(GDT + index * 8, (limit & 0xffff) | ((base & 0xffff) << 16));
    const high =
      ((base >>> 16) & 0xff) | (access << 8) | (limit & 0xf0000) | (flags << 20) | (base & 0xff000000);
    this.write32(GDT + index * 8 + 4, high);
  }

  /** Interrupt (8e) or trap (8f, ef) gate to HANDLER + vector × 16 in code0. */
  gate(vector: number, access: number, selector = 0x08): void {
    this.write32(IDT + vector * 8, (selector << 16) | (HANDLER + vector * 16));
    this.write32(IDT + vector * 8 + 4, access << 8);
  }

  /** Vector whose handler the core stands in, or -1. */
  handler(): number {
    const at = this.r[R.EIP]! - HANDLER - 1;
    return at >= 0 && at % 16 === 0 ? at / 16 : -1;
  }

  /** Words on the present stack, top first. */
  stack(count: number): number[] {
    return Array.from({ length: count }, (_, n) => this.read32(this.r[R.ESP]! + n * 4));
  }
}
