// Random lives of tasks, many more than for every change.
import '../app/tasks/lives.test.ts';
