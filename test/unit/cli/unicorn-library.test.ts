import { describe, expect, it } from 'vitest';
import { loadUnicorn, versionRefusal } from '../../../src/cli/unicorn-library.ts';
import { builtInScenario } from '../../../src/scenario/built-in.ts';
import { HostError } from '../../../src/scenario/host-error.ts';
import { scenarioConfig } from '../../../src/scenario-system.ts';

describe('the Unicorn library', () => {
  it('that is not installed is named, with what would help', () => {
    const load = (): unknown => loadUnicorn(['libnot-there.so.2']);
    expect(load).toThrow(HostError);
    expect(load).toThrow(/needs the library libunicorn 2.*apt install libunicorn2.*--engine interpreter/);
  });

  it('that is another one under its name is refused with what it lacks', () => {
    // The C library is everywhere, and has no function of Unicorn's.
    const load = (): unknown => loadUnicorn(['libc.so.6']);
    expect(load).toThrow(HostError);
    expect(load).toThrow(/not Unicorn 2 \(.*uc_version.*install libunicorn 2/);
  });

  it('that is too old is refused with both versions', () => {
    expect(versionRefusal(1, 3)).toBe(
      '--engine unicorn needs libunicorn 2.0 or newer, and this system has 1.3',
    );
    expect(versionRefusal(2, 0)).toBeNull();
  });

  it('is asked for only by the command line', () => {
    const scenario = builtInScenario('hello', [{ path: 'machine.engine', value: 'unicorn' }]);
    const images = { image: () => new Uint8Array() };
    expect(() => scenarioConfig(scenario, images)).toThrow(/from the command line only/);
  });
});
