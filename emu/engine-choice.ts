/** From the name of an engine to the function that makes it, for machine and system configurations. */
import type { Engine, EngineName } from './arch/engine.ts';
import { type EngineContext, Interpreter, Translator } from './cpu/index.ts';

const ENGINES: Readonly<Record<EngineName, (context: EngineContext) => Engine>> = {
  interpreter: (context) => new Interpreter(context),
  translator: (context) => new Translator(context),
};

export const engineNamed = (name: EngineName): ((context: EngineContext) => Engine) => ENGINES[name];
