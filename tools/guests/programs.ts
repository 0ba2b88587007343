/** The guest programs that are shipped, as data. A program is a folder of guest/; it may give several images. */
export interface GuestProgram {
  /** Name of the image: guest/bin/<name>.elf, and of the boot module. */
  readonly name: string;
  /** Folder below guest/; all its sources are inputs of the hash. */
  readonly folder: string;
  /** The sources that are compiled, relative to the folder. */
  readonly sources: readonly string[];
  /** A task of the microkernel with the SDK, or an image for the bare machine with nothing below it. */
  readonly kind: 'task' | 'bare';
}

const task = (name: string, folder = name, sources: readonly string[] = ['main.c']): GuestProgram => ({
  name,
  folder,
  sources,
  kind: 'task',
});

const bare = (name: string, sources: readonly string[]): GuestProgram => ({
  name: `bare-${name}`,
  folder: 'bare',
  sources: ['start.S', 'console.c', ...sources],
  kind: 'bare',
});

export const GUEST_PROGRAMS: readonly GuestProgram[] = [
  task('hello'),
  task('story', 'story', ['root.c', 'show.c']),
  task('story-child', 'story', ['child.c', 'show.c']),
  task('stale', 'stale', ['root.c']),
  task('stale-reader', 'stale', ['reader.c']),
  task('serial', 'serial', ['root.c']),
  task('serial-driver', 'serial', ['driver.c']),
  task('forge'),
  task('cow'),
  task('pingpong'),
  task('faults'),
  task('spin'),
  task('selftest'),
  bare('hello', ['hello.c']),
  bare('loops', ['loops.c', 'paging.c']),
];
