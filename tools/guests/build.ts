/** Compiles and links guest programs, and hashes their inputs. Paths are relative to the repository's root. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { GUEST_PROGRAMS, type GuestProgram } from './programs.ts';
import { BUILD_OPTIONS, type Toolchain } from './toolchain.ts';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const GUEST_BIN = 'guest/bin';
const SDK = 'guest/sdk';
const SOURCE = /\.(c|h|S|ld)$/;
const COMPILED = /\.(c|S)$/;

const run = promisify(execFile);

const sourcesBelow = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => SOURCE.test(path))
    .map((path) => `${folder}/${path}`)
    .sort();

const folderOf = (program: GuestProgram): string => `guest/${program.folder}`;

const inputsOf = (program: GuestProgram): string[] =>
  program.kind === 'task'
    ? [...sourcesBelow(SDK), ...sourcesBelow(folderOf(program))]
    : sourcesBelow(folderOf(program));

export const readBytes = (path: string): Uint8Array => new Uint8Array(readFileSync(path));

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Hash of everything that makes the image: options, paths and bytes of all inputs, SDK included. */
export const sourceHash = (program: GuestProgram): string => {
  const hash = createHash('sha256').update(JSON.stringify([BUILD_OPTIONS, program]));
  for (const path of inputsOf(program)) {
    hash.update(`\0${path}\0`).update(readBytes(join(ROOT, path)));
  }
  return hash.digest('hex');
};

/** A tool's complaint, without the host's stack trace. */
export class ToolError extends Error {}

const tool = async (command: readonly string[]): Promise<void> => {
  const [program = '', ...args] = command;
  try {
    const { stderr } = await run(program, args, { cwd: ROOT });
    process.stderr.write(stderr);
  } catch (error) {
    const { stderr = '', message } = error as { stderr?: string; message: string };
    throw new ToolError(stderr === '' ? message : stderr);
  }
};

/** Compiles sources into objects below `into`; returns the objects in the order of the sources. */
const compile = async (
  toolchain: Toolchain,
  sources: readonly string[],
  options: readonly string[],
  into: string,
): Promise<string[]> => {
  mkdirSync(into, { recursive: true });
  const jobs = sources.map(async (source) => {
    const object = join(into, `${basename(source)}.o`);
    await tool([...toolchain.compile, ...options, '-c', source, '-o', object]);
    return object;
  });
  return await Promise.all(jobs);
};

const SDK_OPTIONS = [`-I${SDK}/include`, `-I${SDK}`];

/** Builds all programs into the folder `into` (absolute); objects go below it. Throws when a tool fails. */
export const buildGuests = async (toolchain: Toolchain, into: string): Promise<void> => {
  const objects = join(into, 'objects');
  const sdkSources = sourcesBelow(SDK).filter((path) => COMPILED.test(path));
  const sdk = await compile(toolchain, sdkSources, SDK_OPTIONS, join(objects, 'sdk'));
  for (const program of GUEST_PROGRAMS) {
    const sources = program.sources.map((source) => `${folderOf(program)}/${source}`);
    const isTask = program.kind === 'task';
    const own = await compile(toolchain, sources, isTask ? SDK_OPTIONS : [], join(objects, program.name));
    const script = isTask ? `${SDK}/guest.ld` : `${folderOf(program)}/${program.script ?? 'bare.ld'}`;
    const image = join(into, `${program.name}.elf`);
    await tool([...toolchain.link, '-T', script, '-o', image, ...(isTask ? [...sdk, ...own] : own)]);
  }
};
