/**
 * Defragmentation policies of one's own: a JavaScript or TypeScript module whose default export is a Policy
 * (src/physmem/compact/policy.ts), or a function that makes one. Every call of it has a bound in host time, because one that
 * loops for ever could not be stopped otherwise; what it answers is checked by physmem.
 */
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Script } from 'node:vm';
import { type Policy, PolicyEndlessError } from '../physmem/compact/policy.ts';
import { HostError, quoted } from '../scenario/host-error.ts';
import { scenarioConfig } from '../scenario-system.ts';
import type { SystemConfig } from '../system.ts';
import type { Io } from './io.ts';
import type { Target } from './target.ts';
import { loadUnicorn } from './unicorn-library.ts';

/** Host time of one call; an answer takes microseconds. */
const CALL_MS = 2000;

/** The configuration of a target, its policy loaded when that is a file. @throws HostError */
export async function configOf({ scenario, images, folder }: Target, io: Io): Promise<SystemConfig> {
  const { policy } = scenario;
  if (policy.kind === 'shipped') return scenarioConfig(scenario, images, loadUnicorn);
  const path = [policy.path, join(folder, policy.path)].find((one) => io.exists(one));
  if (path === undefined) throw new HostError(`There is no policy file ${quoted(policy.path)}`);
  return scenarioConfig(scenario, images, loadUnicorn, await loadPolicy(path));
}

/** @throws HostError when the module cannot be loaded or is no policy */
export async function loadPolicy(path: string): Promise<Policy> {
  let made: unknown;
  try {
    const { default: exported } = await importModule(path);
    made = typeof exported === 'function' ? bounded(() => (exported as () => unknown)()) : exported;
  } catch (error) {
    if (error instanceof HostError) throw error;
    throw new HostError(`the policy ${quoted(path)} cannot be loaded: ${(error as Error).message}`);
  }
  const fault = formFault(made);
  if (fault !== null) throw new HostError(`the policy ${quoted(path)} ${fault}`);
  return withBounds(made as Policy);
}

const FUNCTIONS = ['onShortage', 'background', 'choose'] as const;

function formFault(made: unknown): string | null {
  if (typeof made !== 'object' || made === null) return 'has no default export that is a policy';
  const policy = made as Record<string, unknown>;
  if (typeof policy['name'] !== 'string' || policy['name'] === '') return 'has no name';
  const missing = FUNCTIONS.find((name) => typeof policy[name] !== 'function');
  if (missing !== undefined) return `has no function ${missing}`;
  const { grouping, batch } = policy;
  if (grouping !== undefined && grouping !== 'on' && grouping !== 'off')
    return "has a grouping that is neither 'on' nor 'off'";
  const isBatch = batch === undefined || (Number.isInteger(batch) && (batch as number) >= 1);
  return isBatch ? null : 'has a batch that is no whole number from 1';
}

const withBounds = (policy: Policy): Policy => ({
  name: policy.name,
  ...(policy.grouping === undefined ? {} : { grouping: policy.grouping }),
  ...(policy.batch === undefined ? {} : { batch: policy.batch }),
  onShortage: (view, goal) => bounded(() => policy.onShortage(view, goal)),
  background: (view, state) => bounded(() => policy.background(view, state)),
  choose: (view, goal) => bounded(() => policy.choose(view, goal)),
});

const SLOT = Symbol.for('physmem.policy.call');
const CALL = new Script(`globalThis[Symbol.for('physmem.policy.call')]()`);

/** Calls a function; V8 ends it when the time is over, whatever it does. */
function bounded<T>(call: () => T): T {
  const holder = globalThis as { [SLOT]?: () => T };
  holder[SLOT] = call;
  try {
    return CALL.runInThisContext({ timeout: CALL_MS }) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    throw new PolicyEndlessError(`one call took longer than ${CALL_MS / 1000} s`);
  } finally {
    delete holder[SLOT];
  }
}

type Module = { readonly default?: unknown };

async function importModule(path: string): Promise<Module> {
  const url = pathToFileURL(resolve(path)).href;
  const isTyped = /\.m?ts$/.test(path);
  // Node 20 reads no TypeScript; later ones say that they do.
  const features = process.features as { readonly typescript?: unknown };
  if (!isTyped || features.typescript) return (await import(url)) as Module;
  const source = await transpile(path);
  return (await import(`data:text/javascript;base64,${Buffer.from(source).toString('base64')}`)) as Module;
}

interface Bundler {
  build(options: object): Promise<{ readonly outputFiles: readonly { readonly text: string }[] }>;
}

/** By esbuild, where it is installed. */
async function transpile(path: string): Promise<string> {
  // A variable, so that the bundle of the command line does not contain it.
  const name = 'esbuild';
  const esbuild = (await import(name).catch(() => null)) as Bundler | null;
  if (esbuild === null) {
    throw new HostError(
      `the policy ${quoted(path)} is TypeScript, which Node ${process.versions.node} does not read; ` +
        'install esbuild, use Node 22.18 or later, or give the compiled .mjs',
    );
  }
  const options = {
    entryPoints: [path],
    bundle: true,
    write: false,
    format: 'esm',
    logLevel: 'silent',
    external: ['physmem'],
  };
  const { outputFiles } = await esbuild.build(options);
  return outputFiles[0]!.text;
}
