/**
 * The part of Unicorn's C API that the lock-step comparison needs, through koffi: one 32-bit x86 machine in ring 0
 * without paging. Debian's package is libunicorn2; without it `openUnicorn` says why.
 */
import { openNative } from '../../src/cli/unicorn-library.ts';

const UC_ARCH_X86 = 4;
const UC_MODE_32 = 4;
const UC_PROT_ALL = 7;

/** Register numbers of unicorn/x86.h, in encoding order: EAX ECX EDX EBX ESP EBP ESI EDI, then EIP and EFLAGS. */
const GENERAL = [19, 22, 24, 21, 30, 20, 29, 23];
const EIP = 26;
const EFLAGS = 25;

type Call = (...args: unknown[]) => number;

interface Library {
  readonly open: Call;
  readonly close: Call;
  readonly map: Call;
  readonly write: Call;
  readonly read: Call;
  readonly setReg: Call;
  readonly getReg: Call;
  readonly start: Call;
}

function load(): Library {
  const { library: lib } = openNative();
  return {
    open: lib.func('int uc_open(int arch, int mode, _Out_ void **uc)'),
    close: lib.func('int uc_close(void *uc)'),
    map: lib.func('int uc_mem_map(void *uc, uint64_t address, size_t size, uint32_t perms)'),
    write: lib.func('int uc_mem_write(void *uc, uint64_t address, const uint8_t *bytes, size_t size)'),
    read: lib.func('int uc_mem_read(void *uc, uint64_t address, _Out_ uint8_t *bytes, size_t size)'),
    setReg: lib.func('int uc_reg_write(void *uc, int regid, const uint32_t *value)'),
    getReg: lib.func('int uc_reg_read(void *uc, int regid, _Out_ uint32_t *value)'),
    start: lib.func(
      'int uc_emu_start(void *uc, uint64_t begin, uint64_t until, uint64_t timeout, size_t count)',
    ),
  };
}

let library: Library | null = null;

/** Null when Unicorn can be used here, else the reason in words. */
export function unicornMissing(): string | null {
  try {
    library ??= load();
    return null;
  } catch (error) {
    return `libunicorn is not usable: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** One Unicorn machine. Every call throws when Unicorn reports an error. */
export class Unicorn {
  private readonly handle: unknown;
  private readonly value = new Uint32Array(1);

  constructor(private readonly lib: Library) {
    const out: unknown[] = [null];
    check(lib.open(UC_ARCH_X86, UC_MODE_32, out), 'uc_open');
    this.handle = out[0];
  }

  close(): void {
    this.lib.close(this.handle);
  }

  map(address: number, sizeBytes: number): void {
    check(this.lib.map(this.handle, address, sizeBytes, UC_PROT_ALL), 'uc_mem_map');
  }

  write(address: number, bytes: Uint8Array): void {
    check(this.lib.write(this.handle, address, bytes, bytes.length), 'uc_mem_write');
  }

  read(address: number, into: Uint8Array): void {
    check(this.lib.read(this.handle, address, into, into.length), 'uc_mem_read');
  }

  /** EAX..EDI, EIP, EFLAGS. */
  registers(): number[] {
    return [...GENERAL, EIP, EFLAGS].map((id) => {
      check(this.lib.getReg(this.handle, id, this.value), 'uc_reg_read');
      return this.value[0]!;
    });
  }

  eip(): number {
    check(this.lib.getReg(this.handle, EIP, this.value), 'uc_reg_read');
    return this.value[0]!;
  }

  setRegisters(values: readonly number[]): void {
    [...GENERAL, EIP, EFLAGS].forEach((id, i) => {
      this.value[0] = values[i]!;
      check(this.lib.setReg(this.handle, id, this.value), 'uc_reg_write');
    });
  }

  setFlags(eflags: number): void {
    this.value[0] = eflags;
    check(this.lib.setReg(this.handle, EFLAGS, this.value), 'uc_reg_write');
  }

  /** Executes one instruction (one iteration of a repeated one) at `eip`. Returns Unicorn's error number, 0 = none. */
  step(eip: number): number {
    return this.lib.start(this.handle, eip, 0xffffffff, 0, 1);
  }
}

function check(status: number, call: string): void {
  if (status !== 0) throw new Error(`${call}: Unicorn error ${status}`);
}

/** A new machine. @throws where Unicorn is missing: ask `unicornMissing` first. */
export function openUnicorn(): Unicorn {
  library ??= load();
  return new Unicorn(library);
}
