import { describeRestarts } from './restarts.ts';

// Fifty in the long run.
describeRestarts(15);
