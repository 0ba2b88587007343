/** Where the recorded vectors are, and how to open them. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

export const VECTOR_DIRECTORY = fileURLToPath(new URL('../../test/engines/data/', import.meta.url));

/** Names of the groups that have a file. */
export function vectorGroups(): string[] {
  return readdirSync(VECTOR_DIRECTORY).flatMap((file) => /^vectors-(\w+)\.bin\.gz$/.exec(file)?.[1] ?? []);
}

/** Unpacked content of a group's file (vector-file.ts). */
export function openVectors(group: string): Uint8Array {
  return new Uint8Array(
    gunzipSync(new Uint8Array(readFileSync(`${VECTOR_DIRECTORY}vectors-${group}.bin.gz`))),
  );
}
