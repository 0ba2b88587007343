/** Deep copy of plain data: what a snapshot is made of. Sharing inside the data does not survive. */
import type { PlainData } from '../../emu/arch/ports.ts';

/** A copy that shares nothing with `value`. Order of keys and members is kept: iteration depends on it. */
export function clonePlain<T extends PlainData>(value: T): T {
  return copy(value) as T;
}

function copy(value: PlainData): PlainData {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copy);
  if (value instanceof Map) {
    return new Map([...(value as ReadonlyMap<PlainData, PlainData>)].map(([k, v]) => [copy(k), copy(v)]));
  }
  if (value instanceof Set) return new Set([...(value as ReadonlySet<PlainData>)].map(copy));
  if (
    value instanceof Uint8Array ||
    value instanceof Int32Array ||
    value instanceof Uint32Array ||
    value instanceof Float64Array
  ) {
    return value.slice();
  }
  const result: Record<string, PlainData> = {};
  for (const [key, member] of Object.entries(value)) result[key] = copy(member);
  return result;
}
