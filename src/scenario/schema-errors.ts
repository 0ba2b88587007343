/**
 * From zod's list of issues to one sentence about the first of them: the key as a person would write it
 * (`machine.tlb.data.ways`), what is wrong, and what would be right.
 */
import { z } from 'zod';
import { suggestion } from './nearest-word.ts';
import { valueText } from './quantity.ts';

/** A sentence without the file's name. */
export function issueSentence(schema: z.ZodType, error: z.ZodError, input: unknown): string {
  const issue = deepest(error.issues[0]!);
  const path = issue.path;
  const key = path.length === 0 ? 'the scenario' : pathText(path);
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, path);
    const unknown = issue.keys[0]!;
    const where = path.length === 0 ? '' : ` in ${key}`;
    return `unknown key '${unknown}'${where}${suggestion(unknown, known)}`;
  }
  const value = valueAt(input, path);
  if (issue.code === 'invalid_type' && value === undefined) return `${key} is missing`;
  if (issue.code === 'invalid_type')
    return `${key} must be ${typeText(issue.expected)}, not ${valueText(value)}`;
  if (issue.code === 'too_small') return `${key} must have at least ${issue.minimum} entry`;
  if (issue.code === 'too_big') return `${key} must have at most ${issue.maximum} entries`;
  if (issue.code === 'custom' && value === undefined)
    return `${key} is missing: it ${issue.message.split(', not ')[0]}`;
  return `${key} ${issue.message}`;
}

/** Of a union's attempts, the one that came furthest is what the person meant. */
function deepest(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union') return issue;
  const inner = issue.errors.map((issues) => deepest(issues[0]!));
  inner.sort((a, b) => b.path.length - a.path.length || (b.code === 'unrecognized_keys' ? 1 : 0));
  const best = inner[0];
  return best === undefined ? issue : { ...best, path: [...issue.path, ...best.path] };
}

const typeText = (expected: string): string =>
  ({ object: 'an object {...}', array: 'a list [...]', string: 'a text' })[expected] ?? expected;

function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i === 0 ? '' : '.'}${String(part)}`))
    .join('');
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}

/** Keys that the schema knows at a path. */
function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  let here = alternatives(schema);
  for (const part of path) {
    here = here.flatMap((s) => {
      if (s instanceof z.ZodArray) return alternatives(s.element as z.ZodType);
      const shape = s instanceof z.ZodObject ? (s.shape as Record<PropertyKey, z.ZodType>) : {};
      return shape[part] ? alternatives(shape[part]) : [];
    });
  }
  return here.flatMap((s) => (s instanceof z.ZodObject ? Object.keys(s.shape) : []));
}

/** The schemas behind wrappers (optional, prefault) and unions. */
function alternatives(schema: z.ZodType): z.ZodType[] {
  if (schema instanceof z.ZodUnion) return (schema.options as z.ZodType[]).flatMap(alternatives);
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault) {
    return alternatives(schema.unwrap() as z.ZodType);
  }
  return [schema];
}
