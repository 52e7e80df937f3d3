import type { CommandParts } from '../call-note.ts';
import { JSON_OPTION } from '../options.ts';

/** Adds `doctor`, which is loaded when it is called. */
export function addDoctorCommand({ program, calling, onEnd }: CommandParts): void {
  program
    .command('doctor')
    .description(
      'look at everything that this program needs, and say what mends what is wrong; needs no running service',
    )
    .option(...JSON_OPTION)
    .action(async (options: { json?: boolean }) => {
      const { doctor } = await import('./doctor.ts');
      onEnd(await doctor(options, calling.environment));
    });
}
