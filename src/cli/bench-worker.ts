/** A thread that runs jobs of `physmem bench`, one after another, as it is told. */
import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { type Job, runJob } from '../experiments/plan.ts';
import type { WorkerAnswer, WorkerStart } from './bench-runner.ts';

const { shippedImages } = workerData as WorkerStart;
const images = { image: (name: string) => new Uint8Array(readFileSync(shippedImages.get(name)!)) };

function answer(job: Job): WorkerAnswer {
  try {
    return { sample: runJob(job, images) };
  } catch (error) {
    return { error: (error as Error).stack ?? String(error) };
  }
}

parentPort!.on('message', (job: Job) => parentPort!.postMessage(answer(job)));
