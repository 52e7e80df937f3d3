import { describeRestarts } from './restarts.ts';

describeRestarts(50);
