/**
 * The system's Unicorn library (Debian: libunicorn2) through the npm package koffi, as emu/cpu/unicorn wants it. Works with
 * every 2.x: paging and virtual TLBs of the library are not used. Callbacks are registered once for all machines, and
 * find theirs through `running`, so that a machine that nobody refers to can be closed.
 */
import { createRequire } from 'node:module';
import {
  UNICORN_EIP,
  UNICORN_REGISTERS,
  type UnicornCpu,
  type UnicornHooks,
  type UnicornLibrary,
} from '../../emu/cpu/unicorn/unicorn-api.ts';
import { HostError } from '../scenario/host-error.ts';

const FILES = [
  'libunicorn.so.2',
  'libunicorn.so',
  'libunicorn.2.dylib',
  '/opt/homebrew/lib/libunicorn.2.dylib',
];
const LEAST_MAJOR = 2;

/** Numbers of unicorn.h and x86.h. */
const ARCH_X86 = 4;
const MODE_32 = 4;
const HOOK_CODE = 4;
/** Read, write and fetch; of unmapped pages (bits 4 to 6) and of protected ones (7 to 9). */
const HOOK_MISSES = 0x3f0;
/**
 * Reads. That there is a hook for them makes every read look at its page's rights; without one, reads of a page from
 * which code was fetched pass (2.0.1). Nothing is mapped where it is. The hook for writes has the same effect on reads
 * in 2.0.1, which nothing promises.
 */
const HOOK_READS = 0x400;
const HOOK_WRITES = 0x800;
const MEM_FETCH_UNMAPPED = 21;
const MEM_FETCH_PROT = 24;
const CTL_TB_REMOVE_CACHE = 9 | (2 << 26) | (1 << 30);
/** EAX ECX EDX EBX ESP EBP ESI EDI EIP EFLAGS. */
const REGISTERS = [19, 22, 24, 21, 30, 20, 29, 23, 26, 25];
/** No 32-bit address, so that no run ends at it and no access is there: the hooks end runs. */
const NOWHERE = 0x1_0000_0000n;

type Native = (...args: unknown[]) => number;

interface Calls {
  readonly open: Native;
  readonly close: Native;
  readonly map: Native;
  readonly unmap: Native;
  readonly start: Native;
  readonly stop: Native;
  readonly write: Native;
  readonly read: Native;
  readonly control: Native;
  readonly addCodeHook: Native;
  readonly addMissHook: Native;
  readonly addWriteHook: Native;
  readonly onCode: unknown;
  readonly onMiss: unknown;
  readonly onWrite: unknown;
}

let running: SystemUnicornCpu | null = null;
let loaded: SystemUnicorn | null = null;

/**
 * The library, loaded at the first call.
 * @param files names to try instead of the usual ones
 * @throws HostError when koffi or the library is not there, or is older than 2.0
 */
export function loadUnicorn(files: readonly string[] = FILES): UnicornLibrary {
  if (files !== FILES) return new SystemUnicorn(files);
  loaded ??= new SystemUnicorn(files);
  return loaded;
}

/** What is wrong with a library of this version, or null. */
export const versionRefusal = (major: number, minor: number): string | null =>
  major >= LEAST_MAJOR
    ? null
    : `--engine unicorn needs libunicorn ${LEAST_MAJOR}.0 or newer, and this system has ${major}.${minor}`;

class SystemUnicorn implements UnicornLibrary {
  readonly version: string;
  private readonly calls: Calls;
  private readonly closing: FinalizationRegistry<unknown>;

  constructor(files: readonly string[]) {
    const koffi = requireKoffi();
    const library = openLibrary(koffi, files);
    const major = [0];
    const minor = [0];
    const version = 'uint32_t uc_version(_Out_ uint32_t *major, _Out_ uint32_t *minor)';
    usable(() => library.func(version))(major, minor);
    this.version = `${major[0]}.${minor[0]}`;
    const refusal = versionRefusal(major[0]!, minor[0]!);
    if (refusal !== null) throw new HostError(refusal);
    this.calls = usable(() => bind(koffi, library));
    this.closing = new FinalizationRegistry((handle) => this.calls.close(handle));
  }

  open(hooks: UnicornHooks): UnicornCpu {
    const out: unknown[] = [null];
    check(this.calls.open(ARCH_X86, MODE_32, out), 'uc_open');
    const cpu = new SystemUnicornCpu(this.calls, out[0], hooks);
    this.closing.register(cpu, out[0]);
    return cpu;
  }
}

class SystemUnicornCpu implements UnicornCpu {
  private readonly value = new Uint32Array(1);
  private eip = 0;

  constructor(
    private readonly calls: Calls,
    private readonly handle: unknown,
    readonly hooks: UnicornHooks,
  ) {
    const hook = [0];
    check(calls.addCodeHook(handle, hook, HOOK_CODE, calls.onCode, null, 1, 0), 'uc_hook_add');
    check(calls.addMissHook(handle, hook, HOOK_MISSES, calls.onMiss, null, 1, 0), 'uc_hook_add');
    check(calls.addWriteHook(handle, hook, HOOK_WRITES, calls.onWrite, null, 1, 0), 'uc_hook_add');
    check(calls.addMissHook(handle, hook, HOOK_READS, calls.onMiss, null, NOWHERE, NOWHERE), 'uc_hook_add');
  }

  mapPage(address: number, host: Uint8Array, access: number): void {
    check(this.calls.map(this.handle, address, 4096, access, host), 'uc_mem_map_ptr');
  }

  unmapPage(address: number): void {
    check(this.calls.unmap(this.handle, address, 4096), 'uc_mem_unmap');
  }

  forgetCode(address: number): void {
    const range = ['uint64_t', address, 'uint64_t', address + 4096];
    check(this.calls.control(this.handle, CTL_TB_REMOVE_CACHE, ...range), 'uc_ctl');
  }

  writeRegisters(values: Int32Array): void {
    for (let i = 0; i < UNICORN_REGISTERS; i++) {
      this.value[0] = values[i]!;
      this.calls.write(this.handle, REGISTERS[i], this.value);
    }
    this.eip = values[UNICORN_EIP]! >>> 0;
  }

  readRegisters(values: Int32Array): void {
    for (let i = 0; i < UNICORN_REGISTERS; i++) {
      this.calls.read(this.handle, REGISTERS[i], this.value);
      values[i] = this.value[0]!;
    }
  }

  run(): number {
    running = this;
    const error = this.calls.start(this.handle, this.eip, NOWHERE, 0, 0);
    running = null;
    return error;
  }

  stop(): void {
    this.calls.stop(this.handle);
  }
}

function bind(koffi: Koffi, library: KoffiLibrary): Calls {
  koffi.proto('void UnicornCodeHook(void *uc, uint64_t address, uint32_t size, void *user)');
  koffi.proto(
    'bool UnicornMissHook(void *uc, int type, uint64_t address, int size, int64_t value, void *user)',
  );
  koffi.proto(
    'void UnicornWriteHook(void *uc, int type, uint64_t address, int size, int64_t value, void *user)',
  );
  const addHook = (callback: string): Native =>
    library.func(
      `int uc_hook_add(void *uc, _Out_ size_t *hook, int type, ${callback} *call, void *user, uint64_t begin, uint64_t end)`,
    );
  const onCode = (_uc: unknown, address: number | bigint): void => {
    if (running !== null && !running.hooks.instruction(Number(address))) running.stop();
  };
  const onMiss = (_uc: unknown, type: number, address: number | bigint): boolean => {
    const isFetch = type === MEM_FETCH_UNMAPPED || type === MEM_FETCH_PROT;
    running?.hooks.miss(Number(address), isFetch ? 'fetch' : 'data');
    return false;
  };
  const onWrite = (_uc: unknown, _type: number, address: number | bigint, size: number): void => {
    running?.hooks.write(Number(address), size);
  };
  return {
    open: library.func('int uc_open(int arch, int mode, _Out_ void **uc)'),
    close: library.func('int uc_close(void *uc)'),
    map: library.func(
      'int uc_mem_map_ptr(void *uc, uint64_t address, size_t size, uint32_t access, void *host)',
    ),
    unmap: library.func('int uc_mem_unmap(void *uc, uint64_t address, size_t size)'),
    start: library.func(
      'int uc_emu_start(void *uc, uint64_t begin, uint64_t until, uint64_t timeout, size_t count)',
    ),
    stop: library.func('int uc_emu_stop(void *uc)'),
    write: library.func('int uc_reg_write(void *uc, int register, const uint32_t *value)'),
    read: library.func('int uc_reg_read(void *uc, int register, _Out_ uint32_t *value)'),
    control: library.func('int uc_ctl(void *uc, int control, ...)'),
    addCodeHook: addHook('UnicornCodeHook'),
    addMissHook: addHook('UnicornMissHook'),
    addWriteHook: addHook('UnicornWriteHook'),
    onCode: koffi.register(onCode, koffi.pointer('UnicornCodeHook')),
    onMiss: koffi.register(onMiss, koffi.pointer('UnicornMissHook')),
    onWrite: koffi.register(onWrite, koffi.pointer('UnicornWriteHook')),
  };
}

/** The part of koffi that is used. */
export interface KoffiLibrary {
  func(prototype: string): Native;
}
export interface Koffi {
  load(file: string): KoffiLibrary;
  proto(prototype: string): unknown;
  pointer(type: string): unknown;
  register(callback: unknown, type: unknown): unknown;
}

/** koffi and the library itself, for tools that need other calls of it. @throws HostError as loadUnicorn */
export function openNative(): { koffi: Koffi; library: KoffiLibrary } {
  const koffi = requireKoffi();
  return { koffi, library: openLibrary(koffi, FILES) };
}

function requireKoffi(): Koffi {
  try {
    return createRequire(import.meta.url)('koffi') as Koffi;
  } catch {
    throw new HostError(
      '--engine unicorn needs the npm package koffi, which is not installed: npm install koffi, or choose --engine interpreter',
    );
  }
}

function openLibrary(koffi: Koffi, files: readonly string[]): KoffiLibrary {
  for (const file of files) {
    try {
      return koffi.load(file);
    } catch {
      // The next name is tried; when none is there, the sentence below says so.
    }
  }
  throw new HostError(
    '--engine unicorn needs the library libunicorn 2, which is not installed or cannot be loaded (Debian: apt install libunicorn2), or choose --engine interpreter',
  );
}

/** What `find` finds in the library. @throws HostError when a function is not there */
function usable<T>(find: () => T): T {
  try {
    return find();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new HostError(
      `--engine unicorn has found a libunicorn that is not Unicorn 2 (${reason}): install libunicorn 2 (Debian: apt install libunicorn2), or choose --engine interpreter`,
    );
  }
}

/** A call with these arguments cannot fail but for lack of host memory. */
function check(status: number, call: string): void {
  if (status !== 0) throw new HostError(`${call} of libunicorn failed with error ${status}`);
}
