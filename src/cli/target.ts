/**
 * What `physmem run` is told to run: the name of a shipped scenario, a scenario file, or somebody's own static ELF program,
 * which becomes the root task of a default scenario. Programs that a scenario names are found among the shipped ones, or
 * as files beside the scenario's own file.
 */
import { dirname, join } from 'node:path';
import { BUILT_IN_NAMES, builtInScenario } from '../scenario/built-in.ts';
import { HostError, quoted } from '../scenario/host-error.ts';
import type { ImageSource } from '../scenario/image-source.ts';
import { suggestion } from '../scenario/nearest-word.ts';
import { type Change, checkScenario, parseScenario, type Scenario } from '../scenario/scenario.ts';
import type { Io } from './io.ts';

export interface Target {
  readonly scenario: Scenario;
  readonly images: ImageSource;
  /** Folder of the scenario's own file, where files that it names may be, too. */
  readonly folder: string;
}

const ELF_MAGIC = [0x7f, 0x45, 0x4c, 0x46];
const OPEN_BRACE = 0x7b;

/** Whether the bytes begin as every ELF file does. */
export const isElf = (bytes: Uint8Array): boolean => ELF_MAGIC.every((byte, i) => bytes[i] === byte);

/**
 * @param args arguments for the root task; they replace those of the scenario
 * @throws HostError when there is nothing of that name, the file is neither ELF nor JSON, or a change is refused
 */
export function findTarget(
  name: string,
  args: readonly string[],
  changes: readonly Change[],
  modules: readonly string[],
  io: Io,
): Target {
  const more: Change[] = [...changes];
  if (args.length > 0) more.push({ path: 'root.args', value: args });
  const own = modules.map(splitModule);
  if (own.length > 0)
    more.push({ path: 'modules', value: own.map((m) => ({ name: m.name, image: m.file })) });
  if (BUILT_IN_NAMES.includes(name)) {
    return { scenario: builtInScenario(name, more), images: imageSource(io, '.'), folder: '.' };
  }
  if (!io.exists(name)) {
    const hint = suggestion(name, BUILT_IN_NAMES);
    throw new HostError(`There is no file and no scenario ${quoted(name)}${hint}`);
  }
  const bytes = io.readFile(name);
  if (isElf(bytes)) return { scenario: elfScenario(name, more), images: imageSource(io, '.'), folder: '.' };
  if (firstLetter(bytes) === OPEN_BRACE) {
    const scenario = parseScenario(new TextDecoder().decode(bytes), name, more);
    return { scenario, images: imageSource(io, dirname(name)), folder: dirname(name) };
  }
  throw new HostError(
    `${quoted(name)} is neither an ELF program (it would begin with 0x7f 'ELF') nor a scenario (a JSON object)`,
  );
}

/** The default scenario around a program of one's own. */
const elfScenario = (path: string, changes: readonly Change[]): Scenario =>
  checkScenario(
    { name: 'elf', title: 'A program of your own', look: 'Its output.', root: { image: path, args: [] } },
    'scenario of an ELF program',
    changes,
  );

/** `name=file`, or a file whose base name without suffix is the name. */
function splitModule(text: string): { name: string; file: string } {
  const at = text.indexOf('=');
  if (at > 0) return { name: text.slice(0, at), file: text.slice(at + 1) };
  const base = text.split('/').at(-1) ?? text;
  return { name: base.replace(/\.[^.]*$/, '') || base, file: text };
}

/** Shipped programs by name first, then files: as given, and beside the scenario's file. */
function imageSource(io: Io, folder: string): ImageSource {
  return {
    image: (name) => {
      const shipped = io.shippedImages.get(name);
      if (shipped !== undefined) return io.readFile(shipped);
      for (const path of [name, join(folder, name), join(folder, `${name}.elf`)]) {
        if (io.exists(path)) return io.readFile(path);
      }
      const known = [...io.shippedImages.keys()];
      throw new HostError(
        `There is no program ${quoted(name)}, neither shipped nor as a file${suggestion(name, known)}`,
      );
    },
  };
}

function firstLetter(bytes: Uint8Array): number {
  const space = new Set([9, 10, 13, 32]);
  return bytes.find((byte) => !space.has(byte)) ?? -1;
}
