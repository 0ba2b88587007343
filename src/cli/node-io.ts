/** The real Io, of Node. Files are read and written whole and at once: images and traces are small. */
import { accessSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HostError, quoted } from '../scenario/host-error.ts';
import { type Io, terminalOf } from './io.ts';
import { nodeInput } from './node-input.ts';

/** Writes go out synchronously, so that nothing is lost when the process ends or the pipe is slow. */
export function nodeIo(): Io {
  const { stdout, stderr } = process;
  const shape = (tty: boolean | undefined): 'terminal' | 'pipe' => (tty ? 'terminal' : 'pipe');
  // A reader that went away (| head) is not an error: there is nobody left to tell.
  for (const stream of [stdout, stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0);
      throw error;
    });
  }
  const stops = new Set<() => void>();
  const interrupt = (): void => {
    for (const stop of stops) stop();
  };
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    terminal: terminalOf(process.env, {
      out: shape(stdout.isTTY),
      err: shape(stderr.isTTY),
      columns: stdout.columns,
    }),
    input: nodeInput(interrupt),
    readFile: (path) => attempt(path, 'read', () => new Uint8Array(readFileSync(path))),
    writeFile: (path, data) => attempt(path, 'written', () => writeFileSync(path, data)),
    exists: (path) => isThere(path),
    makeFolder: (path) => attempt(path, 'made', () => void mkdirSync(path, { recursive: true })),
    shippedImages: shippedImages(),
    onInterrupt: (stop) => {
      stops.add(stop);
      process.on('SIGINT', stop);
      process.on('SIGTERM', stop);
      return () => {
        stops.delete(stop);
        process.off('SIGINT', stop);
        process.off('SIGTERM', stop);
      };
    },
    breathe: () => new Promise((resolve) => setImmediate(resolve)),
    hostSeconds: () => performance.now() / 1000,
  };
}

const CAUSES: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission is denied',
  EISDIR: 'it is a directory',
  EEXIST: 'a file of that name is in the way',
  ENOTDIR: 'a part of the path is not a directory',
  ENOSPC: 'the disk is full',
  EROFS: 'the file system is read-only',
};

function attempt<T>(path: string, what: 'read' | 'written' | 'made', action: () => T): T {
  try {
    return action();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    throw new HostError(`${quoted(path)} cannot be ${what}: ${CAUSES[code] ?? (error as Error).message}`);
  }
}

function isThere(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
}

/** `NAME.elf` in guest/bin beside the bundle (dist/) or above the sources (src/cli/). */
function shippedImages(): ReadonlyMap<string, string> {
  const images = new Map<string, string>();
  const here = dirname(fileURLToPath(import.meta.url));
  for (const up of ['..', '../..']) {
    const folder = join(here, up, 'guest', 'bin');
    if (!isThere(folder)) continue;
    for (const file of readdirSync(folder).sort()) {
      if (file.endsWith('.elf')) images.set(file.slice(0, -'.elf'.length), join(folder, file));
    }
    break;
  }
  return images;
}
