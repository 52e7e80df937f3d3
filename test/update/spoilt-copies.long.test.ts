import { describeSpoiltCopies } from './spoilt-copies.ts';

describeSpoiltCopies([
  ['cut off', 'fs.truncateSync(file, 4096);'],
  ['empty', `fs.writeFileSync(file, '');`],
]);
