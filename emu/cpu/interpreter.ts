/** The reference engine (machine.md §2). */
import { type Engine, Exit } from '../arch/engine.ts';
import type { EngineContext } from './context.ts';

export class Interpreter implements Engine {
  readonly name = 'interpreter';
  constructor(readonly context: EngineContext) {}
  run(_core: number, _budget: number): Exit {
    return Exit.Budget;
  }
  invalidateCode(_frameNo: number): void {}
  reset(): void {}
}
