/**
 * What a saved state is made of. The same structural type as the machine's (emu/arch/ports.ts), which physmem
 * must not see.
 */
export type PlainData =
  | number
  | string
  | boolean
  | null
  | undefined
  | readonly PlainData[]
  | Uint8Array
  | Int32Array
  | Uint32Array
  | Float64Array
  | ReadonlyMap<PlainData, PlainData>
  | ReadonlySet<PlainData>
  | { readonly [key: string]: PlainData };

/** A programming error of the server: no request of any guest may reach one. */
export class Bug extends Error {
  override readonly name = 'Bug';
}

export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Bug(what);
}
