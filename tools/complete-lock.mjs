// Adds the platform packages that a partial registry mirror could not tell npm about, so that `npm ci` accepts
// the lock file on every platform: optional packages whose parent names them with an exact version. They have no
// integrity hash (npm checks the registry's own on installation). Run after `npm install` when `npm ci` names
// such packages as missing.
import { readFileSync, writeFileSync } from 'node:fs';

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const added = [];
for (const [path, parent] of Object.entries(lock.packages)) {
  if (!path) continue;
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    if (lock.packages[key] || !/^\d+\.\d+\.\d+$/.test(version)) continue;
    const os = /android|darwin|linux|win32/.exec(name)?.[0];
    const cpu = /arm64|x64/.exec(name)?.[0];
    if (!os || !cpu) continue;
    const libc = os === 'linux' ? { libc: [name.endsWith('musl') ? 'musl' : 'glibc'] } : {};
    lock.packages[key] = { version, cpu: [cpu], dev: true, ...libc, optional: true, os: [os] };
    added.push(name);
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync('package-lock.json', `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(`${added.length} platform packages added\n`);
