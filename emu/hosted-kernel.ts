/**
 * The other side of the trap line: what a kernel in TypeScript offers to the machine (machine.md §2, hosted mode).
 * The machine knows nothing else of it.
 */
export interface HostedKernel {
  /**
   * The firmware has handed over. Called once, between instructions; trap mode is hosted from now on. The kernel
   * owns every core's register block and run state.
   */
  handOver(): void;
  /**
   * Ring 3 code on `core` raised an exception or executed INT n. The register block is the guest's, unchanged;
   * R.EXIT_SOFT tells INT n from an exception.
   */
  trap(core: number, vector: number, errorCode: number): void;
  /**
   * `core` takes an external interrupt; `vector` is in service until the kernel signals EOI. The core may be
   * Halted: it then stays so unless the kernel sets its run state.
   */
  interrupt(core: number, vector: number): void;
}
