/** The configuration of the system that a scenario describes: where src/scenario meets src/system.ts. */
import { fetchImages, type ImageSource } from './scenario/image-source.ts';
import type { Scenario } from './scenario/scenario.ts';
import type { SystemConfig } from './system.ts';

/** @throws HostError when a program is not there */
export function scenarioConfig(scenario: Scenario, images: ImageSource): SystemConfig {
  const { machine, seed, faults, poison } = scenario;
  const { root, modules } = fetchImages(scenario, images);
  return {
    root,
    modules,
    cores: machine.cores,
    ramBytes: machine.ramBytes,
    seed,
    quantumInstructions: machine.quantumInstructions,
    timeSliceCycles: machine.timeSliceCycles,
    tlb: machine.tlb,
    costs: machine.costs,
    faults,
    poison,
  };
}
