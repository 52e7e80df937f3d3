// The same, with the connection cut in each single command, and a host that stays away.
import './deploy.test.ts';
