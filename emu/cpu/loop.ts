/**
 * The inner loop. Hot forms are executed here, in one switch that V8 turns into a jump table; whatever is not a plain
 * hit in the flat table breaks out of the switch to the semantics of the instruction table. The forms repeat code on
 * purpose: V8 inlines only 920 bytes of bytecode into a function, and a call per access costs a third of the speed.
 * Enums are local to the file because esbuild and V8 see their members as literals only then (a jump table needs that).
 * Measured (npm run bench; Node 20, AMD EPYC, bundled): 190 MIPS on xorshift, copy, sieve, fib and CRC with paging on; 35 when
 * every instruction goes through HANDLERS.
 */
import type { CodeCache } from './code-cache.ts';
import type { CpuCore } from './cpu-core.ts';
import { mulHigh } from './exec/multiply.ts';
import { crossing, lookup } from './fetch.ts';
import { carry, condition } from './flags.ts';
import { HANDLERS } from './table/table.ts';

/**
 * Dispatch numbers of records. The first five are not instructions or not hot: General runs the table entry, End goes to
 * the next page, Goto to the record LINK, Lookup finds the record by EIP, Crossing is an instruction that continues in
 * the next page. Suffixes: R register, M memory, I immediate; B byte, W word operands.
 */
export enum Form {
  General = 0,
  End = 1,
  Goto = 2,
  Lookup = 3,
  Crossing = 4,
  AddRR = 5,
  AddRI = 6,
  AddRM = 7,
  AddMR = 8,
  AddMI = 9,
  OrRR = 10,
  OrRI = 11,
  OrRM = 12,
  OrMR = 13,
  OrMI = 14,
  AndRR = 15,
  AndRI = 16,
  AndRM = 17,
  AndMR = 18,
  AndMI = 19,
  SubRR = 20,
  SubRI = 21,
  SubRM = 22,
  SubMR = 23,
  SubMI = 24,
  XorRR = 25,
  XorRI = 26,
  XorRM = 27,
  XorMR = 28,
  XorMI = 29,
  CmpRR = 30,
  CmpRI = 31,
  CmpRM = 32,
  CmpMR = 33,
  CmpMI = 34,
  TestRR = 35,
  TestRI = 36,
  TestMR = 37,
  TestMI = 38,
  CmpBRR = 39,
  CmpBRI = 40,
  CmpBRM = 41,
  CmpBMR = 42,
  CmpBMI = 43,
  TestBRR = 44,
  TestBRI = 45,
  AndBRR = 46,
  AndBRI = 47,
  OrBRR = 48,
  OrBRI = 49,
  XorBRR = 50,
  XorBRI = 51,
  TestBMI = 52,
  MovRR = 53,
  MovRI = 54,
  MovRM = 55,
  MovMR = 56,
  MovMI = 57,
  MovBRR = 58,
  MovBRI = 59,
  MovBRM = 60,
  MovBMR = 61,
  MovBMI = 62,
  MovzxBR = 63,
  MovzxBM = 64,
  MovsxBR = 65,
  MovsxBM = 66,
  MovzxWR = 67,
  MovzxWM = 68,
  MovsxWR = 69,
  MovsxWM = 70,
  Lea = 71,
  IncR = 72,
  DecR = 73,
  NegR = 74,
  NotR = 75,
  ShlRI = 76,
  ShrRI = 77,
  SarRI = 78,
  PushR = 79,
  PushI = 80,
  PushM = 81,
  PopR = 82,
  Leave = 83,
  ImulRR = 84,
  ImulRRI = 85,
  Cdq = 86,
  Nop = 87,
  Je = 88,
  Jne = 89,
  Js = 90,
  Jns = 91,
  Jb = 92,
  Jae = 93,
  Jbe = 94,
  Ja = 95,
  Jl = 96,
  Jge = 97,
  Jle = 98,
  Jg = 99,
  Jmp = 100,
  Call = 101,
  Ret = 102,
  JmpR = 103,
  JmpM = 104,
  CallR = 105,
  AdcRR = 106,
  AdcRI = 107,
  SbbRR = 108,
  SbbRI = 109,
  ShlRC = 110,
  ShrRC = 111,
  SarRC = 112,
  SetBR = 113,
  CmovRR = 114,
  MulR = 115,
  CallM = 116,
  XchgRR = 117,
  IncM = 118,
  DecM = 119,
}

/** Words of a record (record.ts) and F_LINKABLE. */
enum W {
  POS = 1,
  FLAGS = 2,
  REGS = 3,
  DISP = 4,
  IMM = 5,
  LINK = 6,
  ENTRY = 7,
  LINKABLE = 1 << 17,
}

/** Words of the core block. */
enum K {
  EAX = 0,
  ECX = 1,
  EDX = 2,
  ESP = 4,
  EBP = 5,
  EIP = 8,
  EFLAGS = 9,
  CC_OP = 10,
  CC_DST = 11,
  CC_SRC = 12,
  CC_AUX = 14,
  PEND = 128,
  CURRENT_EIP = 129,
}

/** Kinds of flags (flags.ts). */
enum Cc {
  ADD = 1,
  SUB = 2,
  RESULT = 3,
}

/** Bits of r[PEND] (memory-layout.ts). */
enum Pend {
  FAULT = 1,
  JUMP = 4,
}

const INT_MIN = -0x80000000;
const INT_MAX = 0x7fffffff;

/**
 * Runs from R.EIP until c.left reaches c.stop or r[PEND] says that something must be looked at. On return R.EIP is the
 * next instruction, or the faulting one with PEND_FAULT set; c.left is up to date.
 */
export function execute(c: CpuCore, cache: CodeCache): void {
  const { r, b: b8, u8, view, flat } = c;
  const { ops, index } = cache;
  const { stop, readMask, writeMask } = c;
  let left = c.left;
  let i = lookup(c, cache, r[K.EIP]);
  if (i < 0) {
    fetchFault(c, left);
    return;
  }
  let codeBase = c.codeBase;
  let target = 0;
  /** Record whose LINK may be set to the target's position, or 0. */
  let from = 0;
  for (;;) {
    // Instructions one behind the other, and linked branches; left for a transfer that must be looked up.
    straight: for (;;) {
      if (left === stop) {
        c.left = left;
        r[K.EIP] = codeBase + (ops[i + W.POS] & 0xffff);
        return;
      }
      switch (ops[i] as Form) {
        case Form.Goto:
          i = ops[i + W.LINK];
          continue;
        case Form.End:
        case Form.Lookup:
          target = (codeBase + (ops[i + W.POS] & 0xffff)) | 0;
          from = 0;
          break straight;
        case Form.Crossing: {
          c.left = left;
          const eip = (codeBase + (ops[i + W.POS] & 0xffff)) | 0;
          r[K.EIP] = eip;
          i = crossing(c, cache, i, eip);
          if (i < 0) {
            fetchFault(c, left);
            return;
          }
          codeBase = c.codeBase;
          continue;
        }
        case Form.AddRR: {
          const x = ops[i + W.LINK];
          const a = r[x & 255];
          const b = r[x >> 8];
          const v = (a + b) | 0;
          r[x & 255] = v;
          r[K.CC_OP] = Cc.ADD;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = b;
          r[K.CC_AUX] = a;
          i += 8;
          left--;
          continue;
        }
        case Form.AddRI: {
          const d = ops[i + W.LINK];
          const a = r[d];
          const b = ops[i + W.IMM];
          const v = (a + b) | 0;
          r[d] = v;
          r[K.CC_OP] = Cc.ADD;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = b;
          r[K.CC_AUX] = a;
          i += 8;
          left--;
          continue;
        }
        case Form.AddRM: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & readMask) === 0 || (ea & 4095) > 4092) break;
          const a = r[x & 15];
          const b = view.getInt32(((t & ~4095) ^ ea) >>> 0, true);
          const v = (a + b) | 0;
          r[x & 15] = v;
          r[K.CC_OP] = Cc.ADD;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = b;
          r[K.CC_AUX] = a;
          i += 8;
          left--;
          continue;
        }
        case Form.AddMR: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & writeMask) === 0 || (ea & 4095) > 4092) break;
          const at = ((t & ~4095) ^ ea) >>> 0;
          const a = view.getInt32(at, true);
          const b = r[x & 15];
          const v = (a + b) | 0;
          view.setInt32(at, v, true);
          r[K.CC_OP] = Cc.ADD;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = b;
          r[K.CC_AUX] = a;
          i += 8;
          left--;
          continue;
        }
        case Form.AddMI: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & writeMask) === 0 || (ea & 4095) > 4092) break;
          const at = ((t & ~4095) ^ ea) >>> 0;
          const a = view.getInt32(at, true);
          const b = ops[i + W.IMM];
          const v = (a + b) | 0;
          view.setInt32(at, v, true);
          r[K.CC_OP] = Cc.ADD;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = b;
          r[K.CC_AUX] = a;
          i += 8;
          left--;
          continue;
        }
        case Form.OrRR: {
          const x = ops[i + W.LINK];
          const a = r[x & 255];
          const b = r[x >> 8];
          const v = a | b;
          r[x & 255] = v;
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = 0;
          i += 8;
          left--;
          continue;
        }
        case Form.OrRI: {
          const d = ops[i + W.LINK];
          const a = r[d];
          const b = ops[i + W.IMM];
          const v = a | b;
          r[d] = v;
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = 0;
          i += 8;
          left--;
          continue;
        }
        case Form.OrRM: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & readMask) === 0 || (ea & 4095) > 4092) break;
          const a = r[x & 15];
          const b = view.getInt32(((t & ~4095) ^ ea) >>> 0, true);
          const v = a | b;
          r[x & 15] = v;
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = 0;
          i += 8;
          left--;
          continue;
        }
        case Form.OrMR: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & writeMask) === 0 || (ea & 4095) > 4092) break;
          const at = ((t & ~4095) ^ ea) >>> 0;
          const a = view.getInt32(at, true);
          const b = r[x & 15];
          const v = a | b;
          view.setInt32(at, v, true);
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = 0;
          i += 8;
          left--;
          continue;
        }
        case Form.OrMI: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & writeMask) === 0 || (ea & 4095) > 4092) break;
          const at = ((t & ~4095) ^ ea) >>> 0;
          const a = view.getInt32(at, true);
          const b = ops[i + W.IMM];
          const v = a | b;
          view.setInt32(at, v, true);
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = 0;
          i += 8;
          left--;
          continue;
        }
        case Form.AndRR: {
          const x = ops[i + W.LINK];
          const a = r[x & 255];
          const b = r[x >> 8];
          const v = a & b;
          r[x & 255] = v;
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = 0;
          i += 8;
          left--;
          continue;
        }
        case Form.AndRI: {
          const d = ops[i + W.LINK];
          const a = r[d];
          const b = ops[i + W.IMM];
          const v = a & b;
          r[d] = v;
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = 0;
          i += 8;
          left--;
          continue;
        }
        case Form.AndRM: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & readMask) === 0 || (ea & 4095) > 4092) break;
          const a = r[x & 15];
          const b = view.getInt32(((t & ~4095) ^ ea) >>> 0, true);
          const v = a & b;
          r[x & 15] = v;
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = 0;
          i += 8;
          left--;
          continue;
        }
        case Form.AndMR: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & writeMask) === 0 || (ea & 4095) > 4092) break;
          const at = ((t & ~4095) ^ ea) >>> 0;
          const a = view.getInt32(at, true);
          const b = r[x & 15];
          const v = a & b;
          view.setInt32(at, v, true);
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = 0;
          i += 8;
          left--;
          continue;
        }
        case Form.AndMI: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & writeMask) === 0 || (ea & 4095) > 4092) break;
          const at = ((t & ~4095) ^ ea) >>> 0;
          const a = view.getInt32(at, true);
          const b = ops[i + W.IMM];
          const v = a & b;
          view.setInt32(at, v, true);
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = 0;
          i += 8;
          left--;
          continue;
        }
        case Form.SubRR: {
          const x = ops[i + W.LINK];
          const a = r[x & 255];
          const b = r[x >> 8];
          const v = (a - b) | 0;
          r[x & 255] = v;
          r[K.CC_OP] = Cc.SUB;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = b;
          r[K.CC_AUX] = a;
          i += 8;
          left--;
          continue;
        }
        case Form.SubRI: {
          const d = ops[i + W.LINK];
          const a = r[d];
          const b = ops[i + W.IMM];
          const v = (a - b) | 0;
          r[d] = v;
          r[K.CC_OP] = Cc.SUB;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = b;
          r[K.CC_AUX] = a;
          i += 8;
          left--;
          continue;
        }
        case Form.SubRM: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & readMask) === 0 || (ea & 4095) > 4092) break;
          const a = r[x & 15];
          const b = view.getInt32(((t & ~4095) ^ ea) >>> 0, true);
          const v = (a - b) | 0;
          r[x & 15] = v;
          r[K.CC_OP] = Cc.SUB;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = b;
          r[K.CC_AUX] = a;
          i += 8;
          left--;
          continue;
        }
        case Form.SubMR: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & writeMask) === 0 || (ea & 4095) > 4092) break;
          const at = ((t & ~4095) ^ ea) >>> 0;
          const a = view.getInt32(at, true);
          const b = r[x & 15];
          const v = (a - b) | 0;
          view.setInt32(at, v, true);
          r[K.CC_OP] = Cc.SUB;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = b;
          r[K.CC_AUX] = a;
          i += 8;
          left--;
          continue;
        }
        case Form.SubMI: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & writeMask) === 0 || (ea & 4095) > 4092) break;
          const at = ((t & ~4095) ^ ea) >>> 0;
          const a = view.getInt32(at, true);
          const b = ops[i + W.IMM];
          const v = (a - b) | 0;
          view.setInt32(at, v, true);
          r[K.CC_OP] = Cc.SUB;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = b;
          r[K.CC_AUX] = a;
          i += 8;
          left--;
          continue;
        }
        case Form.XorRR: {
          const x = ops[i + W.LINK];
          const a = r[x & 255];
          const b = r[x >> 8];
          const v = a ^ b;
          r[x & 255] = v;
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = 0;
          i += 8;
          left--;
          continue;
        }
        case Form.XorRI: {
          const d = ops[i + W.LINK];
          const a = r[d];
          const b = ops[i + W.IMM];
          const v = a ^ b;
          r[d] = v;
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = 0;
          i += 8;
          left--;
          continue;
        }
        case Form.XorRM: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & readMask) === 0 || (ea & 4095) > 4092) break;
          const a = r[x & 15];
          const b = view.getInt32(((t & ~4095) ^ ea) >>> 0, true);
          const v = a ^ b;
          r[x & 15] = v;
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = 0;
          i += 8;
          left--;
          continue;
        }
        case Form.XorMR: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & writeMask) === 0 || (ea & 4095) > 4092) break;
          const at = ((t & ~4095) ^ ea) >>> 0;
          const a = view.getInt32(at, true);
          const b = r[x & 15];
          const v = a ^ b;
          view.setInt32(at, v, true);
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = 0;
          i += 8;
          left--;
          continue;
        }
        case Form.XorMI: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & writeMask) === 0 || (ea & 4095) > 4092) break;
          const at = ((t & ~4095) ^ ea) >>> 0;
          const a = view.getInt32(at, true);
          const b = ops[i + W.IMM];
          const v = a ^ b;
          view.setInt32(at, v, true);
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = 0;
          i += 8;
          left--;
          continue;
        }
        case Form.CmpRR: {
          const x = ops[i + W.LINK];
          const a = r[x & 255];
          const b = r[x >> 8];
          const v = (a - b) | 0;
          r[K.CC_OP] = Cc.SUB;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = b;
          r[K.CC_AUX] = a;
          i += 8;
          left--;
          continue;
        }
        case Form.CmpRI: {
          const d = ops[i + W.LINK];
          const a = r[d];
          const b = ops[i + W.IMM];
          const v = (a - b) | 0;
          r[K.CC_OP] = Cc.SUB;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = b;
          r[K.CC_AUX] = a;
          i += 8;
          left--;
          continue;
        }
        case Form.CmpRM: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & readMask) === 0 || (ea & 4095) > 4092) break;
          const a = r[x & 15];
          const b = view.getInt32(((t & ~4095) ^ ea) >>> 0, true);
          const v = (a - b) | 0;
          r[K.CC_OP] = Cc.SUB;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = b;
          r[K.CC_AUX] = a;
          i += 8;
          left--;
          continue;
        }
        case Form.CmpMR: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & readMask) === 0 || (ea & 4095) > 4092) break;
          const at = ((t & ~4095) ^ ea) >>> 0;
          const a = view.getInt32(at, true);
          const b = r[x & 15];
          const v = (a - b) | 0;
          r[K.CC_OP] = Cc.SUB;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = b;
          r[K.CC_AUX] = a;
          i += 8;
          left--;
          continue;
        }
        case Form.CmpMI: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & readMask) === 0 || (ea & 4095) > 4092) break;
          const at = ((t & ~4095) ^ ea) >>> 0;
          const a = view.getInt32(at, true);
          const b = ops[i + W.IMM];
          const v = (a - b) | 0;
          r[K.CC_OP] = Cc.SUB;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = b;
          r[K.CC_AUX] = a;
          i += 8;
          left--;
          continue;
        }
        case Form.TestRR: {
          const x = ops[i + W.LINK];
          const a = r[x & 255];
          const b = r[x >> 8];
          const v = a & b;
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = 0;
          i += 8;
          left--;
          continue;
        }
        case Form.TestRI: {
          const d = ops[i + W.LINK];
          const a = r[d];
          const b = ops[i + W.IMM];
          const v = a & b;
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = 0;
          i += 8;
          left--;
          continue;
        }
        case Form.TestMR: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & readMask) === 0 || (ea & 4095) > 4092) break;
          const at = ((t & ~4095) ^ ea) >>> 0;
          const a = view.getInt32(at, true);
          const b = r[x & 15];
          const v = a & b;
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = 0;
          i += 8;
          left--;
          continue;
        }
        case Form.TestMI: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & readMask) === 0 || (ea & 4095) > 4092) break;
          const at = ((t & ~4095) ^ ea) >>> 0;
          const a = view.getInt32(at, true);
          const b = ops[i + W.IMM];
          const v = a & b;
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = 0;
          i += 8;
          left--;
          continue;
        }
        case Form.CmpBRR: {
          const x = ops[i + W.LINK];
          const a = (b8[x & 255] << 24) >> 24;
          const b = (b8[x >> 8] << 24) >> 24;
          r[K.CC_OP] = Cc.SUB;
          r[K.CC_DST] = ((a - b) << 24) >> 24;
          r[K.CC_SRC] = b;
          r[K.CC_AUX] = a;
          i += 8;
          left--;
          continue;
        }
        case Form.CmpBRI: {
          const a = (b8[ops[i + W.LINK]] << 24) >> 24;
          const b = (ops[i + W.IMM] << 24) >> 24;
          r[K.CC_OP] = Cc.SUB;
          r[K.CC_DST] = ((a - b) << 24) >> 24;
          r[K.CC_SRC] = b;
          r[K.CC_AUX] = a;
          i += 8;
          left--;
          continue;
        }
        case Form.CmpBRM: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & readMask) === 0) break;
          const a = (b8[ops[i + W.LINK]] << 24) >> 24;
          const b = (u8[((t & ~4095) ^ ea) >>> 0] << 24) >> 24;
          r[K.CC_OP] = Cc.SUB;
          r[K.CC_DST] = ((a - b) << 24) >> 24;
          r[K.CC_SRC] = b;
          r[K.CC_AUX] = a;
          i += 8;
          left--;
          continue;
        }
        case Form.CmpBMR: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & readMask) === 0) break;
          const a = (u8[((t & ~4095) ^ ea) >>> 0] << 24) >> 24;
          const b = (b8[ops[i + W.LINK]] << 24) >> 24;
          r[K.CC_OP] = Cc.SUB;
          r[K.CC_DST] = ((a - b) << 24) >> 24;
          r[K.CC_SRC] = b;
          r[K.CC_AUX] = a;
          i += 8;
          left--;
          continue;
        }
        case Form.CmpBMI: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & readMask) === 0) break;
          const a = (u8[((t & ~4095) ^ ea) >>> 0] << 24) >> 24;
          const b = (ops[i + W.IMM] << 24) >> 24;
          r[K.CC_OP] = Cc.SUB;
          r[K.CC_DST] = ((a - b) << 24) >> 24;
          r[K.CC_SRC] = b;
          r[K.CC_AUX] = a;
          i += 8;
          left--;
          continue;
        }
        case Form.TestBRR: {
          const x = ops[i + W.LINK];
          const v = ((b8[x & 255] & b8[x >> 8]) << 24) >> 24;
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = 0;
          i += 8;
          left--;
          continue;
        }
        case Form.TestBRI: {
          const d = ops[i + W.LINK];
          const v = ((b8[d] & ops[i + W.IMM]) << 24) >> 24;
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = 0;
          i += 8;
          left--;
          continue;
        }
        case Form.AndBRR: {
          const x = ops[i + W.LINK];
          const v = ((b8[x & 255] & b8[x >> 8]) << 24) >> 24;
          b8[x & 255] = v;
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = 0;
          i += 8;
          left--;
          continue;
        }
        case Form.AndBRI: {
          const d = ops[i + W.LINK];
          const v = ((b8[d] & ops[i + W.IMM]) << 24) >> 24;
          b8[d] = v;
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = 0;
          i += 8;
          left--;
          continue;
        }
        case Form.OrBRR: {
          const x = ops[i + W.LINK];
          const v = ((b8[x & 255] | b8[x >> 8]) << 24) >> 24;
          b8[x & 255] = v;
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = 0;
          i += 8;
          left--;
          continue;
        }
        case Form.OrBRI: {
          const d = ops[i + W.LINK];
          const v = ((b8[d] | ops[i + W.IMM]) << 24) >> 24;
          b8[d] = v;
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = 0;
          i += 8;
          left--;
          continue;
        }
        case Form.XorBRR: {
          const x = ops[i + W.LINK];
          const v = ((b8[x & 255] ^ b8[x >> 8]) << 24) >> 24;
          b8[x & 255] = v;
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = 0;
          i += 8;
          left--;
          continue;
        }
        case Form.XorBRI: {
          const d = ops[i + W.LINK];
          const v = ((b8[d] ^ ops[i + W.IMM]) << 24) >> 24;
          b8[d] = v;
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = 0;
          i += 8;
          left--;
          continue;
        }
        case Form.TestBMI: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & readMask) === 0) break;
          const v = ((u8[((t & ~4095) ^ ea) >>> 0] & ops[i + W.IMM]) << 24) >> 24;
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = 0;
          i += 8;
          left--;
          continue;
        }
        case Form.MovRR: {
          const x = ops[i + W.LINK];
          r[x & 255] = r[x >> 8];
          i += 8;
          left--;
          continue;
        }
        case Form.MovRI: {
          r[ops[i + W.LINK]] = ops[i + W.IMM];
          i += 8;
          left--;
          continue;
        }
        case Form.MovRM: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & readMask) === 0 || (ea & 4095) > 4092) break;
          r[x & 15] = view.getInt32(((t & ~4095) ^ ea) >>> 0, true);
          i += 8;
          left--;
          continue;
        }
        case Form.MovMR: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & writeMask) === 0 || (ea & 4095) > 4092) break;
          view.setInt32(((t & ~4095) ^ ea) >>> 0, r[x & 15], true);
          i += 8;
          left--;
          continue;
        }
        case Form.MovMI: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & writeMask) === 0 || (ea & 4095) > 4092) break;
          view.setInt32(((t & ~4095) ^ ea) >>> 0, ops[i + W.IMM], true);
          i += 8;
          left--;
          continue;
        }
        case Form.MovBRR: {
          const x = ops[i + W.LINK];
          b8[x & 255] = b8[x >> 8];
          i += 8;
          left--;
          continue;
        }
        case Form.MovBRI: {
          b8[ops[i + W.LINK]] = ops[i + W.IMM];
          i += 8;
          left--;
          continue;
        }
        case Form.MovBRM: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & readMask) === 0) break;
          b8[ops[i + W.LINK]] = u8[((t & ~4095) ^ ea) >>> 0];
          i += 8;
          left--;
          continue;
        }
        case Form.MovBMR: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & writeMask) === 0) break;
          u8[((t & ~4095) ^ ea) >>> 0] = b8[ops[i + W.LINK]];
          i += 8;
          left--;
          continue;
        }
        case Form.MovBMI: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & writeMask) === 0) break;
          u8[((t & ~4095) ^ ea) >>> 0] = ops[i + W.IMM];
          i += 8;
          left--;
          continue;
        }
        case Form.MovzxBR: {
          const x = ops[i + W.LINK];
          r[x & 255] = b8[x >> 8];
          i += 8;
          left--;
          continue;
        }
        case Form.MovzxBM: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & readMask) === 0) break;
          r[x & 15] = u8[((t & ~4095) ^ ea) >>> 0];
          i += 8;
          left--;
          continue;
        }
        case Form.MovsxBR: {
          const x = ops[i + W.LINK];
          r[x & 255] = (b8[x >> 8] << 24) >> 24;
          i += 8;
          left--;
          continue;
        }
        case Form.MovsxBM: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & readMask) === 0) break;
          r[x & 15] = (u8[((t & ~4095) ^ ea) >>> 0] << 24) >> 24;
          i += 8;
          left--;
          continue;
        }
        case Form.MovzxWR: {
          const x = ops[i + W.LINK];
          r[x & 255] = r[x >> 8] & 0xffff;
          i += 8;
          left--;
          continue;
        }
        case Form.MovzxWM: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & readMask) === 0 || (ea & 4095) > 4094) break;
          r[x & 15] = view.getUint16(((t & ~4095) ^ ea) >>> 0, true);
          i += 8;
          left--;
          continue;
        }
        case Form.MovsxWR: {
          const x = ops[i + W.LINK];
          r[x & 255] = (r[x >> 8] << 16) >> 16;
          i += 8;
          left--;
          continue;
        }
        case Form.MovsxWM: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & readMask) === 0 || (ea & 4095) > 4094) break;
          r[x & 15] = view.getInt16(((t & ~4095) ^ ea) >>> 0, true);
          i += 8;
          left--;
          continue;
        }
        case Form.Lea: {
          const x = ops[i + W.REGS];
          r[x & 15] = r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP];
          i += 8;
          left--;
          continue;
        }
        case Form.IncR: {
          const op = r[K.CC_OP];
          const cf =
            op === Cc.RESULT
              ? r[K.CC_SRC] & 1
              : op === Cc.SUB && r[K.CC_AUX] >>> 0 < r[K.CC_SRC] >>> 0
                ? 1
                : op === Cc.SUB
                  ? 0
                  : carry(r);
          const d = ops[i + W.LINK];
          const v = (r[d] + 1) | 0;
          r[d] = v;
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = cf | ((v & 15) === 0 ? 16 : 0) | (v === INT_MIN ? 2048 : 0);
          i += 8;
          left--;
          continue;
        }
        case Form.DecR: {
          const op = r[K.CC_OP];
          const cf =
            op === Cc.RESULT
              ? r[K.CC_SRC] & 1
              : op === Cc.SUB && r[K.CC_AUX] >>> 0 < r[K.CC_SRC] >>> 0
                ? 1
                : op === Cc.SUB
                  ? 0
                  : carry(r);
          const d = ops[i + W.LINK];
          const v = (r[d] - 1) | 0;
          r[d] = v;
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = cf | ((v & 15) === 15 ? 16 : 0) | (v === INT_MAX ? 2048 : 0);
          i += 8;
          left--;
          continue;
        }
        case Form.NegR: {
          const d = ops[i + W.LINK];
          const a = r[d];
          const v = -a | 0;
          r[d] = v;
          r[K.CC_OP] = Cc.SUB;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = a;
          r[K.CC_AUX] = 0;
          i += 8;
          left--;
          continue;
        }
        case Form.NotR: {
          const d = ops[i + W.LINK];
          r[d] = ~r[d];
          i += 8;
          left--;
          continue;
        }
        case Form.ShlRI: {
          const d = ops[i + W.LINK];
          const a = r[d];
          const n = ops[i + W.IMM];
          const v = a << n;
          const out = (a >>> (32 - n)) & 1;
          r[d] = v;
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = 16 | out | (v >>> 31 !== out ? 2048 : 0);
          i += 8;
          left--;
          continue;
        }
        case Form.ShrRI: {
          const d = ops[i + W.LINK];
          const a = r[d];
          const n = ops[i + W.IMM];
          const v = (a >>> n) | 0;
          r[d] = v;
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = 16 | ((a >>> (n - 1)) & 1) | ((v ^ (v << 1)) < 0 ? 2048 : 0);
          i += 8;
          left--;
          continue;
        }
        case Form.SarRI: {
          const d = ops[i + W.LINK];
          const a = r[d];
          const n = ops[i + W.IMM];
          const v = a >> n;
          r[d] = v;
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = 16 | ((a >> (n - 1)) & 1);
          i += 8;
          left--;
          continue;
        }
        case Form.PushR: {
          const ea = (r[K.ESP] - 4) | 0;
          const t = flat[ea >>> 12];
          if ((t & writeMask) === 0 || (ea & 4095) > 4092) break;
          view.setInt32(((t & ~4095) ^ ea) >>> 0, r[ops[i + W.LINK]], true);
          r[K.ESP] = ea;
          i += 8;
          left--;
          continue;
        }
        case Form.PushI: {
          const ea = (r[K.ESP] - 4) | 0;
          const t = flat[ea >>> 12];
          if ((t & writeMask) === 0 || (ea & 4095) > 4092) break;
          view.setInt32(((t & ~4095) ^ ea) >>> 0, ops[i + W.IMM], true);
          r[K.ESP] = ea;
          i += 8;
          left--;
          continue;
        }
        case Form.PushM: {
          const x = ops[i + W.REGS];
          const from = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const s = flat[from >>> 12];
          if ((s & readMask) === 0 || (from & 4095) > 4092) break;
          const ea = (r[K.ESP] - 4) | 0;
          const t = flat[ea >>> 12];
          if ((t & writeMask) === 0 || (ea & 4095) > 4092) break;
          view.setInt32(((t & ~4095) ^ ea) >>> 0, view.getInt32(((s & ~4095) ^ from) >>> 0, true), true);
          r[K.ESP] = ea;
          i += 8;
          left--;
          continue;
        }
        case Form.PopR: {
          const ea = r[K.ESP];
          const t = flat[ea >>> 12];
          if ((t & readMask) === 0 || (ea & 4095) > 4092) break;
          r[K.ESP] = ea + 4;
          r[ops[i + W.LINK]] = view.getInt32(((t & ~4095) ^ ea) >>> 0, true);
          i += 8;
          left--;
          continue;
        }
        case Form.Leave: {
          const ea = r[K.EBP];
          const t = flat[ea >>> 12];
          if ((t & readMask) === 0 || (ea & 4095) > 4092) break;
          r[K.ESP] = ea + 4;
          r[K.EBP] = view.getInt32(((t & ~4095) ^ ea) >>> 0, true);
          i += 8;
          left--;
          continue;
        }
        case Form.ImulRR: {
          const x = ops[i + W.LINK];
          const a = r[x & 255];
          const b = r[x >> 8];
          const v = Math.imul(a, b);
          r[x & 255] = v;
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = a * b === v ? 0 : 2049;
          i += 8;
          left--;
          continue;
        }
        case Form.ImulRRI: {
          const x = ops[i + W.LINK];
          const a = r[x >> 8];
          const b = ops[i + W.IMM];
          const v = Math.imul(a, b);
          r[x & 255] = v;
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = a * b === v ? 0 : 2049;
          i += 8;
          left--;
          continue;
        }
        case Form.Cdq: {
          r[K.EDX] = r[K.EAX] >> 31;
          i += 8;
          left--;
          continue;
        }
        case Form.Nop: {
          i += 8;
          left--;
          continue;
        }
        case Form.Je: {
          if (r[K.CC_OP] === 0 ? (r[K.EFLAGS] & 64) !== 0 : r[K.CC_DST] === 0) {
            const to = ops[i + W.LINK];
            if (to === 0) break;
            i = to;
            left--;
            continue;
          }
          i += 8;
          left--;
          continue;
        }
        case Form.Jne: {
          if (!(r[K.CC_OP] === 0 ? (r[K.EFLAGS] & 64) !== 0 : r[K.CC_DST] === 0)) {
            const to = ops[i + W.LINK];
            if (to === 0) break;
            i = to;
            left--;
            continue;
          }
          i += 8;
          left--;
          continue;
        }
        case Form.Js: {
          if (r[K.CC_OP] === 0 ? (r[K.EFLAGS] & 128) !== 0 : r[K.CC_DST] < 0) {
            const to = ops[i + W.LINK];
            if (to === 0) break;
            i = to;
            left--;
            continue;
          }
          i += 8;
          left--;
          continue;
        }
        case Form.Jns: {
          if (!(r[K.CC_OP] === 0 ? (r[K.EFLAGS] & 128) !== 0 : r[K.CC_DST] < 0)) {
            const to = ops[i + W.LINK];
            if (to === 0) break;
            i = to;
            left--;
            continue;
          }
          i += 8;
          left--;
          continue;
        }
        case Form.Jb: {
          if (r[K.CC_OP] === Cc.SUB ? r[K.CC_AUX] >>> 0 < r[K.CC_SRC] >>> 0 : condition(r, 2)) {
            const to = ops[i + W.LINK];
            if (to === 0) break;
            i = to;
            left--;
            continue;
          }
          i += 8;
          left--;
          continue;
        }
        case Form.Jae: {
          if (r[K.CC_OP] === Cc.SUB ? r[K.CC_AUX] >>> 0 >= r[K.CC_SRC] >>> 0 : condition(r, 3)) {
            const to = ops[i + W.LINK];
            if (to === 0) break;
            i = to;
            left--;
            continue;
          }
          i += 8;
          left--;
          continue;
        }
        case Form.Jbe: {
          if (r[K.CC_OP] === Cc.SUB ? r[K.CC_AUX] >>> 0 <= r[K.CC_SRC] >>> 0 : condition(r, 6)) {
            const to = ops[i + W.LINK];
            if (to === 0) break;
            i = to;
            left--;
            continue;
          }
          i += 8;
          left--;
          continue;
        }
        case Form.Ja: {
          if (r[K.CC_OP] === Cc.SUB ? r[K.CC_AUX] >>> 0 > r[K.CC_SRC] >>> 0 : condition(r, 7)) {
            const to = ops[i + W.LINK];
            if (to === 0) break;
            i = to;
            left--;
            continue;
          }
          i += 8;
          left--;
          continue;
        }
        case Form.Jl: {
          if (r[K.CC_OP] === Cc.SUB ? r[K.CC_AUX] < r[K.CC_SRC] : condition(r, 12)) {
            const to = ops[i + W.LINK];
            if (to === 0) break;
            i = to;
            left--;
            continue;
          }
          i += 8;
          left--;
          continue;
        }
        case Form.Jge: {
          if (r[K.CC_OP] === Cc.SUB ? r[K.CC_AUX] >= r[K.CC_SRC] : condition(r, 13)) {
            const to = ops[i + W.LINK];
            if (to === 0) break;
            i = to;
            left--;
            continue;
          }
          i += 8;
          left--;
          continue;
        }
        case Form.Jle: {
          if (r[K.CC_OP] === Cc.SUB ? r[K.CC_AUX] <= r[K.CC_SRC] : condition(r, 14)) {
            const to = ops[i + W.LINK];
            if (to === 0) break;
            i = to;
            left--;
            continue;
          }
          i += 8;
          left--;
          continue;
        }
        case Form.Jg: {
          if (r[K.CC_OP] === Cc.SUB ? r[K.CC_AUX] > r[K.CC_SRC] : condition(r, 15)) {
            const to = ops[i + W.LINK];
            if (to === 0) break;
            i = to;
            left--;
            continue;
          }
          i += 8;
          left--;
          continue;
        }
        case Form.Jmp: {
          const to = ops[i + W.LINK];
          if (to === 0) break;
          i = to;
          left--;
          continue;
        }
        case Form.Call: {
          const ea = (r[K.ESP] - 4) | 0;
          const t = flat[ea >>> 12];
          if ((t & writeMask) === 0 || (ea & 4095) > 4092) break;
          const pos = ops[i + W.POS];
          const back = (codeBase + (pos & 0xffff) + (pos >>> 16)) | 0;
          view.setInt32(((t & ~4095) ^ ea) >>> 0, back, true);
          r[K.ESP] = ea;
          left--;
          const to = ops[i + W.LINK];
          if (to !== 0) {
            i = to;
            continue;
          }
          from = (ops[i + W.FLAGS] & W.LINKABLE) !== 0 ? i : 0;
          target = (back + ops[i + W.IMM]) | 0;
          break straight;
        }
        case Form.Ret: {
          const ea = r[K.ESP];
          const t = flat[ea >>> 12];
          if ((t & readMask) === 0 || (ea & 4095) > 4092) break;
          r[K.ESP] = ea + 4 + ops[i + W.IMM];
          target = view.getInt32(((t & ~4095) ^ ea) >>> 0, true);
          left--;
          from = 0;
          break straight;
        }
        case Form.JmpR: {
          target = r[ops[i + W.LINK]];
          left--;
          from = 0;
          break straight;
        }
        case Form.JmpM: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & readMask) === 0 || (ea & 4095) > 4092) break;
          target = view.getInt32(((t & ~4095) ^ ea) >>> 0, true);
          left--;
          from = 0;
          break straight;
        }
        case Form.CallR: {
          const ea = (r[K.ESP] - 4) | 0;
          const t = flat[ea >>> 12];
          if ((t & writeMask) === 0 || (ea & 4095) > 4092) break;
          const pos = ops[i + W.POS];
          target = r[ops[i + W.LINK]];
          view.setInt32(((t & ~4095) ^ ea) >>> 0, (codeBase + (pos & 0xffff) + (pos >>> 16)) | 0, true);
          r[K.ESP] = ea;
          left--;
          from = 0;
          break straight;
        }
        case Form.AdcRR: {
          const x = ops[i + W.LINK];
          const a = r[x & 255];
          const b = r[x >> 8];
          const v = (a + b + carry(r)) | 0;
          r[x & 255] = v;
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] =
            (((a & b) | ((a | b) & ~v)) >>> 31) | ((a ^ b ^ v) & 16) | (((a ^ v) & (b ^ v)) < 0 ? 2048 : 0);
          i += 8;
          left--;
          continue;
        }
        case Form.AdcRI: {
          const d = ops[i + W.LINK];
          const a = r[d];
          const b = ops[i + W.IMM];
          const v = (a + b + carry(r)) | 0;
          r[d] = v;
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] =
            (((a & b) | ((a | b) & ~v)) >>> 31) | ((a ^ b ^ v) & 16) | (((a ^ v) & (b ^ v)) < 0 ? 2048 : 0);
          i += 8;
          left--;
          continue;
        }
        case Form.SbbRR: {
          const x = ops[i + W.LINK];
          const a = r[x & 255];
          const b = r[x >> 8];
          const v = (a - b - carry(r)) | 0;
          r[x & 255] = v;
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] =
            (((~a & b) | ((~a | b) & v)) >>> 31) | ((a ^ b ^ v) & 16) | (((a ^ b) & (a ^ v)) < 0 ? 2048 : 0);
          i += 8;
          left--;
          continue;
        }
        case Form.SbbRI: {
          const d = ops[i + W.LINK];
          const a = r[d];
          const b = ops[i + W.IMM];
          const v = (a - b - carry(r)) | 0;
          r[d] = v;
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] =
            (((~a & b) | ((~a | b) & v)) >>> 31) | ((a ^ b ^ v) & 16) | (((a ^ b) & (a ^ v)) < 0 ? 2048 : 0);
          i += 8;
          left--;
          continue;
        }
        case Form.ShlRC: {
          const n = r[K.ECX] & 31;
          if (n !== 0) {
            const d = ops[i + W.LINK] & 255;
            const a = r[d];
            const v = a << n;
            r[d] = v;
            r[K.CC_OP] = Cc.RESULT;
            r[K.CC_DST] = v;
            r[K.CC_SRC] = 16 | ((a >>> (32 - n)) & 1) | (v >>> 31 !== ((a >>> (32 - n)) & 1) ? 2048 : 0);
          }
          i += 8;
          left--;
          continue;
        }
        case Form.ShrRC: {
          const n = r[K.ECX] & 31;
          if (n !== 0) {
            const d = ops[i + W.LINK] & 255;
            const a = r[d];
            const v = (a >>> n) | 0;
            r[d] = v;
            r[K.CC_OP] = Cc.RESULT;
            r[K.CC_DST] = v;
            r[K.CC_SRC] = 16 | ((a >>> (n - 1)) & 1) | ((v ^ (v << 1)) < 0 ? 2048 : 0);
          }
          i += 8;
          left--;
          continue;
        }
        case Form.SarRC: {
          const n = r[K.ECX] & 31;
          if (n !== 0) {
            const d = ops[i + W.LINK] & 255;
            const a = r[d];
            const v = a >> n;
            r[d] = v;
            r[K.CC_OP] = Cc.RESULT;
            r[K.CC_DST] = v;
            r[K.CC_SRC] = 16 | ((a >> (n - 1)) & 1);
          }
          i += 8;
          left--;
          continue;
        }
        case Form.SetBR: {
          const x = ops[i + W.LINK];
          b8[x & 255] = condition(r, x >> 16) ? 1 : 0;
          i += 8;
          left--;
          continue;
        }
        case Form.CmovRR: {
          const x = ops[i + W.LINK];
          if (condition(r, x >> 16)) r[x & 255] = r[(x >> 8) & 255];
          i += 8;
          left--;
          continue;
        }
        case Form.MulR: {
          const a = r[K.EAX];
          const b = r[ops[i + W.LINK]];
          const v = Math.imul(a, b);
          const high = mulHigh(a, b);
          r[K.EAX] = v;
          r[K.EDX] = high;
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = high === 0 ? 0 : 2049;
          i += 8;
          left--;
          continue;
        }
        case Form.CallM: {
          const x = ops[i + W.REGS];
          const at = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const s = flat[at >>> 12];
          if ((s & readMask) === 0 || (at & 4095) > 4092) break;
          const ea = (r[K.ESP] - 4) | 0;
          const t = flat[ea >>> 12];
          if ((t & writeMask) === 0 || (ea & 4095) > 4092) break;
          const pos = ops[i + W.POS];
          target = view.getInt32(((s & ~4095) ^ at) >>> 0, true);
          view.setInt32(((t & ~4095) ^ ea) >>> 0, (codeBase + (pos & 0xffff) + (pos >>> 16)) | 0, true);
          r[K.ESP] = ea;
          left--;
          from = 0;
          break straight;
        }
        case Form.XchgRR: {
          const x = ops[i + W.LINK];
          const a = r[x & 255];
          r[x & 255] = r[x >> 8];
          r[x >> 8] = a;
          i += 8;
          left--;
          continue;
        }
        case Form.IncM: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & writeMask) === 0 || (ea & 4095) > 4092) break;
          const at = ((t & ~4095) ^ ea) >>> 0;
          const v = (view.getInt32(at, true) + 1) | 0;
          const cf = carry(r);
          view.setInt32(at, v, true);
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = cf | ((v & 15) === 0 ? 16 : 0) | (v === INT_MIN ? 2048 : 0);
          i += 8;
          left--;
          continue;
        }
        case Form.DecM: {
          const x = ops[i + W.REGS];
          const ea = (r[(x >> 8) & 255] + (r[(x >> 16) & 255] << (x >>> 24)) + ops[i + W.DISP]) | 0;
          const t = flat[ea >>> 12];
          if ((t & writeMask) === 0 || (ea & 4095) > 4092) break;
          const at = ((t & ~4095) ^ ea) >>> 0;
          const v = (view.getInt32(at, true) - 1) | 0;
          const cf = carry(r);
          view.setInt32(at, v, true);
          r[K.CC_OP] = Cc.RESULT;
          r[K.CC_DST] = v;
          r[K.CC_SRC] = cf | ((v & 15) === 15 ? 16 : 0) | (v === INT_MAX ? 2048 : 0);
          i += 8;
          left--;
          continue;
        }
      }
      const pos = ops[i + W.POS];
      const eip = (codeBase + (pos & 0xffff)) | 0;
      left--;
      c.left = left;
      r[K.CURRENT_EIP] = eip;
      r[K.EIP] = eip + (pos >>> 16);
      HANDLERS[ops[i + W.ENTRY]](c, i);
      left = c.left;
      const pend = r[K.PEND];
      if (pend === 0) {
        i += 8;
        continue;
      }
      if (pend !== Pend.JUMP) {
        if ((pend & Pend.FAULT) !== 0) r[K.EIP] = eip;
        return;
      }
      r[K.PEND] = 0;
      target = r[K.EIP];
      from = (ops[i + W.FLAGS] & W.LINKABLE) !== 0 ? i : 0;
      break;
    }
    // A transfer to `target`: in the same page by the index, else through the instruction TLB.
    if (target >>> 12 === c.codePage && c.flatSegments) {
      const to = index[c.codeSlot + (target & 4095)];
      if (to !== 0) {
        if (from !== 0) ops[from + W.LINK] = to;
        i = to;
        continue;
      }
    }
    c.left = left;
    r[K.EIP] = target;
    if (left === stop) return;
    const generation = cache.generation;
    i = lookup(c, cache, target);
    if (i < 0) {
      fetchFault(c, left);
      return;
    }
    codeBase = c.codeBase;
    if (from !== 0 && generation === cache.generation) ops[from + W.LINK] = i;
  }
}

/** The instruction at EIP could not be fetched; the attempt uses up one of the budget. */
function fetchFault(c: CpuCore, left: number): void {
  c.left = left - 1;
  c.r[K.CURRENT_EIP] = c.r[K.EIP];
}
