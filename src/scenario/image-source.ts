/**
 * Where the bytes of guest programs come from. Scenarios name programs; the command line finds files, the page has
 * them embedded, tests make them. So this room needs no file system.
 */
import type { Scenario } from './scenario.ts';

export interface ImageSource {
  /** The bytes of the program `name`. @throws HostError that names it and says what there is. */
  image(name: string): Uint8Array;
}

export interface ScenarioImages {
  readonly root: { readonly name: string; readonly bytes: Uint8Array; readonly args: readonly string[] };
  readonly modules: readonly { readonly name: string; readonly bytes: Uint8Array }[];
}

/** Fetches every image that the scenario names. @throws HostError of the source. */
export function fetchImages(scenario: Scenario, source: ImageSource): ScenarioImages {
  const { root, modules } = scenario;
  return {
    root: { name: root.image, bytes: source.image(root.image), args: root.args },
    modules: modules.map(({ name, image }) => ({ name, bytes: source.image(image) })),
  };
}
