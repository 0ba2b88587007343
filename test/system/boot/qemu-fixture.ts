/** Whether QEMU is installed; tests that need it say so in their names. */
import { execFileSync } from 'node:child_process';

export function hasQemu(): boolean {
  try {
    execFileSync('qemu-system-i386', ['--version'], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}
