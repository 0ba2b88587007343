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
  /** Linker script relative to the folder, when it is not the kind's own. */
  readonly script?: string;
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

/** A toy kernel: a folder of guest/bare with its own sources, and what it needs of guest/bare/kernel. */
const toy = (name: string, own: readonly string[], kernel: readonly string[]): GuestProgram =>
  bare(name, [
    ...own.map((source) => `${name}/${source}`),
    ...['traps.S', 'descriptors.c', ...kernel].map((source) => `kernel/${source}`),
  ]);

export const GUEST_PROGRAMS: readonly GuestProgram[] = [
  task('hello'),
  task('story', 'story', ['root.c', 'show.c']),
  task('story-child', 'story', ['child.c', 'show.c']),
  task('stale', 'stale', ['root.c']),
  task('stale-reader', 'stale', ['reader.c']),
  task('serial', 'serial', ['root.c']),
  task('serial-driver', 'serial', ['driver.c']),
  task('files', 'files', ['root.c', 'lines.c']),
  task('files-server', 'files', ['server.c', 'lines.c']),
  task('files-rogue', 'files', ['rogue.c']),
  task('fork', 'fork', ['root.c']),
  task('fork-node', 'fork', ['node.c']),
  task('weaken', 'weaken', ['root.c']),
  task('weaken-holder', 'weaken', ['holder.c']),
  task('disk-root', 'disk-driver', ['root.c']),
  task('disk-driver', 'disk-driver', ['driver.c', 'interrupts.c', 'isa.c', 'master.c']),
  task('disk-client', 'disk-driver', ['client.c']),
  task('hostile', 'hostile', ['root.c']),
  task('hostile-random', 'hostile', ['random.c']),
  task('hostile-race', 'hostile', ['race.c']),
  task('library', 'library', ['root.c', 'function.S']),
  task('library-user', 'library', ['user.c']),
  task('rearrange'),
  task('refusals', 'refusals', ['main.c', 'try.c', 'syscalls.c', 'drivers.c', 'operations.c']),
  task('forge'),
  task('cow'),
  task('hog', 'hog', ['root.c']),
  task('hog-cache', 'hog', ['cache.c']),
  task('pingpong'),
  task('faults'),
  task('spin'),
  task('races'),
  task('selftest'),
  task('fragmenter', 'memory', ['fragmenter.c', 'writers.c']),
  task('huge', 'memory', ['huge.c']),
  task('compile', 'memory', ['compile.c']),
  task('pins', 'memory', ['pins.c']),
  task('hammer'),
  task('zone'),
  task('shoot', 'shoot', ['root.c']),
  task('shoot-reader', 'shoot', ['reader.c']),
  bare('hello', ['hello.c']),
  toy('round-robin', ['main.c'], ['apic.c']),
  toy('paging', ['main.c'], []),
  toy('smp', ['main.c', 'mp-tables.c', 'trampoline.S'], ['apic.c']),
  toy('disk', ['main.c', 'ide.c'], ['apic.c']),
  toy('clock', ['main.c'], []),
  {
    ...bare('high', []),
    sources: [
      ...['high/main.c', 'high/entry.S', 'console.c', 'smp/mp-tables.c'],
      ...['kernel/traps.S', 'kernel/descriptors.c', 'kernel/apic.c'],
    ],
    script: 'high/high.ld',
  },
  bare('wild', ['wild/main.c', 'wild/paging.c']),
  toy('dma', ['main.c', 'dma.c'], ['apic.c']),
  toy('loops', ['main.c', 'loops.c', 'user.S'], []),
];
