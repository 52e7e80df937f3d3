import type { Logger } from 'pino';
import { matchAddresses } from '../shared/config/address-ranges.ts';
import type { Settings } from '../shared/config/settings.ts';
import { filterEvents } from './events/event-policy.ts';
import type { EventWriter } from './events/event-writer.ts';
import { limitConnections } from './http/connections/limit-connections.ts';
import { createApp } from './http/create-app.ts';
import { prepareDrain } from './http/drain.ts';
import { createLocalServer } from './http/local-server.ts';

/** The application with what listens for it, within the limits of connections. */
export function openServers(settings: Settings, log: Logger, events: EventWriter) {
  const { requestTimeoutMs, publicBaseUrl, eventsExclude, trustedProxies } = settings;
  const app = createApp({
    ...{ log, events: filterEvents(events, eventsExclude) },
    ...{ requestTimeoutMs, publicBaseUrl, isProxy: matchAddresses(trustedProxies) },
  });
  const connections = limitConnections(app.server, settings, log);
  const local = createLocalServer(app, log);
  return { app, local, connections, drain: prepareDrain(app, local) };
}
