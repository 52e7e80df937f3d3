import { describeSpoiltCopies } from './spoilt-copies.ts';

describeSpoiltCopies([
  [
    'changed in one byte',
    'const bytes = fs.readFileSync(file); bytes[5000] ^= 1; fs.writeFileSync(file, bytes);',
  ],
]);
