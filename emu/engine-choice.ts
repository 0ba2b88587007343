/** From the name of an engine to the function that makes it, for machine and system configurations. */
import type { Engine, EngineName, OwnEngineName } from './arch/engine.ts';
import {
  type EngineContext,
  Interpreter,
  Translator,
  UnicornEngine,
  type UnicornLibrary,
} from './cpu/index.ts';

export type EngineMaker = (context: EngineContext) => Engine;

/** Gives the Unicorn library of the system, or throws for the person why there is none. */
export type UnicornSource = () => UnicornLibrary;

const ENGINES: Readonly<Record<OwnEngineName, EngineMaker>> = {
  interpreter: (context) => new Interpreter(context),
  translator: (context) => new Translator(context),
};

export const engineNamed = (name: OwnEngineName): EngineMaker => ENGINES[name];

/** Any engine; `unicorn` is asked for only when it is the one. Passes on what `unicorn` throws. */
export function engineFrom(name: EngineName, unicorn: UnicornSource): EngineMaker {
  if (name !== 'unicorn') return ENGINES[name];
  const library = unicorn();
  return (context) => new UnicornEngine(context, library);
}
