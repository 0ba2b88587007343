/**
 * What the unicorn engine needs of the Unicorn library: an x86 machine in 32-bit mode without paging, whose memory map
 * is given page by page. The command line fills it in with the system's libunicorn; nothing here loads anything.
 */

/** Access to a mapped page, with Unicorn's numbers. */
export const MAP_READ = 1;
export const MAP_WRITE = 2;
export const MAP_EXECUTE = 4;

/** What a machine asks and tells while it runs; neither may change its memory map. */
export interface UnicornHooks {
  /** Before each instruction at `address`: whether it is to be executed. False ends the run with EIP at it. */
  instruction(address: number): boolean;
  /**
   * An access to `address` that the memory map does not allow: the run ends. A data access leaves the registers as before
   * its instruction, but not memory, if that has written something already (PUSHA, a write across pages); a fetch is of an
   * instruction that `instruction` has not been asked about.
   */
  miss(address: number, access: 'fetch' | 'data'): void;
  /** Before `size` bytes at `address` are written, of which the memory map may not allow the last ones. */
  write(address: number, size: number): void;
}

/** One machine. Registers are written before and read after a run, as EAX ECX EDX EBX ESP EBP ESI EDI EIP EFLAGS. */
export interface UnicornCpu {
  /** Maps the page at `address` (a multiple of 4096) to the 4096 bytes of `host`, which must never move. */
  mapPage(address: number, host: Uint8Array, access: number): void;
  unmapPage(address: number): void;
  /** Forgets what was translated of the page: its bytes have changed. */
  forgetCode(address: number): void;
  writeRegisters(values: Int32Array): void;
  readRegisters(values: Int32Array): void;
  /** Runs from EIP until a hook or an error ends it. Returns Unicorn's error number, 0 = none. */
  run(): number;
}

export const UNICORN_EIP = 8;
export const UNICORN_EFLAGS = 9;
export const UNICORN_REGISTERS = 10;

export interface UnicornLibrary {
  /** As the library tells it, `2.0`. */
  readonly version: string;
  open(hooks: UnicornHooks): UnicornCpu;
}
