/** The programs of the shipped scenarios, embedded in the bundle: the page needs no server but static files. */
import story from '../../guest/bin/story.elf';
import storyChild from '../../guest/bin/story-child.elf';
import { HostError } from '../scenario/host-error.ts';
import type { ImageSource } from '../scenario/image-source.ts';

const PROGRAMS: ReadonlyMap<string, Uint8Array> = new Map([
  ['story', story],
  ['story-child', storyChild],
]);

export const embeddedImages: ImageSource = {
  image: (name) => {
    const bytes = PROGRAMS.get(name);
    if (bytes !== undefined) return bytes;
    throw new HostError(`The page has no program "${name}"; it has ${[...PROGRAMS.keys()].join(', ')}.`);
  },
};
