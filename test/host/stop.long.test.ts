// The same, at each single command.
import './stop.test.ts';
