/** System instructions: control and debug registers, descriptor tables, MSRs, TSC, CPUID, caches (SDM vol. 2, 3). */

import { LAPIC_BASE } from '../../arch/address-map.ts';
import { CoreF, R } from '../../arch/core-layout.ts';
import { Ev } from '../../arch/events.ts';
import {
  CR0_AM,
  CR0_CD,
  CR0_EM,
  CR0_ET,
  CR0_MP,
  CR0_NE,
  CR0_NW,
  CR0_PE,
  CR0_PG,
  CR0_TS,
  CR0_WP,
  CR4_DE,
  CR4_PGE,
  CR4_PSE,
  CR4_TSD,
} from '../../arch/paging.ts';
import { VEC_DB, VEC_GP, VEC_UD } from '../../arch/vectors.ts';
import type { CpuCore } from '../cpu-core.ts';
import { I_REGS } from '../record.ts';
import { CPU_SIGNATURE } from '../reset.ts';

const CR0_KNOWN =
  CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | CR0_PG;
const CR4_KNOWN = CR4_TSD | CR4_DE | CR4_PSE | CR4_PGE;

const rmRegister = (c: CpuCore, i: number): number => (c.ops[i + I_REGS] >> 4) & 15;

/** Writes CR0: #GP(0) for PG without PE or NW without CD. PG changes flush the TLB; WP changes only the flat tables. */
export function writeCr0(c: CpuCore, value: number): void {
  const r = c.r;
  const bad =
    ((value & CR0_PG) !== 0 && (value & CR0_PE) === 0) || ((value & CR0_NW) !== 0 && (value & CR0_CD) === 0);
  if (bad) {
    c.raise(VEC_GP, 0);
    return;
  }
  const old = r[R.CR0];
  const next = (value & CR0_KNOWN) | CR0_ET;
  r[R.CR0] = next;
  const changed = old ^ next;
  if ((changed & (CR0_PG | CR0_PE)) !== 0) {
    c.context.tlb.flushAll(c.id);
    const sink = c.context.events.sink;
    if (sink !== null) sink.emit(Ev.ModeSwitch, c.id, c.f[CoreF.CYCLES], next >>> 0, 0, 0, 0);
  } else if ((changed & CR0_WP) !== 0) c.context.tlb.dropFlat(c.id);
  if ((changed & CR0_PE) !== 0 && (next & CR0_PE) === 0) r[R.CPL] = 0;
  c.changedMode();
}

/** Writes CR4: #GP(0) for unknown bits. PSE and PGE changes flush the TLB with its global entries. */
export function writeCr4(c: CpuCore, value: number): void {
  if ((value & ~CR4_KNOWN) !== 0) {
    c.raise(VEC_GP, 0);
    return;
  }
  const changed = c.r[R.CR4] ^ value;
  c.r[R.CR4] = value;
  if ((changed & (CR4_PSE | CR4_PGE)) !== 0) c.context.tlb.flushAll(c.id);
  c.changedMode();
}

export function movToCr(c: CpuCore, i: number): void {
  const n = c.regField(i);
  const value = c.r[rmRegister(c, i)];
  if (!c.privileged()) return;
  c.sync();
  if (n === 0) writeCr0(c, value);
  else if (n === 2) c.r[R.CR2] = value;
  else if (n === 4) writeCr4(c, value);
  else {
    c.r[R.CR3] = value;
    c.f[CoreF.CYCLES] += c.context.costs.tlbFlush;
    c.context.tlb.loadDirectory(c.id, value);
  }
}

export function movFromCr(c: CpuCore, i: number): void {
  if (c.privileged()) c.r[rmRegister(c, i)] = c.r[R.CR0 + c.regField(i)];
}

const DR6_BD = 1 << 13;
const DR7_GD = 1 << 13;

/** Register of a MOV from or to DR, or -1 after a fault: #UD, then #GP(0), then #DB when DR7.GD guards the registers. */
function debugNumber(c: CpuCore, i: number): number {
  const n = c.regField(i);
  // DR4 and DR5 are names of DR6 and DR7 while CR4.DE = 0.
  const isAlias = n === 4 || n === 5;
  if (isAlias && (c.r[R.CR4] & CR4_DE) !== 0) c.raise(VEC_UD, 0);
  else if (c.privileged() && (c.r[R.DR7] & DR7_GD) !== 0) {
    c.r[R.DR6] |= DR6_BD;
    c.raise(VEC_DB, 0);
  }
  if (c.faulted()) return -1;
  return isAlias ? n + 2 : n;
}

export function movToDr(c: CpuCore, i: number): void {
  const n = debugNumber(c, i);
  if (n < 0) return;
  const value = c.r[rmRegister(c, i)];
  if (n === 6) c.r[R.DR6] = (value & 0xe00f) | 0xffff0ff0;
  else if (n === 7) c.r[R.DR7] = (value & 0xffff27ff) | 0x400;
  else c.r[R.DR0 + n] = value;
  c.changedMode();
}

export function movFromDr(c: CpuCore, i: number): void {
  const n = debugNumber(c, i);
  if (n >= 0) c.r[rmRegister(c, i)] = c.r[R.DR0 + n];
}

export function clts(c: CpuCore): void {
  if (c.privileged()) c.r[R.CR0] &= ~CR0_TS;
}

/** LMSW writes PE, MP, EM, TS and cannot clear PE. */
export function lmsw(c: CpuCore, i: number): void {
  const value = c.readRm(i, 2);
  if (c.faulted() || !c.privileged()) return;
  c.sync();
  writeCr0(c, (c.r[R.CR0] & ~0xe) | (value & 0xf));
}

/** SMSW: a register operand gets the operand size, memory always 16 bits. */
export function smsw(c: CpuCore, i: number): void {
  c.writeRm(i, c.isMem(i) ? 2 : c.width(i), c.r[R.CR0]);
}

export function invlpg(c: CpuCore, i: number): void {
  if (!c.privileged()) return;
  const va = (c.r[R.BASE + c.seg(i)] + c.ea(i)) | 0;
  c.sync();
  c.f[CoreF.CYCLES] += c.context.costs.invlpg;
  c.context.tlb.invalidatePage(c.id, va);
}

/** WBINVD, INVD: there are no caches to lose. */
export function cacheFlush(c: CpuCore): void {
  c.privileged();
}

// ---- descriptor table registers ----------------------------------------------------------------------------------------

function loadTable(c: CpuCore, i: number, base: number, limit: number): void {
  if (!c.privileged()) return;
  const off = c.ea(i);
  const limitValue = c.load(c.seg(i), off, 2);
  const address = c.load(c.seg(i), c.addressIs32(i) ? (off + 2) | 0 : (off + 2) & 0xffff, 4);
  if (c.faulted()) return;
  c.r[base] = c.width(i) === 2 ? address & 0xffffff : address;
  c.r[limit] = limitValue;
}

function storeTable(c: CpuCore, i: number, base: number, limit: number): void {
  const off = c.ea(i);
  const next = c.addressIs32(i) ? (off + 2) | 0 : (off + 2) & 0xffff;
  if (!c.canStore(c.seg(i), off, 2) || !c.canStore(c.seg(i), next, 4)) return;
  c.store(c.seg(i), off, 2, c.r[limit]);
  c.store(c.seg(i), next, 4, c.r[base]);
}

export const lgdt = (c: CpuCore, i: number): void => loadTable(c, i, R.GDT_BASE, R.GDT_LIMIT);
export const lidt = (c: CpuCore, i: number): void => loadTable(c, i, R.IDT_BASE, R.IDT_LIMIT);
export const sgdt = (c: CpuCore, i: number): void => storeTable(c, i, R.GDT_BASE, R.GDT_LIMIT);
export const sidt = (c: CpuCore, i: number): void => storeTable(c, i, R.IDT_BASE, R.IDT_LIMIT);

// ---- TSC, MSR, CPUID -----------------------------------------------------------------------------------------------------

const TWO32 = 2 ** 32;
const MSR_TSC = 0x10;
const MSR_APIC_BASE = 0x1b;
/**
 * Address-space tags (Tlb.loadDirectory), in the range that Intel leaves to software (SDM vol. 4 §2.1). Reads give the
 * number of the present space in EAX and how many there are in EDX. Writes flush, by EAX: 0 all but global entries of
 * every space, 1 everything, else the space of that page directory. #GP(0) when the TLB has no tags.
 */
export const MSR_TLB_SPACES = 0x40000080;

function tsc(c: CpuCore): number {
  c.sync();
  return c.f[CoreF.CYCLES] + c.f[CoreF.TSC_OFFSET];
}

function setPair(c: CpuCore, value: number): void {
  c.r[R.EAX] = (value % TWO32) | 0;
  c.r[R.EDX] = Math.floor(value / TWO32) | 0;
}

export function rdtsc(c: CpuCore): void {
  if ((c.r[R.CR4] & CR4_TSD) !== 0 && !c.privileged()) return;
  setPair(c, tsc(c));
}

const apicBase = (c: CpuCore): number => LAPIC_BASE + 0x800 + (c.id === 0 ? 0x100 : 0);

/** MSRs: TSC, APIC base (fixed) and MSR_TLB_SPACES; every other number is #GP(0). */
export function rdmsr(c: CpuCore): void {
  if (!c.privileged()) return;
  const n = c.r[R.ECX];
  if (n === MSR_TSC) setPair(c, tsc(c));
  else if (n === MSR_APIC_BASE) setPair(c, apicBase(c));
  else if (n === MSR_TLB_SPACES && c.context.tlb.spaces > 0) {
    c.r[R.EAX] = c.context.tlb.presentSpace(c.id);
    c.r[R.EDX] = c.context.tlb.spaces;
  } else c.gp(0);
}

/** WRMSR of MSR_TLB_SPACES. */
function flushSpaces(c: CpuCore, low: number, high: number): void {
  const { tlb, costs } = c.context;
  if (tlb.spaces === 0 || high !== 0 || (low > 1 && (low & 0xfff) !== 0)) {
    c.gp(0);
    return;
  }
  c.sync();
  c.f[CoreF.CYCLES] += costs.tlbFlush;
  if (low === 0) tlb.flushAllSpaces(c.id);
  else if (low === 1) tlb.flushAll(c.id);
  else tlb.flushSpace(c.id, low);
}

/** Writing the APIC base is accepted only with the value that it has: the APIC can't be moved or switched off. */
export function wrmsr(c: CpuCore): void {
  if (!c.privileged()) return;
  const n = c.r[R.ECX];
  const low = c.r[R.EAX] >>> 0;
  const high = c.r[R.EDX] >>> 0;
  if (n === MSR_TSC) c.f[CoreF.TSC_OFFSET] += high * TWO32 + low - tsc(c);
  else if (n === MSR_TLB_SPACES) flushSpaces(c, low, high);
  else if (n !== MSR_APIC_BASE || high !== 0 || low !== apicBase(c)) c.gp(0);
}

/** PSE TSC MSR CX8 APIC PGE CMOV; no FPU, no MMX, no SSE, no SEP. */
const FEATURES = (1 << 2) | (1 << 3) | (1 << 4) | (1 << 5) | (1 << 8) | (1 << 9) | (1 << 13) | (1 << 15);
/** "PhysmemIA-32" in EBX, EDX, ECX. */
const VENDOR = [0x73796850, 0x496d656d, 0x32332d41];

export function cpuid(c: CpuCore): void {
  const r = c.r;
  const leaf = r[R.EAX] === 0 ? 0 : 1;
  if (leaf === 0) {
    r[R.EAX] = 1;
    [r[R.EBX], r[R.EDX], r[R.ECX]] = VENDOR;
    return;
  }
  r[R.EAX] = CPU_SIGNATURE;
  r[R.EBX] = (c.id << 24) | (c.context.memory.r.length << 16);
  r[R.ECX] = 0;
  r[R.EDX] = FEATURES;
}
