// Puts a .gz beside every file of dist that a browser asks for, and says what the whole page weighs.
// Fails when it weighs more than the box may ask of a slow network.

import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';

const DIST = 'dist';
const LIMIT_BYTES = 100_000;

const files = (folder) =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });

let total = 0;
for (const path of files(DIST).filter((path) => !path.endsWith('.gz'))) {
  const packed = gzipSync(readFileSync(path), { level: 9 });
  writeFileSync(`${path}.gz`, packed);
  total += packed.length;
  console.log(`${String(packed.length).padStart(7)} B  ${relative(DIST, path)}`);
}
console.log(`${String(total).padStart(7)} B  compressed, limit ${LIMIT_BYTES} B`);
if (total > LIMIT_BYTES) {
  console.error(`The page is ${total - LIMIT_BYTES} B over its limit.`);
  process.exit(1);
}
