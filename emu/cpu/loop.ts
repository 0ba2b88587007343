/**
 * The inner loop of the interpreter. Its text is made by tools/build-loop.ts: hot/loop-frame.ts is the loop, hot/*.ts
 * are the forms, loop.generated.ts is both in one function, because V8 would not inline the forms (hot/hot-form.ts).
 */
export { execute, Form } from './loop.generated.ts';
