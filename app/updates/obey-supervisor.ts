import type { SupervisorChannel } from './supervisor-channel.ts';

/** What the supervisor has a say in: tasks, and what leads to them. */
type Obeying = {
  readonly dispatcher: { pause(onIdle: () => void): void; resume(): void };
  readonly intake: { lookAgain(): void };
};

/** The supervisor says whether tasks may begin; `onProceed` after it has said so. */
export function obeySupervisor(
  channel: SupervisorChannel | undefined,
  { dispatcher, intake }: Obeying,
  onProceed: () => void,
): void {
  channel?.onCommand((command) => {
    if (command === 'pause') return dispatcher.pause(() => channel.send({ kind: 'worker-idle' }));
    dispatcher.resume();
    intake.lookAgain();
    onProceed();
  });
}
