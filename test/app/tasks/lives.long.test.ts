// The same, over many more lives.
import './lives.test.ts';
