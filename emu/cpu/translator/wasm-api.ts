/** The part of the WebAssembly JavaScript interface that is used here; `lib` has no DOM, so it is declared by hand. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (
    module: object,
    imports: Record<string, Record<string, unknown>>,
  ) => { readonly exports: Record<string, unknown> };
  Memory: new (...args: never[]) => object;
  Table: new (descriptor: { element: 'anyfunc'; initial: number }) => FunctionTable;
};

/** Functions by number, which code can call. */
export interface FunctionTable {
  set(index: number, value: unknown): void;
}

export const functionTable = (size: number): FunctionTable =>
  new WebAssembly.Table({ element: 'anyfunc', initial: size });

/** True if `owner` is a WebAssembly.Memory, which code can import. */
export const isWasmMemory = (owner: object): boolean => owner instanceof WebAssembly.Memory;

/** As `instantiate`; null where the host refuses, as a browser's main thread may above 4 KiB, and pages without leave. */
export function tryInstantiate(
  bytes: Uint8Array,
  env: Record<string, unknown>,
): Record<string, unknown> | null {
  try {
    return instantiate(bytes, env);
  } catch {
    return null;
  }
}

/** Compiles and instantiates at once; returns the exports. */
export function instantiate(bytes: Uint8Array, env: Record<string, unknown>): Record<string, unknown> {
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), { env }).exports;
}
